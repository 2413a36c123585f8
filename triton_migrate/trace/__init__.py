"""Entries in, `Pipeline`s out: what each entry does with its inputs, which models it runs, and how the data gets there and back."""
