"""Where a pipeline can be cut: the runs of statements and the expressions that may leave, and which way is tried first."""
