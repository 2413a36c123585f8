import joblib
import numpy as np
from sklearn.ensemble import RandomForestClassifier
from sklearn.preprocessing import StandardScaler

rng = np.random.default_rng(4)
x = rng.uniform((0, 0), (100, 10), size=(120, 2))
scaler = StandardScaler().fit(x)
forest = RandomForestClassifier(8, random_state=0).fit(scaler.transform(x), (x[:, 0] + 8 * x[:, 1] > 90).astype(int))
joblib.dump((scaler, forest), "forest.joblib")
