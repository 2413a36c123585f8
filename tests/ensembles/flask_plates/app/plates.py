import numpy as np
import onnxruntime

finder = onnxruntime.InferenceSession("finder.onnx")
reader = onnxruntime.InferenceSession("reader.onnx")
LETTERS = "ABCDEFGH"


def grey(pixels) -> np.ndarray:
    picture = np.array(pixels, dtype=np.float32)
    return (picture / 255.0)[np.newaxis]


def find(picture: np.ndarray) -> np.ndarray:
    return finder.run(None, {"picture": picture})[0]


def cut_out(picture: np.ndarray, columns: np.ndarray) -> list:
    return [picture[:, :, i] for i in np.flatnonzero(columns[0] > 0)]


def read_one(strip: np.ndarray) -> np.ndarray:
    return reader.run(None, {"strip": strip})[0]


def letter(scores: np.ndarray) -> str:
    return LETTERS[int(scores[0].argmax())]


def read_plates(pixels) -> list:
    picture = grey(pixels)
    columns = find(picture)
    strips = cut_out(picture, columns)
    if not strips:
        return []
    found = []
    for strip in strips:
        scores = read_one(strip)
        found.append(letter(scores))
    return found
