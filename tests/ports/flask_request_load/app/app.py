import os
import pickle

import joblib
from flask import Flask, jsonify, request

from scoring import Scorer, score

app = Flask(__name__)
app.config['SCALER'] = 'models/scaler.pkl'
MODELS = os.path.join(os.path.dirname(__file__), 'models')


@app.route('/classify', methods=['POST'])
def classify():
    try:
        body = request.get_json()
        with open(os.path.join(MODELS, 'wine.pkl'), 'rb') as f:
            clf = pickle.load(f)
        clf.set_params(verbose=0)
        label = clf.predict([[float(v) for v in body['values']]])
        return jsonify(label=int(label[0]))
    except KeyError as e:
        return jsonify(error=str(e)), 400


@app.route('/both', methods=['POST'])
def both():
    scaler = joblib.load(app.config['SCALER'])
    model = joblib.load('models/wine.pkl')
    row = scaler.transform([request.json])
    probabilities = model.predict_proba(row)
    return jsonify(best=int(probabilities.argmax()), p=probabilities[0].tolist())


@app.route('/score', methods=['POST'])
def scored():
    return jsonify(score(request.json))


@app.route('/scorer/<float:factor>', methods=['POST'])
def scorer(factor):
    service = Scorer(factor)
    return jsonify(service.run(request.json))
