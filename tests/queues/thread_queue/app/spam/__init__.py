from flask import Flask

from .worker import Worker


def create_app():
    app = Flask(__name__)
    worker = Worker()
    worker.start()
    app.extensions["worker"] = worker

    from .views import bp

    app.register_blueprint(bp, url_prefix="/api")
    return app
