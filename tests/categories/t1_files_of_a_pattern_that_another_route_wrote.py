"""T1: files of a pattern that another route wrote."""

from pathlib import Path

import joblib
import numpy as np
from fastapi import FastAPI, UploadFile

app = FastAPI()
model = joblib.load("model.pkl")
KEPT = Path("kept")


@app.post("/rows/{name}")
async def keep(name: str, file: UploadFile):
    (KEPT / f"{name}.npy").write_bytes(await file.read())


@app.get("/labels")
def labels():
    rows = [np.load(path) for path in KEPT.glob("*.npy")]
    return model.predict(np.stack(rows)).tolist()
