import os
import logging
import joblib
import numpy as np
from flask import Flask, request, jsonify

logging.basicConfig(level=logging.INFO)
logger = logging.getLogger(__name__)

app = Flask(__name__)

MODEL_DIR = os.path.join(os.path.dirname(__file__), 'models')
FEATURES = ['N', 'P', 'K', 'rainfall']

try:
    model = joblib.load(os.path.join(MODEL_DIR, 'crop_model.joblib'))
    scaler = joblib.load(os.path.join(MODEL_DIR, 'scaler.joblib'))
    label_encoder = joblib.load(os.path.join(MODEL_DIR, 'label_encoder.joblib'))
    logger.info("Models loaded successfully")
except Exception as e:
    logger.error(f"Error loading models: {e}")
    model = None


@app.route('/health', methods=['GET'])
def health():
    return jsonify({'status': 'healthy', 'model_loaded': model is not None})


@app.route('/recommend', methods=['POST'])
def recommend():
    if model is None:
        return jsonify({'error': 'Model not loaded'}), 503
    try:
        data = request.get_json()
        if not data:
            return jsonify({'error': 'No data provided'}), 400
        missing = [f for f in FEATURES if f not in data]
        if missing:
            return jsonify({'error': f'Missing fields: {", ".join(missing)}'}), 400

        features = np.array([[float(data[f]) for f in FEATURES]])
        scaled = scaler.transform(features)
        prediction = model.predict(scaled)
        probabilities = model.predict_proba(scaled)[0]
        crop = label_encoder.inverse_transform(prediction)[0]
        top = np.argsort(probabilities)[::-1][:2]
        logger.info("recommended %s", crop)
        return jsonify({
            'crop': crop,
            'confidence': float(np.max(probabilities)),
            'alternatives': [{'crop': label_encoder.inverse_transform([i])[0], 'probability': round(float(probabilities[i]), 4)} for i in top],
        })
    except ValueError as e:
        return jsonify({'error': str(e)}), 400
    except Exception as e:
        logger.exception("prediction failed")
        return jsonify({'error': str(e)}), 500


if __name__ == '__main__':
    app.run(host='0.0.0.0', port=5000)
