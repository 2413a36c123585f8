import numpy as np
from fastapi import APIRouter, Depends, HTTPException

from .dependencies import get_model
from .schemas import PredictRequest, PredictResponse

router = APIRouter(prefix="/iris", tags=["iris"])
NAMES = ["setosa", "versicolor", "virginica"]


def check(features):
    if len(features) != 4:
        raise HTTPException(status_code=400, detail=f"expected 4 features, got {len(features)}")
    if any(f < 0 for f in features):
        raise HTTPException(status_code=422, detail="features must not be negative")
    return np.asarray(features, dtype=np.float32).reshape(1, -1)


@router.get("/names")
def names():
    return NAMES


@router.post("/predict", response_model=PredictResponse)
def predict(request: PredictRequest, model=Depends(get_model)):
    x = check(request.features)
    scores = model.predict_proba(x)[0]
    return PredictResponse(label=NAMES[int(scores.argmax())], scores=dict(zip(NAMES, scores)))
