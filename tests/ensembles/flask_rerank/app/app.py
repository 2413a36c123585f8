from flask import Flask, request

from search import Searcher

app = Flask(__name__)
searcher = Searcher()


@app.post("/search")
def search():
    query = request.json.get("query")
    if not query:
        return {"error": "query missing"}, 400
    vector = searcher.embed(query)
    candidates = searcher.nearest(vector)
    scores = searcher.rerank(vector, candidates)
    order = searcher.rank(candidates, scores)
    return {"results": order}
