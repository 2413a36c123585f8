"""Stand-in for Triton's onnxruntime backend; `model.py` is the backend."""
