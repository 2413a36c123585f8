import numpy as np
from skl2onnx import to_onnx
from sklearn.linear_model import LogisticRegression

rng = np.random.default_rng(17)
x = rng.normal(size=(90, 4)).astype(np.float32)
model = LogisticRegression().fit(x, np.digitize(x[:, 0], [-0.5, 0.5]))
onnx = to_onnx(model, x[:1], options={id(model): {"zipmap": False}}, target_opset=15)
with open("model.onnx", "wb") as file:
    file.write(onnx.SerializeToString())
