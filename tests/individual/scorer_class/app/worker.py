import json
import sys

import joblib


class Scorer:
    def __init__(self, path="price.joblib"):
        self.model = joblib.load(path)
        self.seen = 0

    def handle(self, message):
        self.seen += 1
        features = [[message["rooms"], message["area"]]]
        return {"id": message["id"], "price": round(float(self.model.predict(features)[0]), 3)}

    def run(self, stream):
        for line in stream:
            print(json.dumps(self.handle(json.loads(line))), flush=True)


if __name__ == "__main__":
    scorer = Scorer()
    scorer.run(sys.stdin)
    print(f"{scorer.seen} messages", file=sys.stderr)
