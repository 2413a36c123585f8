from fastapi import FastAPI

from service.routes import router


def create_app() -> FastAPI:
    app = FastAPI()
    app.include_router(router, prefix="/api")
    return app


app = create_app()
