import os

basedir = os.path.abspath(os.path.dirname(__file__))


class Config:
    MODEL_PATH = os.path.join(basedir, 'artifacts', 'fraud.joblib')
    THRESHOLD = float(os.environ.get('FRAUD_THRESHOLD', '0.5'))
    LABELS = {0: 'ok', 1: 'fraud'}
