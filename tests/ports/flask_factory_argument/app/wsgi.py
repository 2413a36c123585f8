import os

from webapp import Config, create_app

app = create_app(Config(threshold=float(os.environ.get("THRESHOLD", "0.55"))))
