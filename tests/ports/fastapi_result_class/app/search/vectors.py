import time
from dataclasses import dataclass, field
from typing import NamedTuple

import joblib
import torch
import torch.nn.functional as F


class Span(NamedTuple):
    start: int
    end: int


class TooMany(Exception):
    pass


@dataclass(slots=True)
class Found:
    vectors: list[list[float]]
    spans: list[Span] = field(default_factory=list)

    @property
    def last(self) -> int:
        return max(s.end for s in self.spans)


class Vectors:
    def __init__(self, path: str, most: int = 4) -> None:
        self.most = most
        self.words, self.model = joblib.load(path)

    def of(self, texts: list[str], digits: int | None = None) -> Found:
        if len(texts) > self.most:
            raise TooMany(f"{len(texts)} texts")
        started = time.perf_counter()
        words = self.words.transform(texts)
        made = torch.from_numpy(self.model.predict_proba(words))
        made = F.normalize(made, dim=1)
        if digits is not None:
            made = made.round(decimals=digits)
        print(f"{time.perf_counter() - started:.3f} s")
        return Found(made.tolist(), [Span(0, int(n)) for n in words.getnnz(axis=1)])

    def sure(self, text: str) -> "Found | None":
        found = self.of([text], digits=3)
        return found if max(found.vectors[0]) > 0.8 else None

    def likeness(self, left: str, right: str) -> float:
        one, other = self.of([left, right]).vectors
        return sum(a * b for a, b in zip(one, other, strict=True))
