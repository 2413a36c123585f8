"""The report in the terminal: takes a document and a Rich console, prints tables."""
