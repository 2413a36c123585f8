from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from errors import ServiceError
from service import Watch

app = FastAPI()
watch = Watch()


@app.exception_handler(ServiceError)
async def service_error(request: Request, error: ServiceError):
    return JSONResponse({"error": str(error), "detail": error.detail}, status_code=error.status)


@app.exception_handler(ValueError)
async def value_error(request: Request, error: ValueError):
    return JSONResponse({"error": f"no number: {error}"}, status_code=400)


@app.post("/watch")
def judge(readings: dict):
    missing = {"heat", "flow"} - readings.keys()
    if missing:
        return JSONResponse({"missing": sorted(missing)}, status_code=400)
    return watch.judge(readings)
