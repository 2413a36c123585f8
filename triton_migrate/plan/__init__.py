"""Verdicts in, `PortPlan` out: where each pipeline is cut, which tensors cross, what moves, and what cannot."""
