import pickle

import numpy as np
from sklearn.tree import DecisionTreeClassifier

x = np.random.default_rng(0).uniform(0, 8, (150, 4))
pickle.dump(DecisionTreeClassifier(max_depth=4).fit(x, (x[:, 2] > 2).astype(int) + (x[:, 2] > 5)), open("flowers.pkl", "wb"))
