import joblib
import numpy as np
from flask import Flask, jsonify, request
from flask_restful import Api, Resource, abort

app = Flask(__name__)
api = Api(app, prefix="/v1")
model = joblib.load("model.joblib")


def score(row):
    return round(float(model.predict_proba(np.array([row], dtype=np.float64))[0, 1]), 4)


class Score(Resource):
    def post(self):
        body = request.get_json()
        if "row" not in body:
            abort(400, message="no row")
        return {"p": score(body["row"])}


api.add_resource(Score, "/score")


@app.post("/plain")
def plain():
    return jsonify(p=score(request.get_json()["row"]))


@app.get("/up")
def up():
    return "up"
