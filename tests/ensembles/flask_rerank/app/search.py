import zlib

import joblib
import numpy as np
import torch

DOCUMENTS = [
    "how to train a dog",
    "feeding your cat",
    "birds in winter",
    "fox holes and dens",
    "dog food compared",
    "cat toys",
    "owl calls at night",
]


class Searcher:
    def __init__(self):
        self.embedder = torch.jit.load("embedder.pt").eval()
        self.reranker = joblib.load("reranker.joblib")
        self.matrix = np.load("documents.npy")

    def embed(self, text: str) -> np.ndarray:
        ids = [zlib.crc32(word.encode()) % 50 for word in text.lower().split()]
        with torch.no_grad():
            return self.embedder(torch.tensor([ids])).numpy()

    def nearest(self, vector: np.ndarray) -> dict:
        similar = self.matrix @ vector[0]
        ids = np.argsort(-similar, kind="stable")[:4]
        return {"ids": ids.tolist(), "similar": similar[ids].tolist()}

    def rerank(self, vector: np.ndarray, candidates: dict) -> np.ndarray:
        pairs = np.hstack([np.repeat(vector, len(candidates["ids"]), axis=0), self.matrix[candidates["ids"]]])
        return self.reranker.predict_proba(pairs)[:, 1]

    def rank(self, candidates: dict, scores: np.ndarray) -> list:
        ranked = sorted(zip(candidates["ids"], scores.tolist()), key=lambda pair: -pair[1])
        return [{"text": DOCUMENTS[i], "score": round(score, 6)} for i, score in ranked]
