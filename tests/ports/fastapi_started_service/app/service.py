import joblib


class Scorer:
    def __init__(self, path: str):
        self.path = path
        self.model = None
        self.columns = None

    async def keep(self, columns: list[int]) -> None:
        self.columns = columns

    def load(self) -> bool:
        self.model = joblib.load(self.path)
        return True

    def score(self, rows: list[list[float]]) -> list[int]:
        kept = [[row[i] for i in self.columns] for row in rows]
        found = self.model.predict_proba(kept)
        return [int(i) for i in found.argmax(axis=1)]
