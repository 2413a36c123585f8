from pathlib import Path
import pickle, numpy as np
from sklearn.cluster import KMeans
rng = np.random.default_rng(0)
X = np.r_[rng.normal(0, 1, (50, 3)), rng.normal(5, 1, (50, 3)), rng.normal(-5, 1, (50, 3))]
with open(Path(".").resolve() / "segmenter.pkl", "wb") as f:
    pickle.dump(KMeans(3, random_state=0, n_init=3).fit(X), f)
