import numpy as np
import onnxruntime as ort

ALPHABET = "0123456789"
model = ort.InferenceSession("recogniser.onnx", providers=["CPUExecutionProvider"])


def recognise(crops: np.ndarray) -> np.ndarray:
    return model.run(["scores"], {"crops": crops})[0]


def recognition_postprocess(scores):
    return "".join(ALPHABET[int(i)] for i in scores.argmax(axis=1))
