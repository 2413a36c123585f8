import io
import os
from contextlib import asynccontextmanager
from pathlib import Path
from typing import List

import pandas as pd
from fastapi import Depends, FastAPI, File, HTTPException, Request, UploadFile
from fastapi.responses import JSONResponse

from creditsvc.schemas import Applicant, BatchDecision, Decision
from creditsvc.scoring import CreditModel

ARTIFACTS = Path(__file__).resolve().parent.parent / "artifacts"
MAX_ROWS = int(os.getenv("CREDIT_MAX_ROWS", "50"))


@asynccontextmanager
async def lifespan(app: FastAPI):
    app.state.credit = CreditModel(ARTIFACTS / "credit.joblib", float(os.getenv("CREDIT_THRESHOLD", "0.5")))
    yield
    app.state.credit = None


app = FastAPI(title="credit", lifespan=lifespan)


class TooManyRows(Exception):
    def __init__(self, n):
        self.n = n


@app.exception_handler(TooManyRows)
async def too_many(request: Request, exc: TooManyRows):
    return JSONResponse({"error": f"{exc.n} rows, at most {MAX_ROWS}"}, status_code=413)


def get_model(request: Request) -> CreditModel:
    return request.app.state.credit


def as_row(applicant: Applicant) -> dict:
    return {
        "age": applicant.age,
        "housing": applicant.housing.value,
        "income": applicant.income.monthly + applicant.income.other,
        "loan_amount": applicant.loan_amount,
        "months": applicant.months,
    }


def decide(scored, threshold) -> Decision:
    reasons = []
    if scored.ratio > 0.4:
        reasons.append("high loan to income")
    if scored.band in "DE":
        reasons.append(f"band {scored.band}")
    return Decision(approved=scored.probability >= threshold, probability=round(scored.probability, 5), band=scored.band, reasons=reasons)


@app.get("/health")
def health(model: CreditModel = Depends(get_model)):
    return {"status": "ok", "version": model.version}


@app.post("/decisions", response_model=Decision)
def decision(applicant: Applicant, model: CreditModel = Depends(get_model)):
    (scored,) = model.score([as_row(applicant)])
    return decide(scored, model.threshold)


@app.post("/decisions/batch", response_model=BatchDecision)
async def decisions(applicants: List[Applicant], model: CreditModel = Depends(get_model)):
    if not applicants:
        raise HTTPException(422, "no applicants")
    if len(applicants) > MAX_ROWS:
        raise TooManyRows(len(applicants))
    scored = model.score([as_row(a) for a in applicants])
    return BatchDecision(count=len(scored), decisions=[decide(s, model.threshold) for s in scored])


@app.post("/decisions/csv")
async def from_csv(file: UploadFile = File(...), model: CreditModel = Depends(get_model)):
    if not file.filename.endswith(".csv"):
        raise HTTPException(status_code=415, detail="only .csv")
    content = await file.read()
    try:
        df = pd.read_csv(io.BytesIO(content))
    except Exception as e:
        raise HTTPException(status_code=400, detail="unreadable csv")
    missing = {"age", "housing", "income", "loan_amount", "months"} - set(df.columns)
    if missing:
        raise HTTPException(status_code=400, detail=f"missing columns: {sorted(missing)}")
    scored = model.score(df.to_dict(orient="records"))
    df["probability"] = [round(s.probability, 5) for s in scored]
    df["band"] = [s.band for s in scored]
    return {"rows": len(df), "mean": round(float(df["probability"].mean()), 5), "bands": df["band"].value_counts().sort_index().to_dict(), "first": df.iloc[0].to_dict()}
