import pickle

import numpy as np
from sklearn.ensemble import GradientBoostingClassifier

rng = np.random.default_rng(13)
x = rng.uniform(0, 200, (120, 5))
pickle.dump(GradientBoostingClassifier(n_estimators=10, random_state=0).fit(x, (x[:, 1] > 110).astype(int)), open("diabetes.sav", "wb"))
