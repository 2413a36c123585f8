import os

from dotenv import load_dotenv
from starlette.config import Config

load_dotenv()

config = Config("house.env")
MODEL = config("MODEL", default="no.joblib")
UNIT = float(os.getenv("UNIT", "1"))
