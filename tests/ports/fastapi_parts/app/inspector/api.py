from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI, HTTPException, Query, Response, UploadFile
from PIL import Image, UnidentifiedImageError
from pydantic import BaseModel, ConfigDict

from .config import Settings, get_settings
from .vision import BadImage, Inspector, decode, draw

router = APIRouter(prefix="/v1/parts", tags=["parts"])
_inspector: Inspector | None = None


def inspector(settings: Annotated[Settings, Depends(get_settings)]) -> Inspector:
    global _inspector
    if _inspector is None:
        _inspector = Inspector(settings)
    return _inspector


class InspectRequest(BaseModel):
    model_config = ConfigDict(extra="forbid")
    image: str
    min_score: float | None = None


class PartOut(BaseModel):
    box: tuple[int, int, int, int]
    score: float
    label: str
    confidence: float


class InspectResponse(BaseModel):
    width: int
    height: int
    parts: list[PartOut]


@router.post("", response_model=InspectResponse)
def inspect_parts(body: InspectRequest, engine: Annotated[Inspector, Depends(inspector)]):
    try:
        image = decode(body.image)
    except BadImage as e:
        raise HTTPException(400, str(e))
    parts = engine.inspect(image)
    if body.min_score is not None:
        parts = [p for p in parts if p.score >= body.min_score]
    return InspectResponse(
        width=image.width,
        height=image.height,
        parts=[PartOut(box=tuple(p.box), score=round(p.score, 4), label=p.label, confidence=round(p.confidence, 4)) for p in parts],
    )


@router.post("/overlay", response_class=Response, responses={200: {"content": {"image/png": {}}}})
def overlay(file: UploadFile, engine: Annotated[Inspector, Depends(inspector)]):
    try:
        image = Image.open(file.file).convert("RGB")
    except UnidentifiedImageError:
        raise HTTPException(415, "not an image")
    parts = engine.inspect(image)
    return Response(draw(image, parts), media_type="image/png", headers={"X-Parts": str(len(parts))})


@router.get("/classes")
def classes(limit: Annotated[int, Query(ge=1, le=4)] = 4):
    from .vision import CLASSES

    return list(CLASSES[:limit])


def build() -> FastAPI:
    api = FastAPI()
    api.include_router(router)
    return api


app = build()
