import pickle

import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

rng = np.random.default_rng(25)
frame = pd.DataFrame(
    {"area": rng.uniform(30, 200, 90), "rooms": rng.integers(1, 6, 90), "city": rng.choice(["north", "south"], 90), "garden": rng.random(90) > 0.5}
)
prep = make_column_transformer((OneHotEncoder(), ["city"]), remainder="passthrough")
with open("rent.pkl", "wb") as file:
    pickle.dump(make_pipeline(prep, Ridge()).fit(frame, frame["area"] * 9 + frame["rooms"] * 40), file)
