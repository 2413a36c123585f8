from fastapi import Depends, FastAPI
from pydantic import BaseModel

from house.prices import Prices, get_prices

app = FastAPI()


class Houses(BaseModel):
    rooms: list[list[float]]


@app.post("/prices")
def prices(houses: Houses, model: Prices = Depends(get_prices)):
    return {"prices": model.predict(houses.rooms).tolist()}
