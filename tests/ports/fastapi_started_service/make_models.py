import joblib
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier

x, y = load_iris(return_X_y=True)
joblib.dump(RandomForestClassifier(7, random_state=0).fit(x, y), "forest.joblib")
