import asyncio
import logging

import torch

logger = logging.getLogger("batcher")
MAX_BATCH = 16
MAX_WAIT = 0.01


class Batcher:
    def __init__(self, path):
        self.queue = asyncio.Queue()
        self.net = torch.jit.load(path)
        self.net.eval()

    async def predict(self, features):
        future = asyncio.get_running_loop().create_future()
        await self.queue.put((features, future))
        return await future

    async def run(self):
        while True:
            items = [await self.queue.get()]
            deadline = asyncio.get_running_loop().time() + MAX_WAIT
            while len(items) < MAX_BATCH:
                left = deadline - asyncio.get_running_loop().time()
                if left <= 0:
                    break
                try:
                    items.append(await asyncio.wait_for(self.queue.get(), left))
                except asyncio.TimeoutError:
                    break
            try:
                inputs = torch.tensor([features for features, _ in items], dtype=torch.float32)
                with torch.inference_mode():
                    outputs = self.net(inputs)
                scores = torch.sigmoid(outputs).squeeze(1).tolist()
            except Exception as error:
                logger.exception("batch failed")
                for _, future in items:
                    future.set_exception(error)
                continue
            for (_, future), score in zip(items, scores):
                future.set_result(score)
