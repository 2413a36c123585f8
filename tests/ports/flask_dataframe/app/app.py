import pickle
from pathlib import Path

import pandas as pd
from flask import Flask, jsonify, request

BASE = Path(__file__).resolve().parent
COLUMNS = ["age", "tenure", "contract", "charges"]

app = Flask(__name__)

with open(BASE / "model" / "churn.pkl", "rb") as fh:
    pipeline = pickle.load(fh)


@app.get("/")
def index():
    return jsonify(columns=COLUMNS)


@app.post("/churn")
def churn():
    payload = request.get_json(silent=True)
    if payload is None:
        return jsonify(error="JSON expected"), 400
    try:
        df = pd.DataFrame([payload])[COLUMNS]
    except KeyError as e:
        return jsonify(error=f"missing columns: {e}"), 422
    df["contract"] = df["contract"].str.lower()
    pred = pipeline.predict(df)[0]
    proba = pipeline.predict_proba(df)[0, 1]
    return jsonify(churn=pred, probability=round(float(proba), 3))


@app.post("/churn/batch")
def churn_batch():
    df = pd.DataFrame(request.get_json(), columns=COLUMNS)
    df["probability"] = pipeline.predict_proba(df)[:, 1]
    return jsonify(df.to_dict(orient="records"))
