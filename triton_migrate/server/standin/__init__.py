"""Python-based backends that play Triton's native ones, which the PyPI wheel lacks. Copied beside the server, never imported by us."""
