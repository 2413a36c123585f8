from __future__ import annotations

from enum import Enum
from typing import List, Optional

from pydantic import BaseModel, Field


class Housing(str, Enum):
    own = "own"
    rent = "rent"
    other = "other"


class Income(BaseModel):
    monthly: float = Field(gt=0)
    other: float = 0.0


class Applicant(BaseModel):
    age: int = Field(ge=18, le=100)
    housing: Housing
    income: Income
    loan_amount: float = Field(gt=0)
    months: int = Field(12, ge=3, le=120)
    note: Optional[str] = None


class Decision(BaseModel):
    approved: bool
    probability: float
    band: str
    reasons: List[str] = []


class BatchDecision(BaseModel):
    count: int
    decisions: List[Decision]
