import pickle

import numpy as np
from sklearn.linear_model import LogisticRegression

rng = np.random.default_rng(30)
x = rng.normal(size=(80, 3))
pickle.dump(LogisticRegression().fit(x, np.where(x[:, 0] > 0, "approved", "rejected")), open("loan_model.pkl", "wb"))
