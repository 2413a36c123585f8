import base64
import io

from flask import Flask, jsonify, request

from diffusion import decode_image, denoise, encode_prompt, tokenise, to_png

app = Flask(__name__)


@app.route("/generate", methods=["POST"])
def generate():
    body = request.get_json(force=True)
    prompt = body.get("prompt", "").strip()
    if not prompt:
        return jsonify(error="prompt is empty"), 400
    tokens = tokenise(prompt)
    embedding = encode_prompt(tokens)
    latent = denoise(embedding, int(body.get("seed", 0)), int(body.get("steps", 4)))
    pixels = decode_image(latent)
    image = to_png(pixels)
    return jsonify(image=base64.b64encode(image).decode(), size=len(image))
