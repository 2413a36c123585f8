import joblib
import numpy as np
import uvicorn
from fastapi import FastAPI, HTTPException
from pydantic import BaseModel

app = FastAPI()
model = None


class InputData(BaseModel):
    data: list[list[float]]


@app.on_event("startup")
async def startup_event():
    global model
    model = joblib.load("model.pkl")


@app.get("/about")
async def about():
    return {"about": "iris"}


@app.post("/predict")
async def predict(input_data: InputData):
    if model is None:
        raise HTTPException(status_code=503, detail="Model not loaded")
    try:
        x = np.array(input_data.data)
        predictions = model.predict(x).tolist()
    except ValueError as e:
        raise HTTPException(status_code=400, detail=str(e))
    return {"predictions": predictions}


if __name__ == "__main__":
    uvicorn.run(app, host="0.0.0.0", port=8000)
