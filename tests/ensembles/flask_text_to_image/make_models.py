import torch
from torch import nn

torch.manual_seed(2)


class TextEncoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.words = nn.Embedding(64, 16)
        self.out = nn.Linear(16, 16)


class Denoiser(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(16 + 16 + 1, 32), nn.SiLU(), nn.Linear(32, 16))


torch.save(TextEncoder().state_dict(), "text_encoder.pt")
torch.save(Denoiser().state_dict(), "unet.pt")
torch.save(nn.Sequential(nn.Linear(16, 8 * 8 * 3), nn.Sigmoid()).state_dict(), "vae.pt")
