import joblib


class Scorer:
    def __init__(self, factor, path='models/wine.pkl'):
        self.factor = factor
        self.model = joblib.load(path)

    def run(self, row):
        found = self.model.predict_proba([row])
        return {'score': round(self.factor * float(found[0].max()), 4)}


def score(row, model_path='models/wine.pkl'):
    model = joblib.load(model_path)
    model.set_params(n_jobs=1)
    return {'class': str(model.predict([row])[0])}
