import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

weights = np.random.default_rng(2).normal(size=(4, 3)).astype(np.float32)
graph = helper.make_graph(
    [helper.make_node("MatMul", ["rows", "w"], ["product"]), helper.make_node("Tanh", ["product"], ["scaled"])],
    "scale",
    [helper.make_tensor_value_info("rows", TensorProto.FLOAT, ["n", 4])],
    [helper.make_tensor_value_info("scaled", TensorProto.FLOAT, ["n", 3])],
    [numpy_helper.from_array(weights, "w")],
)
onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9), "scale.onnx")
