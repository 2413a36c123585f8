import os
import pickle
from datetime import datetime

import numpy as np
from flask import Flask, g, jsonify, make_response, request

app = Flask(__name__)
MODEL_FILE = os.environ.get('LOAN_MODEL', os.path.join(app.root_path, 'loan_model.pkl'))
requests_seen = 0

with open(MODEL_FILE, 'rb') as f:
    clf = pickle.load(f)


@app.before_request
def start():
    global requests_seen
    requests_seen += 1
    g.started = datetime.now()


@app.after_request
def header(response):
    response.headers['X-Model'] = 'loan'
    return response


def validate(payload):
    errors = []
    for name in ('income', 'debt', 'age'):
        if name not in payload:
            errors.append(f'{name} is required')
        elif not isinstance(payload[name], (int, float)):
            errors.append(f'{name} must be a number')
    return errors


@app.route('/count')
def count():
    return jsonify(seen=requests_seen)


@app.route('/loan', methods=['POST'])
def loan():
    payload = request.get_json()
    errors = validate(payload)
    if errors:
        return make_response(jsonify(errors=errors), 422)
    row = np.array([[payload['income'], payload['debt'], payload['age']]])
    decision = clf.predict(row)[0]
    weights = dict(zip(['income', 'debt', 'age'], (clf.coef_[0] * row[0]).round(4)))
    if decision == 'rejected' and payload.get('explain'):
        return jsonify(decision=decision, because=min(weights, key=weights.get)), 200, {'X-Explained': 'yes'}
    return jsonify(decision=decision, request=requests_seen)
