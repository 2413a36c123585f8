from functools import lru_cache

import joblib


@lru_cache()
def get_model():
    return joblib.load("ml/iris.joblib")
