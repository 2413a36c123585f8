import joblib
from flask import Flask, jsonify, request

app = Flask(__name__)
words = joblib.load("words.joblib")
spam_model = joblib.load("spam.joblib")
topic_model = joblib.load("topic.joblib")


@app.route("/mail", methods=["POST"])
def mail():
    text = str(request.json["text"])
    features = words.transform([text])
    suspicion = float(spam_model.predict_proba(features)[0, 1])
    if suspicion > 0.5:
        return jsonify(spam=True, suspicion=round(suspicion, 6)), 202
    if "urgent" in text:
        return jsonify(spam=False, topic="urgent")
    dense = words.transform([text.lower()]).toarray()
    topic = topic_model.predict(dense)[0]
    return jsonify(spam=False, topic=str(topic), suspicion=round(suspicion, 6))


@app.route("/batch", methods=["POST"])
def batch():
    mails = request.json["mails"]
    found = []
    for position, text in enumerate(mails):
        suspicion = spam_model.predict_proba(words.transform([text]))[0, 1]
        found.append({"position": position, "spam": bool(suspicion > 0.5)})
    return jsonify(found)
