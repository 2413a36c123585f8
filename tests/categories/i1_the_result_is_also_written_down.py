"""I1: the result is also written down."""

import joblib
from fastapi import FastAPI
from pydantic import BaseModel
from sqlalchemy import Column, Float, Integer, create_engine
from sqlalchemy.orm import declarative_base, sessionmaker

app = FastAPI()
model = joblib.load("model.pkl")
Base = declarative_base()
sessions = sessionmaker(bind=create_engine("sqlite://"))


class Given(BaseModel):
    width: float


class Result(Base):
    __tablename__ = "results"
    id = Column(Integer, primary_key=True)
    value = Column(Float)


def written(value):
    with sessions() as session:
        row = Result(value=value)
        session.add(row)
        session.commit()
        session.refresh(row)
    return row


@app.post("/p")
def p(given: Given):
    value = model.predict([[given.width]])[0]
    return {"value": value, "written": written(value)}
