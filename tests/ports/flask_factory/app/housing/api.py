from flask import Blueprint, current_app, jsonify, request

bp = Blueprint("api", __name__)


@bp.route("/price", methods=["POST"])
def price():
    body = request.get_json()
    try:
        row = [float(body["rooms"]), float(body["area"]), float(body.get("age", 0))]
    except (KeyError, TypeError, ValueError) as exc:
        return jsonify(error=f"bad input: {exc!r}"), 400
    value = current_app.model.predict([row])[0]
    current_app.logger.info("price %s", value)
    return jsonify(price=round(float(value), 1), currency=current_app.config["CURRENCY"])


@bp.route("/currency")
def currency():
    return jsonify(current_app.config["CURRENCY"])
