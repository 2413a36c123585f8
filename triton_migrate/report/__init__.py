"""The report: one document (report.json), and the page and terminal tables made from it."""
