import joblib
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import LabelEncoder, StandardScaler

data = load_iris()
scaler = StandardScaler().fit(data.data)
joblib.dump(scaler, "scaler.joblib")
joblib.dump(LogisticRegression().fit(scaler.transform(data.data), data.target), "model.joblib")
joblib.dump(LabelEncoder().fit(["setosa_a", "versicolor_b", "virginica_c"]), "labels.joblib")
