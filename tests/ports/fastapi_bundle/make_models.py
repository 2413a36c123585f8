import joblib
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

x, y = load_iris(return_X_y=True)
scaler = StandardScaler().fit(x)
joblib.dump({"scaler": scaler, "model": LogisticRegression(max_iter=300).fit(scaler.transform(x), y), "names": ["setosa", "versicolor", "virginica"]}, "m.joblib")
