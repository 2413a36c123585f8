from fastapi import FastAPI
from pydantic import BaseModel, Field
import joblib
import numpy as np

app = FastAPI(title="Iris API", version="1.0")
model = joblib.load("iris_model.joblib")
class_names = np.array(["setosa", "versicolor", "virginica"])


class IrisFeatures(BaseModel):
    sepal_length: float = Field(..., gt=0)
    sepal_width: float = Field(..., gt=0)
    petal_length: float = Field(..., gt=0)
    petal_width: float = Field(..., gt=0)


class Prediction(BaseModel):
    species: str
    probability: float


@app.get("/")
def read_root():
    return {"message": "Iris model API"}


@app.post("/predict", response_model=Prediction)
def predict(data: IrisFeatures):
    """
    Predicts the class of a given set of features.
    """
    features = [data.sepal_length, data.sepal_width, data.petal_length, data.petal_width]
    prediction = model.predict([features])
    probability = model.predict_proba([features]).max()
    return {"species": class_names[prediction][0], "probability": float(probability)}


@app.post("/predict_dict")
async def predict_dict(data: dict):
    features = np.array(data["features"]).reshape(1, -1)
    prediction = model.predict(features)
    class_name = class_names[prediction][0]
    return {"predicted_class": class_name}
