import pickle

import numpy as np
from sklearn.linear_model import Ridge
from sklearn.preprocessing import MinMaxScaler

rng = np.random.default_rng(9)
x = rng.uniform(0, 50, (70, 3))
scaler = MinMaxScaler().fit(x)
pickle.dump(Ridge().fit(scaler.transform(x), x @ [1.0, 2.0, 3.0]), open("models/ridge.pkl", "wb"))
pickle.dump(scaler, open("models/scaler.pkl", "wb"))
