"""Pipelines of stages: the units of a cut, the graph of an ensemble, and what has to be rewritten for it."""
