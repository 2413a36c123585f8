"""The picture of a pipeline: takes its stages, gives boxes and arrows placed on a grid, for `diagram.html.j2` to draw as SVG.

Two lanes, the application and Triton; where an arrow changes lane, the pipeline is cut. Without a planned port there is one lane.
`across` runs left to right for wide pages and paper, `down` top to bottom for narrow screens.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from triton_migrate.report.document import Evidence, ServedModel, Stage, StageKind, Tensor
from triton_migrate.report.visible import visible

KINDS: dict[StageKind, str] = {"parse": "Parse", "pre": "Preprocess", "model": "Model", "post": "Postprocess", "respond": "Respond"}
BOX_WIDTH, BOX_HEIGHT = 158, 62
_TITLE = 22  # room for the name of a lane
_CHARACTERS = 20  # of the monospaced names that fit a box
_LABEL = 25  # of the smaller ones that fit beside an arrow


@dataclass(frozen=True, slots=True)
class Box:
    x: int
    y: int
    kind: StageKind
    label: str
    name: str
    place: str
    full: str
    noted: str  # what the analysis flags there, e.g. a side effect


@dataclass(frozen=True, slots=True)
class Lane:
    """`cut`: the border to this lane from the one before, drawn as the dashed line (x1, y1, x2, y2)."""

    x: int
    y: int
    title: str
    cut: tuple[int, int, int, int] | None


@dataclass(frozen=True, slots=True)
class Label:
    """What crosses the cut at an arrow; `full` with how it is known."""

    x: int
    y: int
    text: str
    full: str


@dataclass(frozen=True, slots=True)
class Diagram:
    shape: str
    width: int
    height: int
    boxes: tuple[Box, ...]
    arrows: tuple[str, ...]
    lanes: tuple[Lane, ...]
    labels: tuple[Label, ...] = ()


def across(stages: Sequence[Stage], served: Sequence[ServedModel] = (), noted: Sequence[Evidence] = ()) -> Diagram:
    lanes = _lanes(stages)
    top = _TITLE if any(lanes) else 1
    step, drop = BOX_WIDTH + 30, BOX_HEIGHT + 52
    boxes = tuple(
        _box(stage, 1 + column * step, top + lane * drop, noted) for column, (stage, lane) in enumerate(zip(stages, lanes, strict=True))
    )
    arrows = tuple(f"M{a.x + BOX_WIDTH} {a.y + BOX_HEIGHT // 2}H{b.x - 15}V{b.y + BOX_HEIGHT // 2}H{b.x - 2}" for a, b in pairwise(boxes))
    width = len(boxes) * step - 28
    border = top + BOX_HEIGHT + 22
    crossing = tuple((box, lane) for box, before, lane in zip(boxes[1:], lanes, lanes[1:], strict=False) if lane != before)
    labels = tuple(
        _label(box.x - 8, border + (-7 if lane else 16), [t for s in served for t in (s["inputs"] if lane else s["outputs"])])
        for box, lane in crossing
        if served
    )
    return Diagram(
        "across",
        width,
        top + BOX_HEIGHT + 2 + max(lanes) * drop,
        boxes,
        arrows,
        (Lane(1, 13, "Application", None), Lane(1, border + 16, "Triton", (0, border, width, border))) if any(lanes) else (),
        labels,
    )


def _label(x: int, y: int, tensors: Sequence[Tensor]) -> Label:
    said = [visible(f"{t['name']} {t['dtype']} {t['dims']}") for t in tensors]
    more = f" +{len(said) - 1}" if len(said) > 1 else ""
    first = said[0] if said else ""
    room = _LABEL - len(more)
    full = ", ".join(f"{text} ({_known(tensor)})" for text, tensor in zip(said, tensors, strict=True))
    return Label(x, y, (first if len(first) <= room else f"{first[: room - 1]}…") + more, full)


def _known(tensor: Tensor) -> str:
    return f"{tensor['provenance']}; seen: {tensor['seen']}" if "seen" in tensor else tensor["provenance"]


def down(stages: Sequence[Stage], noted: Sequence[Evidence] = ()) -> Diagram:
    lanes = _lanes(stages)
    top = _TITLE if any(lanes) else 1
    step, shift = BOX_HEIGHT + 26, BOX_WIDTH + 22
    boxes = tuple(
        _box(stage, 1 + lane * shift, top + row * step, noted) for row, (stage, lane) in enumerate(zip(stages, lanes, strict=True))
    )
    arrows = tuple(f"M{a.x + BOX_WIDTH // 2} {a.y + BOX_HEIGHT}V{b.y - 13}H{b.x + BOX_WIDTH // 2}V{b.y - 2}" for a, b in pairwise(boxes))
    height = top + len(boxes) * step - 24
    border = BOX_WIDTH + 12
    return Diagram(
        "down",
        BOX_WIDTH + 2 + max(lanes) * shift,
        height,
        boxes,
        arrows,
        (Lane(1, 13, "Application", None), Lane(1 + shift, 13, "Triton", (border, 0, border, height))) if any(lanes) else (),
    )


def sentence(stages: Sequence[Stage]) -> str:
    """The same for those who do not see the picture."""
    steps = [f"{KINDS[stage['kind']]} {stage['name']} at {_place(stage)}{_where(stage)}" for stage in stages]
    return "; then ".join(steps)


def _lanes(stages: Sequence[Stage]) -> list[int]:
    return [int(stage.get("side") == "triton") for stage in stages]


def _box(stage: Stage, x: int, y: int, noted: Sequence[Evidence]) -> Box:
    name, place = visible(stage["name"]), visible(_place(stage))
    lines = range(stage["line"], max(stage["end_line"], stage["line"]) + 1)
    here = [e for e in noted if e["file"] == stage["file"] and e["line"] in lines]
    return Box(
        x,
        y,
        stage["kind"],
        KINDS[stage["kind"]],
        name if len(name) <= _CHARACTERS else f"{name[: _CHARACTERS - 1]}…",
        place if len(place) <= _CHARACTERS else f"…{place[1 - _CHARACTERS :]}",
        f"{name} · {place}",
        "; ".join(dict.fromkeys(visible(f"{e['rule']}: {e['message']}") for e in here)),
    )


def _place(stage: Stage) -> str:
    first, last = stage["line"], stage["end_line"]
    return f"{stage['file']}:{first}" if last <= first else f"{stage['file']}:{first}–{last}"


def _where(stage: Stage) -> str:
    match stage.get("side"):
        case "triton":
            return ", on Triton"
        case "app":
            return ", in the application"
        case _:
            return ""
