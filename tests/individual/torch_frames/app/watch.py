"""Looks at frames one after the other and says when the picture changes."""
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(16, 3))

    def forward(self, x):
        return self.layers(x)


def load_net():
    net = Net()
    net.load_state_dict(torch.load("net.pt", map_location="cpu"))
    net.eval()
    return net


def frames(count):
    for number in range(count):
        yield torch.sin(torch.arange(256, dtype=torch.float32) * (number % 5 + 1) / 40).reshape(16, 16)


def main():
    net = load_net()
    before = None
    for number, frame in enumerate(frames(12)):
        batch = frame[None, None] * 2 - 1
        with torch.no_grad():
            scores = torch.softmax(net(batch), dim=1)[0]
        kind = int(scores.argmax())
        if kind != before:
            print(f"{number}: {kind} {scores[kind].item():.4f}")
        before = kind


if __name__ == "__main__":
    main()
