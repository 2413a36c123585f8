from flask import Flask, jsonify, request

from model_service import ModelNotLoaded, ModelService

app = Flask(__name__)
service = ModelService("models")


@app.route("/info")
def info():
    return jsonify(features=list(ModelService.FEATURES))


@app.route("/energy", methods=["POST"])
def energy():
    data = request.get_json(force=True)
    try:
        result = service.predict(data)
    except KeyError as e:
        return jsonify({"error": "missing field", "field": e.args[0]}), 400
    except ValueError as e:
        return jsonify({"error": str(e)}), 422
    except ModelNotLoaded as e:
        return jsonify({"error": str(e)}), 503
    return jsonify(result)
