from fastapi import FastAPI, HTTPException, Query
from fastapi.responses import StreamingResponse

from .tts import SpeechService

app = FastAPI()
service = SpeechService("app/voice.pt")


@app.get("/voices")
def voices():
    return ["default"]


@app.get("/speech")
async def speech(text: str, speed: float = Query(1.0, gt=0, le=4)):
    if not text.strip():
        raise HTTPException(status_code=400, detail="nothing to say")
    return StreamingResponse(service.stream(text, speed), media_type="audio/L16", headers={"X-Rate": "16000"})
