import joblib
import numpy as np
from sklearn.cluster import KMeans

rng = np.random.default_rng(12)
joblib.dump(KMeans(3, n_init=3, random_state=0).fit(np.concatenate([rng.normal(c, 0.3, (20, 2)) for c in (0, 3, 6)])), "segments.joblib")
