import os

import joblib
from flask import Flask


def create_app(test_config=None):
    app = Flask(__name__)
    app.config.from_mapping(MODEL_PATH=os.environ.get("MODEL_PATH", "house.joblib"), CURRENCY="EUR")
    if test_config:
        app.config.update(test_config)

    app.model = joblib.load(app.config["MODEL_PATH"])

    from .api import bp
    app.register_blueprint(bp, url_prefix="/api/v1")

    @app.route("/healthz")
    def healthz():
        return {"ok": True}

    return app
