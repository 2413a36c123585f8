"""Facts of all files in, `Program` out: what a name, an attribute or a call means, and why when it is not known."""
