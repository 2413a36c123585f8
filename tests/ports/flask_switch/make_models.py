import joblib
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

data = load_iris()
scaler = StandardScaler().fit(data.data)
joblib.dump(scaler, "scaler.joblib")
joblib.dump(LogisticRegression(max_iter=500).fit(scaler.transform(data.data), data.target), "model.joblib")
