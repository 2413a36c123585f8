import numpy as np
import onnxruntime as ort

session = ort.InferenceSession("detector.onnx", providers=["CPUExecutionProvider"])
CROP = 8


def detection_preprocess(image: np.ndarray) -> np.ndarray:
    height, width = image.shape
    padded = np.zeros((height + (-height) % CROP, width + (-width) % CROP), dtype=np.float32)
    padded[:height, :width] = image.astype(np.float32) / 255.0
    return padded[None, None]


def detect(blob: np.ndarray) -> np.ndarray:
    return session.run(None, {"image": blob})[0]


def detection_postprocess(image, heatmap):
    """The cells of the grid that hold ink, each cut out of the image."""
    cells = heatmap[0, 0]
    rows, columns = np.nonzero(cells >= np.quantile(cells, 0.6))
    crops = []
    for row, column in zip(rows, columns):
        crop = np.zeros((CROP, CROP), dtype=np.float32)
        part = image[row * CROP : (row + 1) * CROP, column * CROP : (column + 1) * CROP]
        crop[: part.shape[0], : part.shape[1]] = part / np.float32(255.0)
        crops.append(crop)
    return np.stack(crops)
