"""flag not-re-entrant."""

import joblib
import numpy as np
from flask import Flask, jsonify, request

app = Flask(__name__)
model = joblib.load("model.pkl")


class S:
    def go(self, x):
        self.x = x * 2
        return model.predict(self.x)


s = S()


@app.post("/p")
def p():
    x = np.array(request.get_json())
    return jsonify(s.go(x).tolist())
