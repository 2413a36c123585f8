from fastapi import FastAPI, File, HTTPException, UploadFile

from vision import BadImage, VisionPipeline

app = FastAPI()
pipeline = VisionPipeline("weights")


@app.post("/predict")
async def predict(image: UploadFile = File(...)):
    content = await image.read()
    try:
        label, score = pipeline.run(content)
    except BadImage as error:
        raise HTTPException(422, str(error))
    return {"label": label, "score": score, "bytes": len(content)}


@app.post("/features")
async def features(image: UploadFile = File(...)):
    content = await image.read()
    try:
        pixels = pipeline.preprocess(content)
        vector = pipeline.extract(pixels)
    except BadImage as error:
        raise HTTPException(422, str(error))
    return {"features": vector.tolist()}
