import joblib
import numpy as np
from fastapi import FastAPI
from prometheus_fastapi_instrumentator import Instrumentator

app = FastAPI()
Instrumentator(should_group_status_codes=False).instrument(app).expose(app)
model = joblib.load("model.joblib")


@app.post("/risk")
def risk(row: list[float]):
    return {"p": round(float(model.predict_proba(np.array([row], dtype=np.float64))[0, 1]), 4)}
