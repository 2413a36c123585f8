import os
from dataclasses import dataclass

import joblib
from flask import Blueprint, Flask, current_app, jsonify, request

bp = Blueprint("sentiment", __name__, url_prefix="/api")


@dataclass
class Config:
    model_path: str = "sentiment.joblib"
    threshold: float = 0.6
    max_chars: int = 200


class SentimentService:
    def __init__(self, model_path: str, threshold: float):
        self.pipeline = joblib.load(model_path)
        self.threshold = threshold

    def analyse(self, text: str) -> dict:
        cleaned = " ".join(text.lower().split())
        probability = self.pipeline.predict_proba([cleaned])[0, 1]
        if probability >= self.threshold:
            label = "positive"
        elif probability <= 1 - self.threshold:
            label = "negative"
        else:
            label = "neutral"
        return {"label": label, "score": round(float(probability), 4)}


@bp.route("/sentiment", methods=["POST"])
def sentiment():
    text = request.form.get("text") or (request.get_json(silent=True) or {}).get("text", "")
    if not text:
        return jsonify(error="text is required"), 400
    if len(text) > current_app.config["MAX_CHARS"]:
        return jsonify(error="too long"), 413
    service = current_app.extensions["sentiment"]
    return jsonify(service.analyse(text))


@bp.route("/ping")
def ping():
    return jsonify(ok=True)


def create_app(config: Config = None, **overrides):
    config = config or Config()
    app = Flask(__name__)
    app.config["MAX_CHARS"] = config.max_chars
    app.config.update(overrides)
    app.extensions["sentiment"] = SentimentService(config.model_path, config.threshold)
    app.register_blueprint(bp)
    return app
