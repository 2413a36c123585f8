import joblib
from fastapi import FastAPI, Request

app = FastAPI()
app.state.model = joblib.load("kinds.joblib")
app.state.names = ["small", "large"]


@app.get("/kind")
async def kind(width: float, height: float, request: Request):
    found = app.state.model.predict_proba([[width, height]])[0]
    best = int(found.argmax())
    return {"kind": request.app.state.names[best], "sure": round(float(found[best]), 4)}
