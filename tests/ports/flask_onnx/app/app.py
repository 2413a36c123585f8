import numpy as np
import onnxruntime as rt
from flask import Flask, request, jsonify

app = Flask(__name__)

sess = rt.InferenceSession("model.onnx", providers=["CPUExecutionProvider"])
input_name = sess.get_inputs()[0].name
label_name = sess.get_outputs()[0].name

TARGETS = ["setosa", "versicolor", "virginica"]


@app.route("/live")
def live():
    return jsonify(alive=True)


@app.route("/predict", methods=["POST"])
def predict():
    try:
        values = request.get_json()["features"]
        x = np.array(values, dtype=np.float32)
        if x.ndim == 1:
            x = x[None, :]
        if x.shape[1] != 4:
            return jsonify({"error": "4 features expected, got %d" % x.shape[1]}), 422
        labels, probabilities = sess.run(None, {input_name: x})
        return jsonify({"labels": [TARGETS[i] for i in labels], "scores": probabilities.round(4).tolist()})
    except Exception as e:
        return jsonify({"error": str(e)}), 500


@app.route("/label", methods=["POST"])
def label():
    x = np.array(request.get_json(), dtype=np.float32).reshape(1, 4)
    return jsonify(label=int(sess.run([label_name], {input_name: x})[0][0]))
