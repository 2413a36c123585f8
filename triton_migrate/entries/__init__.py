"""Matches in, `Entry` out: which functions the outside world reaches, under which URL and methods, and with which inputs."""
