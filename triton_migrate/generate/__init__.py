"""Takes a plan, gives the files of `triton_serving/` as text: what goes beside the application, not into it."""
