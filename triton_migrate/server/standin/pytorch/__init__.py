"""Stand-in for Triton's pytorch (libtorch) backend; `model.py` is the backend."""
