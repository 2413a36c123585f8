import logging

import joblib
import numpy as np
from flask import Flask, jsonify, request
from flask.views import MethodView

log = logging.getLogger(__name__)


class BikeModel:
    FEATURES = ("temp", "humidity", "windspeed", "hour")
    VERSION = "1.2"

    def __init__(self, path):
        bundle = joblib.load(path)
        self.scaler = bundle["scaler"]
        self.regressor = bundle["regressor"]

    def vector(self, args):
        missing = [f for f in self.FEATURES if f not in args]
        if missing:
            raise KeyError(", ".join(missing))
        values = [args.get(f, type=float) for f in self.FEATURES]
        if any(v is None for v in values):
            raise ValueError("not a number")
        return np.array(values).reshape(1, -1)

    def predict(self, x):
        return float(self.regressor.predict(self.scaler.transform(x))[0])


class Demand(MethodView):
    init_every_request = False

    def __init__(self, model):
        self.model = model

    def get(self):
        try:
            x = self.model.vector(request.args)
        except KeyError as e:
            return jsonify(error=f"missing {e.args[0]}"), 400
        except ValueError as e:
            return jsonify(error=str(e)), 422
        demand = self.model.predict(x)
        unit = request.args.get("unit", "hour")
        if unit == "day":
            demand *= 24
        log.info("demand %.2f", demand)
        return jsonify(demand=round(demand, 3), unit=unit, version=self.model.VERSION)


class Health(MethodView):
    def get(self):
        return jsonify(status="up")


app = Flask(__name__)
model = BikeModel("bikes.joblib")
app.add_url_rule("/demand", view_func=Demand.as_view("demand", model))
app.add_url_rule("/health", view_func=Health.as_view("health"))
