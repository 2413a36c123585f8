import os
import pickle

import numpy as np


class ModelNotLoaded(Exception):
    pass


class ModelService:
    FEATURES = ("temperature", "humidity", "wind")

    def __init__(self, model_dir="models"):
        self.model_dir = model_dir
        self.model = self._load("ridge.pkl")
        self.scaler = self._load("scaler.pkl")

    def _load(self, name):
        with open(os.path.join(self.model_dir, name), "rb") as f:
            return pickle.load(f)

    def prepare(self, data):
        values = [float(data[name]) for name in self.FEATURES]
        return self.scaler.transform(np.array(values).reshape(1, -1))

    def predict(self, data):
        if self.model is None:
            raise ModelNotLoaded("no model")
        x = self.prepare(data)
        y = self.model.predict(x)
        return {"energy": round(float(y[0]), 3), "features": dict(zip(self.FEATURES, x[0].tolist()))}
