import torch
from fastapi import FastAPI
from pydantic import BaseModel
from transformers import AutoModelForSequenceClassification, AutoTokenizer

app = FastAPI()
tokenizer = AutoTokenizer.from_pretrained("tiny")
model = AutoModelForSequenceClassification.from_pretrained("tiny")
model.eval()


class Text(BaseModel):
    text: str


@app.post("/sentiment")
def sentiment(body: Text):
    inputs = tokenizer(body.text, return_tensors="pt", truncation=True, max_length=64)
    with torch.no_grad():
        outputs = model(**inputs)
    scores = torch.softmax(outputs.logits, dim=-1)[0]
    best = int(scores.argmax())
    return {"label": model.config.id2label[best], "score": round(float(scores[best]), 5)}
