import joblib
import numpy as np
import torch
from sklearn.linear_model import LogisticRegression

torch.manual_seed(4)


class Embedder(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.words = torch.nn.Embedding(50, 6)

    def forward(self, ids):
        return self.words(ids).mean(1)


torch.jit.script(Embedder()).save("embedder.pt")
matrix = np.random.default_rng(0).standard_normal((7, 6)).astype(np.float32)
pairs = np.hstack([np.repeat(matrix, 7, axis=0), np.tile(matrix, (7, 1))])
joblib.dump(LogisticRegression().fit(pairs, np.eye(7, dtype=int).ravel()), "reranker.joblib")
np.save("documents.npy", matrix)
