import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

weights = numpy_helper.from_array(np.arange(4, dtype=np.float32), "w")
axes = numpy_helper.from_array(np.array([1], dtype=np.int64), "axes")
graph = helper.make_graph(
    [helper.make_node("Mul", ["x", "w"], ["scaled"]), helper.make_node("ReduceSum", ["scaled", "axes"], ["total"])], "scale",
    [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 4])],
    [helper.make_tensor_value_info("scaled", TensorProto.FLOAT, ["n", 4]), helper.make_tensor_value_info("total", TensorProto.FLOAT, ["n", 1])],
    [weights, axes],
)
onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), "scale.onnx")
