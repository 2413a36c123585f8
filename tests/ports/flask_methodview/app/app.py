import logging
import time

import joblib
import numpy as np
from flask import Flask, jsonify, request
from flask.views import MethodView

logging.basicConfig(format="%(asctime)s %(message)s")
log = logging.getLogger(__name__)

app = Flask(__name__)
kmeans = joblib.load("segments.joblib")
NAMES = ("new", "regular", "loyal")


class SegmentView(MethodView):
    def get(self):
        return jsonify(segments=list(NAMES))

    def post(self):
        started = time.time()
        body = request.get_json()
        if not isinstance(body, dict) or not {"recency", "frequency"} <= body.keys():
            return jsonify(message="recency and frequency are required"), 400
        point = np.array([body["recency"], body["frequency"]], dtype=np.float64)
        cluster = kmeans.predict(point[np.newaxis, :])[0]
        distance = kmeans.transform(point[np.newaxis, :]).min()
        log.info("segment in %.1f ms", 1000 * (time.time() - started))
        return jsonify(segment=NAMES[cluster], cluster=int(cluster), distance=round(float(distance), 4))


app.add_url_rule("/segment", view_func=SegmentView.as_view("segment"))
