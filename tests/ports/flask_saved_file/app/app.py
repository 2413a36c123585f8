import os
import pickle
import tempfile

import numpy as np
from flask import Flask, jsonify, request
from PIL import Image
from werkzeug.utils import secure_filename

app = Flask(__name__)
app.config['UPLOAD_FOLDER'] = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'uploads')
model = pickle.load(open('shades.pkl', 'rb'))
NAMES = ['dark', 'light']


def load_picture(path, size=(4, 4)):
    with Image.open(path) as picture:
        pixels = np.asarray(picture.convert('L').resize(size), dtype=np.float64)
    return pixels.reshape(1, 16) / 255


@app.route('/upload', methods=['POST'])
def upload():
    picture = request.files['picture']
    path = os.path.join(app.config['UPLOAD_FOLDER'], secure_filename(picture.filename))
    picture.save(path)
    x = load_picture(path)
    label = NAMES[int(model.predict(x)[0])]
    size = os.path.getsize(path)
    os.remove(path)
    return jsonify(label=label, file=os.path.basename(path), size=size)


@app.route('/temporary', methods=['POST'])
def temporary():
    details = {'ok': True}
    with tempfile.NamedTemporaryFile(suffix='.png') as f:
        f.write(request.data)
        f.flush()
        found = model.predict_proba(load_picture(f.name))
        details['dark'] = round(float(found[0][0]), 3)
    return jsonify(details)


@app.route('/stored')
def stored():
    path = f"{app.config['UPLOAD_FOLDER']}/{request.args['name']}"
    try:
        answer = {}
        x = load_picture(path)
        answer['label'] = NAMES[int(model.predict(x)[0])]
        answer['p'] = model.predict_proba(x).tolist()
    except FileNotFoundError:
        return jsonify(error='no such picture'), 404
    return jsonify(answer)


@app.route('/stream', methods=['POST'])
def stream():
    return NAMES[model.predict(load_picture(request.files['picture'].stream))[0]]
