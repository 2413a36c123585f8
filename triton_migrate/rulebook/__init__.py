"""`rules/*.toml` in, `Rulebook` out: what is known about each library's API."""
