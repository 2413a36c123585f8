import json

import joblib
import numpy as np
from flask import Flask, Response, jsonify, request, stream_with_context

app = Flask(__name__)
vectorizer = joblib.load("vectorizer.joblib")
model = joblib.load("next_word.joblib")


@app.route("/health")
def health():
    return jsonify(status="ok")


@app.route("/continue", methods=["POST"])
def continue_text():
    data = request.get_json()
    if "text" not in data:
        return jsonify(error="text is missing"), 400
    count = int(data.get("count", 5))

    def words():
        last = data["text"].lower().split()
        for _ in range(count):
            word = model.predict(vectorizer.transform([" ".join(last[-2:])]))[0]
            last.append(word)
            yield word + " "

    return Response(words(), mimetype="text/plain")


@app.route("/score", methods=["POST"])
def score():
    @stream_with_context
    def rows():
        texts = request.get_json()
        yield json.dumps({"total": len(texts)}) + "\n"
        best = 0.0
        for number, text in enumerate(texts, 1):
            proba = model.predict_proba(vectorizer.transform([text]))
            top = float(np.max(proba))
            best = max(best, top)
            yield json.dumps({"done": number, "word": str(model.classes_[int(np.argmax(proba))]), "proba": round(top, 6)}) + "\n"
        app.logger.info("best %s", best)
        yield json.dumps({"best": round(best, 6)}) + "\n"

    return Response(rows(), mimetype="application/x-ndjson", headers={"X-Accel-Buffering": "no"})
