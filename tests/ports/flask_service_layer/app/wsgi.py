import os

from clients import create_app

app = create_app(os.getenv("CLIENTS_ENV", "production"))
