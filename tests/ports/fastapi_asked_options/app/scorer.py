import joblib


class Scorer:
    def __init__(self):
        self.model = joblib.load("model.joblib")

    def score(self, rows, unit, digits):
        options = {"digits": 2}
        if unit:
            options["unit"] = unit
        if digits:
            options["digits"] = digits
        values = self.model.predict(rows)
        result = {"unit": options.get("unit", self.model.feature_names_in_[0]), "values": []}
        for value in values:
            result["values"].append(round(float(value), options["digits"]))
        return {**result, "asked": len(rows)}
