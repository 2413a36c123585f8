import os
import pickle

import joblib
import numpy as np
from sklearn.ensemble import RandomForestClassifier
from sklearn.preprocessing import StandardScaler

rng = np.random.default_rng(5)
x = rng.uniform(0, 10, (90, 3))
y = (x[:, 0] > 5).astype(int) + (x[:, 1] > 7)
os.makedirs("models", exist_ok=True)




model = RandomForestClassifier(n_estimators=4, random_state=0).fit(x, y)
pickle.dump(model, open("models/wine.pkl", "wb"))
joblib.dump(StandardScaler().fit(x), "models/scaler.pkl")
