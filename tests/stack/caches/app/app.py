"""Scores behind every kind of cache that people use."""

import functools
import hashlib
import json
import os
import time

import joblib
import numpy as np
import redis
from cachetools import TTLCache, cached
from flask import Flask, jsonify, request
from flask_caching import Cache

app = Flask(__name__)
cache = Cache(app, config={"CACHE_TYPE": "SimpleCache"})
r = redis.Redis.from_url(os.environ.get("REDIS_URL", "redis://localhost:6379/0"))
seen = {}
kept = TTLCache(maxsize=100, ttl=60)
model = joblib.load("a.joblib")
ttl_model = joblib.load("b.joblib")
memo_model = joblib.load("c.joblib")
view_model = joblib.load("d.joblib")
redis_model = joblib.load("e.joblib")
dict_model = joblib.load("f.joblib")
clock_model = joblib.load("g.joblib")
own_model = joblib.load("h.joblib")


@functools.lru_cache(maxsize=128)
def lru(row):
    return float(model.predict_proba(np.array([row], dtype=np.float64))[0, 1])


@cached(kept)
def ttl(row):
    return float(ttl_model.predict_proba(np.array([row], dtype=np.float64))[0, 1])


@cache.memoize(timeout=60)
def memo(row):
    return float(memo_model.predict_proba(np.array([row], dtype=np.float64))[0, 1])


@app.post("/lru")
def on_lru():
    return jsonify(p=lru(tuple(request.get_json()["row"])))


@app.post("/ttl")
def on_ttl():
    return jsonify(p=ttl(tuple(request.get_json()["row"])))


@app.post("/memo")
def on_memo():
    return jsonify(p=memo(tuple(request.get_json()["row"])))


@app.get("/view")
@cache.cached(timeout=30, query_string=True)
def on_view():
    x = np.array([[float(v) for v in request.args["row"].split(",")]])
    return jsonify(p=float(view_model.predict_proba(x)[0, 1]))


@app.post("/redis")
def on_redis():
    row = request.get_json()["row"]
    key = "score:" + hashlib.sha1(json.dumps(row).encode()).hexdigest()
    found = r.get(key)
    if found is not None:
        return jsonify(json.loads(found))
    answer = {"p": float(redis_model.predict_proba(np.array([row], dtype=np.float64))[0, 1])}
    r.setex(key, 3600, json.dumps(answer))
    return jsonify(answer)


@app.post("/dict")
def on_dict():
    row = tuple(request.get_json()["row"])
    if row in seen:
        return jsonify(p=seen[row])
    p = float(dict_model.predict_proba(np.array([row], dtype=np.float64))[0, 1])
    seen[row] = p
    return jsonify(p=p)


@functools.lru_cache(maxsize=64)
def clocked(row):
    x = np.array([[*row, time.time() % 86400]], dtype=np.float64)
    return float(clock_model.predict_proba(x)[0, 1])


@app.post("/clock")
def on_clock():
    return jsonify(p=clocked(tuple(request.get_json()["row"])))


@app.post("/kept")
def on_kept():
    row = tuple(request.get_json()["row"])
    p = kept.get(row)
    if p is None:
        p = float(own_model.predict_proba(np.array([row], dtype=np.float64))[0, 1])
        kept[row] = p
    return jsonify(p=p)
