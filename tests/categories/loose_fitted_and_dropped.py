"""loose: fitted and dropped."""

import numpy as np
from flask import Flask, jsonify, request
from sklearn.linear_model import LinearRegression

app = Flask(__name__)


@app.post("/p")
def p():
    x = np.array(request.get_json())
    m = LinearRegression()
    m.fit(x, x)
    return jsonify(m.predict(x + 1).tolist())
