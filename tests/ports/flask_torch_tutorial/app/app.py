import io
import json

import numpy as np
import torch
from flask import Flask, jsonify, request
from PIL import Image

from model import SmallNet

app = Flask(__name__)
imagenet_class_index = json.load(open('class_index.json'))
device = torch.device("cuda:0" if torch.cuda.is_available() else "cpu")
model = SmallNet()
model.load_state_dict(torch.load('weights.pt', map_location=device))
model.to(device)
model.eval()


def transform_image(image_bytes):
    image = Image.open(io.BytesIO(image_bytes)).convert('RGB').resize((32, 32))
    tensor = torch.from_numpy(np.array(image)).permute(2, 0, 1).float() / 255
    return tensor.unsqueeze(0)


def get_prediction(image_bytes):
    tensor = transform_image(image_bytes=image_bytes).to(device)
    with torch.no_grad():
        outputs = model.forward(tensor)
    _, y_hat = outputs.max(1)
    predicted_idx = str(y_hat.item())
    return imagenet_class_index[predicted_idx]


@app.route('/predict', methods=['POST'])
def predict():
    if request.method == 'POST':
        file = request.files['file']
        img_bytes = file.read()
        class_id, class_name = get_prediction(image_bytes=img_bytes)
        return jsonify({'class_id': class_id, 'class_name': class_name})


@app.route('/ping')
def ping():
    return 'ok'


if __name__ == '__main__':
    app.run()
