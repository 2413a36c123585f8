import numpy as np
from flask import Blueprint, current_app, jsonify, request

main = Blueprint('main', __name__)


@main.route('/')
def index():
    return jsonify(service='fraud', threshold=current_app.config['THRESHOLD'])


@main.route('/score', methods=['POST'])
def score():
    data = request.get_json()
    amount, hour = data['amount'], data['hour']
    model = current_app.config['MODEL']
    p = model.predict_proba(np.array([[amount, hour]], dtype='float64'))[0][1]
    label = current_app.config['LABELS'][int(p >= current_app.config['THRESHOLD'])]
    return jsonify({'score': float(p), 'label': label})
