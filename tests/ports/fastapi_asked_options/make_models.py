import joblib
import pandas as pd
from sklearn.linear_model import LinearRegression

rows = pd.DataFrame({"cm": [0.0, 1.0, 2.0, 3.0], "kg": [1.0, 0.0, 4.0, 2.0]})
joblib.dump(LinearRegression().fit(rows, [0.123456, 1.7, 4.2, 5.05]), "model.joblib")
