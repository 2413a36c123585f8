from flask import Flask
import joblib

from config import Config


def create_app(config_class=Config):
    app = Flask(__name__)
    app.config.from_object(config_class)
    app.config['MODEL'] = joblib.load(app.config['MODEL_PATH'])

    from app.routes import main
    app.register_blueprint(main)
    return app
