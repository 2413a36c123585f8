import pickle

import numpy as np
from flask import Flask, jsonify, request

app = Flask(__name__)
model = pickle.load(open('flowers.pkl', 'rb'))
names = ['setosa', 'versicolor', 'virginica']


def data_from(req):
    body = req.get_json()
    return np.array([body['sizes']], dtype=float)


@app.route('/predict', methods=['POST'])
def predict():
    return jsonify({'y': model.predict(request.json).tolist()})


@app.route('/proba', methods=['POST'])
def proba():
    return jsonify(model.predict_proba(np.array(request.get_json()['rows'])).tolist())


@app.route('/form', methods=['POST'])
def form():
    return names[int(model.predict([[float(request.form['a']), float(request.form['b']), 1.0, float(request.form.get('d', 0.2))]])[0])]


@app.route('/helper', methods=['POST'])
def helper():
    found = model.predict(data_from(request))
    return {'name': names[int(found[0])], 'user': request.args.get('user', 'nobody')}


@app.route('/query')
def query():
    try:
        return str(model.predict(np.array([request.args.getlist('x', type=float)]))[0])
    except ValueError:
        return 'bad row', 400


@app.route('/raw', methods=['POST'])
def raw():
    return str(model.predict(np.frombuffer(request.data, dtype='<f8').reshape(1, -1))[0])
