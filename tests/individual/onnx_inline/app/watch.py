import json
import sys

import numpy as np
import onnxruntime as ort

net = ort.InferenceSession("shift.onnx")
OUTPUTS = [output.name for output in net.get_outputs()]


def shifted(values):
    block = np.asarray(values, dtype=np.float32).reshape(-1, 3)
    return net.run(None, {net.get_inputs()[0].name: block})


if __name__ == "__main__":
    for line in sys.stdin:
        found = shifted(json.loads(line))
        print(json.dumps({name: array.tolist() for name, array in zip(OUTPUTS, found)}))
