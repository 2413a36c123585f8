import json
import pickle
import traceback

import numpy as np
from flask import Flask, Response, request

app = Flask(__name__)

filename = 'diabetes.sav'
loaded_model = pickle.load(open(filename, 'rb'))


def predict_diabetes(features):
    arr = np.array(features).reshape(1, -1)
    prediction = loaded_model.predict(arr)
    confidence = loaded_model.predict_proba(arr)
    return prediction, confidence


@app.route('/diabetes/v1/predict', methods=['POST'])
def predict():
    try:
        features = request.json
        features_list = [features["BMI"], features["Glucose"], features["Age"], features["Insulin"], features["BP"]]
        prediction, confidence = predict_diabetes(features_list)
        response = {}
        response['prediction'] = int(prediction[0])
        response['confidence'] = str(round(np.amax(confidence[0]) * 100, 2))
        return Response(json.dumps(response), mimetype='application/json')
    except Exception as e:
        return Response(json.dumps({'trace': traceback.format_exc().strip().splitlines()[-1], 'error': str(e)}), status=500,
                        mimetype='application/json')


@app.route('/diabetes/v1/list', methods=['POST'])
def predict_list():
    data = json.loads(request.data)
    result = loaded_model.predict(np.array(data).reshape(1, -1))
    return json.dumps(result.tolist())


@app.route('/version')
def version():
    return {'version': 1, 'model': filename}
