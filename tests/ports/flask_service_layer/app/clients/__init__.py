from flask import Flask, jsonify

from .config import CONFIGS
from .service import LeavingScorer, ServiceError
from .store import ClientStore

clients = ClientStore()
scorer = LeavingScorer()


def create_app(env):
    from .views import bp

    app = Flask(__name__)
    app.config.from_object(CONFIGS[env])
    app.json.ensure_ascii = False
    app.config["STARTED_AS"] = env
    clients.init_app(app)
    scorer.init_app(app)
    app.register_blueprint(bp)

    @app.errorhandler(ServiceError)
    def told(error):
        return jsonify(error=error.code, message=str(error)), error.status

    return app
