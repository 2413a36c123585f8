def labels(model, rows):
    return model.predict(rows).astype(int)


def scaled(model, rows):
    return [round(float(score), 6) for score in model.predict(rows)]
