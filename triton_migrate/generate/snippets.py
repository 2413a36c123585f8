"""Takes a web framework's id, gives the text that `rewrite` puts into the application: Triton down is the application's 503."""

from __future__ import annotations

from triton_migrate.base import TritonMigrateError

CLIENT = "from triton_serving import client as triton"

FLASK = """\
@{app}.errorhandler(triton.Unavailable)
def model_server_unavailable(error):
    {app}.logger.error("triton: %s", error)
    return jsonify(error="model server unavailable"), 503
"""

FASTAPI = """\
@{app}.exception_handler(triton.Unavailable)
async def model_server_unavailable(request, error):
    return JSONResponse({{"detail": "model server unavailable"}}, status_code=503)
"""


def unavailable_handler(framework: str, app: str = "app") -> tuple[tuple[str, ...], str]:
    """-> (import statements, handler), to be put anywhere after `app`, the name of the application object, is bound.

    Flask blueprints and FastAPI routers need none: the application's handler covers their routes.
    """
    if framework == "flask":
        return ("from flask import jsonify", CLIENT), FLASK.format(app=app)
    if framework == "fastapi":
        return ("from fastapi.responses import JSONResponse", CLIENT), FASTAPI.format(app=app)
    raise TritonMigrateError(f"no error handler is known for {framework}", hint="flask and fastapi are")
