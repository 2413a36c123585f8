import io
import zlib

import numpy as np
import torch
from PIL import Image
from torch import nn

LENGTH = 8


class TextEncoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.words = nn.Embedding(64, 16)
        self.out = nn.Linear(16, 16)

    def forward(self, ids):
        return self.out(self.words(ids).mean(1))


class Denoiser(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(16 + 16 + 1, 32), nn.SiLU(), nn.Linear(32, 16))

    def forward(self, latent, embedding, step):
        return self.net(torch.cat([latent, embedding, step], 1))


text_encoder = TextEncoder()
text_encoder.load_state_dict(torch.load("text_encoder.pt", map_location="cpu"))
text_encoder.eval()
unet = Denoiser()
unet.load_state_dict(torch.load("unet.pt", map_location="cpu"))
unet.eval()
vae = nn.Sequential(nn.Linear(16, 8 * 8 * 3), nn.Sigmoid())
vae.load_state_dict(torch.load("vae.pt", map_location="cpu"))
vae.eval()


def tokenise(prompt: str) -> np.ndarray:
    ids = [zlib.crc32(word.lower().encode()) % 63 + 1 for word in prompt.split()][:LENGTH]
    return np.array([ids + [0] * (LENGTH - len(ids))], dtype=np.int64)


@torch.inference_mode()
def encode_prompt(tokens: np.ndarray) -> np.ndarray:
    return text_encoder(torch.from_numpy(tokens)).numpy()


@torch.inference_mode()
def denoise(embedding: np.ndarray, seed: int, steps: int) -> np.ndarray:
    condition = torch.from_numpy(embedding)
    latent = torch.from_numpy(np.random.default_rng(seed).standard_normal((1, 16)).astype(np.float32))
    for step in range(steps):
        noise = unet(latent, condition, torch.full((1, 1), step / steps))
        latent = latent - noise / steps
    return latent.numpy()


@torch.inference_mode()
def decode_image(latent: np.ndarray) -> np.ndarray:
    return vae(torch.from_numpy(latent)).numpy()


def to_png(pixels: np.ndarray) -> bytes:
    picture = (pixels[0].reshape(8, 8, 3) * 255).round().astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "PNG")
    return file.getvalue()
