"""loose: rows of a table are a table of their own."""

import joblib
import pandas as pd
from flask import Flask, jsonify, request

app = Flask(__name__)
model = joblib.load("model.pkl")
users = pd.read_csv("users.csv")


@app.get("/p")
def p():
    rows = users[users["id"] == request.args["id"]]
    rows = rows.drop(columns="id")
    rows["score"] = model.predict_proba(rows)[:, 1]
    return jsonify(rows.sort_values("score").to_dict("records"))
