import joblib
import numpy as np
from sklearn.ensemble import RandomForestClassifier
from sklearn.preprocessing import StandardScaler

rows = np.random.default_rng(0).normal(size=(60, 2))
lean = StandardScaler().fit(rows)
forest = RandomForestClassifier(5, random_state=0).fit(lean.transform(rows), (rows.sum(axis=1) > 0).astype(int))
joblib.dump((forest, lean), "forest.joblib")
