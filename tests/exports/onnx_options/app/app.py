import numpy as np
import onnxruntime as ort
from flask import Flask, jsonify, request

app = Flask(__name__)
options = ort.SessionOptions()
options.intra_op_num_threads = 2
options.inter_op_num_threads = 2
options.execution_mode = ort.ExecutionMode.ORT_PARALLEL
options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
session = ort.InferenceSession("scale.onnx", options, providers=["CPUExecutionProvider"])


@app.route("/scale", methods=["POST"])
def scale():
    rows = np.asarray([request.get_json()["row"]], dtype=np.float32)
    return jsonify(row=session.run(None, {"rows": rows})[0][0].tolist())
