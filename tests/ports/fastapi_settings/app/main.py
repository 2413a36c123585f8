import logging
from typing import Optional

from fastapi import APIRouter, BackgroundTasks, FastAPI, HTTPException
from pydantic import BaseModel, field_validator

from core.config import settings
from services.classifier import classifier

logger = logging.getLogger(__name__)
history: list[str] = []


class Ticket(BaseModel):
    subject: str
    body: Optional[str] = ""

    @field_validator("subject")
    @classmethod
    def not_empty(cls, value: str) -> str:
        if not value.strip():
            raise ValueError("subject must not be empty")
        return value


router = APIRouter()


def remember(topic: str, score: float) -> None:
    history.append(topic)
    logger.info("topic=%s score=%.2f", topic, score)


@router.post("/tickets/topic")
def topic(ticket: Ticket, background_tasks: BackgroundTasks):
    label, score = classifier.classify(f"{ticket.subject} {ticket.body}")
    background_tasks.add_task(remember, label, score)
    if score < settings.min_confidence:
        raise HTTPException(status_code=409, detail={"topic": label, "score": round(score, 3)})
    return {"topic": label, "score": round(score, 3)}


@router.get("/tickets/history")
def get_history():
    return history


app = FastAPI()
app.include_router(router, prefix=settings.api_prefix)
