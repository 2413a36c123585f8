import joblib
import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

rng = np.random.default_rng(3)
x = rng.normal(size=(120, 4))
y = np.array(["setosa", "versicolor", "virginica"])[np.digitize(x[:, 0] + x[:, 1], [-0.7, 0.7])]
joblib.dump(Pipeline([("scale", StandardScaler()), ("clf", LogisticRegression())]).fit(x, y), "model.joblib")
