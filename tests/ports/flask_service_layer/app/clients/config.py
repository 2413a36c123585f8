from pathlib import Path


class Config:
    LEAVING_MODEL = Path(__file__).parent / "leaving.joblib"
    WORTH_MODEL = Path(__file__).parent / "worth.pth"
    THRESHOLD = 0.5


class Production(Config):
    THRESHOLD = 0.4


CONFIGS = {"development": Config, "production": Production}
