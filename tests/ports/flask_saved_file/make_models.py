import pickle

import numpy as np
from PIL import Image
from sklearn.linear_model import LogisticRegression

rng = np.random.default_rng(2)
x = rng.uniform(0, 1, (60, 16))
pickle.dump(LogisticRegression().fit(x, (x.mean(axis=1) > 0.5).astype(int)), open("shades.pkl", "wb"))
Image.fromarray(rng.integers(0, 255, (9, 9, 3), dtype=np.uint8)).save("uploads/kept.png")
