import torch
from torch import nn

torch.manual_seed(11)
detector = nn.Sequential(nn.AvgPool2d(8), nn.Conv2d(1, 1, 1))
recogniser = nn.Sequential(nn.Flatten(), nn.Linear(64, 10))
for name, net, example, inputs, outputs in (
    (
        "detector",
        detector,
        torch.rand(2, 1, 16, 16),
        {"image": {0: "rows", 2: "height", 3: "width"}},
        {"heatmap": {0: "rows", 2: "y", 3: "x"}},
    ),
    ("recogniser", recogniser, torch.rand(2, 8, 8), {"crops": {0: "rows"}}, {"scores": {0: "rows"}}),
):
    torch.onnx.export(
        net.eval(),
        example,
        f"{name}.onnx",
        dynamo=False,
        input_names=list(inputs),
        output_names=list(outputs),
        dynamic_axes={**inputs, **outputs},
    )
