from flask import Flask, jsonify, render_template, request

import constants
import utils
from utils import load_pickle, preprocess

app = Flask(__name__)

model = load_pickle(constants.MODEL_FILE)
cv = load_pickle(constants.VECTORIZER_FILE)


@app.route("/")
def home():
    return render_template("home.html")


@app.route("/predict", methods=["POST"])
def predict():
    message = request.form["message"]
    if utils.too_long(message):
        return render_template("home.html", error="message is too long"), 413
    vect = cv.transform([utils.preprocess(message)])
    my_prediction = model.predict(vect)
    return render_template("result.html", prediction=my_prediction[0])


@app.route("/api/predict", methods=["POST"])
def api_predict():
    messages = request.get_json()["messages"]
    data = [preprocess(m) for m in messages]
    proba = model.predict_proba(cv.transform(data))
    return jsonify([{"message": m, "spam": round(p[1], 3)} for m, p in zip(messages, proba)])
