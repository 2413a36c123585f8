from typing import List

from pydantic import BaseModel


class PredictRequest(BaseModel):
    features: List[float]


class PredictResponse(BaseModel):
    label: str
    scores: dict[str, float]
