import numpy as np
import onnxruntime as ort
from flask import Flask, jsonify, request

app = Flask(__name__)
session = ort.InferenceSession("scale.onnx", providers=["CPUExecutionProvider"])
NAME = session.get_inputs()[0].name


@app.route("/scale", methods=["POST"])
def scale():
    rows = np.asarray([request.get_json()["row"]], dtype=np.float32)
    outputs = session.run(None, {NAME: rows})
    return jsonify(row=outputs[0][0].tolist())
