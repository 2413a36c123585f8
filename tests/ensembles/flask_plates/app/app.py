from flask import Flask, jsonify, request

import plates

app = Flask(__name__)


@app.route("/read", methods=["POST"])
def read():
    pixels = request.get_json()["pixels"]
    return jsonify(plates=plates.read_plates(pixels))
