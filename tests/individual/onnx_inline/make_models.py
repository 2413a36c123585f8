import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

graph = helper.make_graph(
    [helper.make_node("Add", ["rows", "by"], ["shifted"])], "shift",
    [helper.make_tensor_value_info("rows", TensorProto.FLOAT, ["n", 3])],
    [helper.make_tensor_value_info("shifted", TensorProto.FLOAT, ["n", 3])],
    [numpy_helper.from_array(np.array([0.5, 1, 2], dtype=np.float32), "by")],
)
onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), "shift.onnx")
