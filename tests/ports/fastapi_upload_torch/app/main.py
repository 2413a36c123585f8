import io

from fastapi import FastAPI, File, HTTPException, UploadFile
from fastapi.concurrency import run_in_threadpool
from PIL import Image, UnidentifiedImageError

from classifier.predictor import LABELS, Predictor

app = FastAPI(title="Cats and dogs")
predictor = Predictor()


@app.get("/labels")
async def labels():
    return LABELS


@app.post("/classify")
async def classify(file: UploadFile = File(...)):
    if file.content_type not in ("image/png", "image/jpeg"):
        raise HTTPException(status_code=415, detail=f"unsupported type {file.content_type}")
    contents = await file.read()
    try:
        image = Image.open(io.BytesIO(contents))
    except UnidentifiedImageError:
        raise HTTPException(status_code=400, detail="cannot read the image")
    result = await run_in_threadpool(predictor.predict, image)
    return {"filename": file.filename, **result}
