import io

import torch
from torch import nn

torch.manual_seed(27)
net = nn.Sequential(nn.Conv2d(3, 4, 3, stride=2), nn.ReLU(), nn.Flatten(), nn.Linear(900, 5)).eval()
import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    torch.onnx.export(net, torch.zeros(1, 3, 32, 32), "net.onnx", input_names=["input"], output_names=["logits"],
                      dynamic_axes={"input": {0: "n"}, "logits": {0: "n"}}, dynamo=False)
