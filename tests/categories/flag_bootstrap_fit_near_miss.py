"""no flag bootstrap-fit."""

import numpy as np
from flask import Flask, jsonify, request
from sklearn.linear_model import LinearRegression

app = Flask(__name__)

m = LinearRegression()
m.fit([[0], [1]], [0, 1])


@app.post("/p")
def p():
    x = np.array(request.get_json())
    return jsonify(m.predict(x).tolist())
