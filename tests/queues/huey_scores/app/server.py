from flask import Flask, jsonify, request
from huey.exceptions import TaskException

from tasks import huey, mood, redis, words

app = Flask(__name__)


@app.get("/up")
def up():
    return "up"


@app.post("/moods")
def submit():
    text = request.get_json()["text"]
    if len(text) > 200:
        return jsonify(error="too long"), 413
    return jsonify(id=mood(text).id), 202


@app.post("/later")
def later():
    task = mood.schedule(args=(request.get_json()["text"],), delay=0.2, priority=2)
    return jsonify(id=task.id), 202


@app.post("/words")
def count():
    return jsonify(words=words(request.get_json()["text"])(blocking=True, timeout=180))


@app.get("/moods/<task_id>")
def result(task_id):
    try:
        found = huey.result(task_id)
    except TaskException as failed:
        tries = int(redis.hget("tries", task_id))
        if tries < 3:
            return jsonify(state="retrying")
        return jsonify(state="failed", error=failed.metadata["error"], tries=tries)
    return jsonify(state="pending") if found is None else jsonify(state="done", **found)
