import asyncio
import logging
import re
from typing import AsyncGenerator

import numpy as np
import torch

logger = logging.getLogger(__name__)


class SpeechService:
    """Speaks a text sentence by sentence."""

    def __init__(self, path: str, volume: float = 0.5):
        self.voice = torch.jit.load(path)
        self.voice.eval()
        self.volume = volume

    def sentences(self, text: str):
        for sentence in re.split(r"(?<=[.!?])\s+", text.strip()):
            if sentence:
                yield sentence

    def speak(self, sentence: str, speed: float) -> np.ndarray:
        ids = torch.tensor([ord(c) for c in sentence])
        with torch.inference_mode():
            wave = self.voice(ids).flatten().numpy()
        return wave[:: max(1, round(speed * 2))] * self.volume

    async def stream(self, text: str, speed: float = 1.0) -> AsyncGenerator[bytes, None]:
        for sentence in self.sentences(text):
            logger.info("speaking %r", sentence)
            wave = await asyncio.to_thread(self.speak, sentence, speed)
            yield (wave * 32767).astype(np.int16).tobytes()
