import joblib


class Labels:
    def __init__(self, path):
        self.encoder = joblib.load(path)

    def of(self, found):
        return self.encoder.inverse_transform(found).tolist()


def tidy(name):
    return name.replace("_", " ").title()
