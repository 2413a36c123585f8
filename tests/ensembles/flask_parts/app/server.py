from flask import Flask, abort, jsonify, request

from pipeline.detector import Detector
from pipeline.preprocess import Preprocessor
from pipeline.recogniser import Recogniser

app = Flask(__name__)
preprocess = Preprocessor()
detector = Detector("weights/detector.pt")
recogniser = Recogniser("weights/crop.pt")


@app.get("/ping")
def ping():
    return "pong"


@app.post("/parts")
def parts():
    upload = request.files.get("image")
    if upload is None:
        abort(400)
    inputs = preprocess(upload.read())
    heat = detector.detect(inputs)
    boxes = detector.boxes(heat)
    sx, sy = inputs["scale"][0].tolist()
    found = []
    for left, top, right, bottom in boxes:
        crop = inputs["pixels"][:, :, top:bottom, left:right]
        probabilities = recogniser.recognise(crop)
        part = recogniser.name(probabilities)
        part["box"] = [round(left * sx), round(top * sy), round(right * sx), round(bottom * sy)]
        found.append(part)
    return jsonify(count=len(found), parts=found)


@app.post("/heat")
def heat():
    inputs = preprocess(request.files["image"].read())
    heat = detector.detect(inputs)
    answer = {"max": round(float(heat.max()), 4)}
    if request.args.get("map") == "1":
        answer["map"] = [[round(v, 4) for v in row] for row in heat[0, 0].tolist()]
    return jsonify(answer)
