import pickle
from enum import Enum
from typing import List, Literal, Optional

import pandas as pd
from fastapi import FastAPI, Query
from pydantic import BaseModel

app = FastAPI()

with open("rent.pkl", "rb") as f:
    model = pickle.load(f)


class City(str, Enum):
    north = "north"
    south = "south"


class Flat(BaseModel):
    area: float
    rooms: int = 2
    city: City
    garden: Optional[bool] = None
    note: Optional[str] = None


@app.get("/cities")
def cities():
    return [c.value for c in City]


@app.post("/rent")
def rent(flats: List[Flat], currency: Literal["EUR", "USD"] = "EUR", digits: int = Query(1, ge=0, le=3)):
    df = pd.DataFrame([{"area": f.area, "rooms": f.rooms, "city": f.city.value, "garden": bool(f.garden)} for f in flats])
    rents = model.predict(df)
    rate = 1.0 if currency == "EUR" else 1.1
    return {"currency": currency, "rents": [round(float(r) * rate, digits) for r in rents], "notes": [f.note for f in flats]}


@app.post("/rent/{city}")
def rent_in(city: City, area: float, rooms: Optional[int] = None):
    frame = pd.DataFrame({"area": [area], "rooms": [rooms or 1], "city": [city.value], "garden": [False]})
    return {"rent": round(float(model.predict(frame)[0]), 2), "city": city}
