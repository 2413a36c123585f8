import joblib
import numpy as np
from fastapi import FastAPI
from prometheus_client import Counter, Gauge, Histogram, make_asgi_app
from pydantic import BaseModel

app = FastAPI()
app.mount("/metrics", make_asgi_app())
model = joblib.load("model.joblib")
scaler = joblib.load("scaler.joblib")
ROWS = Counter("rows_scored", "Rows that were scored", ["label"])
SCALING = Histogram("scaling_seconds", "Time to scale", buckets=(0.1, 10.0))
LAST = Gauge("last_spread", "Spread of the last rows", namespace="iris")


class Body(BaseModel):
    rows: list[list[float]]


@SCALING.time()
def scaled(rows):
    x = scaler.transform(np.asarray(rows, dtype=np.float64))
    LAST.set(float(np.ptp(x)))
    return x


@app.post("/score")
def score(body: Body):
    labels = model.predict(scaled(body.rows))
    for label in labels:
        ROWS.labels(label=str(label)).inc()
    return {"labels": labels.tolist()}
