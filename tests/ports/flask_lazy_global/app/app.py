import re

import joblib
from flask import Flask, request, jsonify

app = Flask(__name__)

_model = None
_vectorizer = None


def load_model():
    global _model, _vectorizer
    if _model is None:
        _model = joblib.load('sentiment.pkl')
        _vectorizer = joblib.load('vectorizer.pkl')
    return _model, _vectorizer


def clean(text):
    return re.sub(r'[^a-z ]+', ' ', text.lower()).strip()


@app.route('/status')
def status():
    return jsonify(status='up')


@app.route('/analyze', methods=['GET', 'POST'])
def analyze():
    if request.method == 'GET':
        text = request.args.get('text', '')
    else:
        text = (request.get_json(silent=True) or {}).get('text', '')
    if not text:
        return jsonify({'error': 'text is required'}), 400
    model, vectorizer = load_model()
    features = vectorizer.transform([clean(text)])
    score = model.predict_proba(features)[0][1]
    sentiment = 'positive' if score > 0.5 else 'negative'
    return jsonify({'text': text, 'sentiment': sentiment, 'score': round(float(score), 4)})
