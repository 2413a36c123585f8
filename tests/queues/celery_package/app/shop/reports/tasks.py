from collections import Counter

from celery import shared_task


@shared_task(name="reports.summary")
def summary(results):
    counts = Counter(result["label"] for result in results)
    return {"labels": dict(sorted(counts.items())), "mean": round(sum(r["score"] for r in results) / len(results), 6)}
