import joblib
import numpy as np
from sklearn.neighbors import KNeighborsClassifier

rng = np.random.default_rng(18)
joblib.dump(KNeighborsClassifier(1).fit(rng.random((30, 48)), rng.choice(["leaf", "flower", "fruit"], 30)), "models/knn.pkl")
