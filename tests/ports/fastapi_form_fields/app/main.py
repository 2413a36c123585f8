import joblib
import numpy as np
from fastapi import FastAPI, Form
from fastapi.responses import HTMLResponse, JSONResponse

app = FastAPI()

bundle = joblib.load("bundle.joblib")
model = bundle["model"]
scaler = bundle["scaler"]

PAGE = "<html><body><h1>{title}</h1><p>{text}</p></body></html>"


@app.get("/", response_class=HTMLResponse)
async def form():
    return PAGE.format(title="Yield", text="fill in")


@app.post("/yield", response_class=HTMLResponse)
async def crop_yield(width: float = Form(...), height: float = Form(...), age: int = Form(1)):
    x = scaler.transform(np.array([[width, height, age]]))
    y = model.predict(x)
    return PAGE.format(title="Yield", text=f"{y[0]:.2f} t")


@app.get("/yield.json")
def crop_yield_json(width: float, height: float, age: int = 1):
    if width <= 0 or height <= 0:
        return JSONResponse(status_code=400, content={"error": "width and height must be positive"})
    y = float(model.predict(scaler.transform([[width, height, age]]))[0])
    return {"yield": round(y, 3)}
