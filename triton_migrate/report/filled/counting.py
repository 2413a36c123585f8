"""Takes the application's own metrics, gives what Triton counts by itself of the same: both can be scraped, and neither is needed twice."""

from __future__ import annotations

from triton_migrate.report import document as doc
from triton_migrate.study import Study

REQUESTS = ("nv_inference_request_success", "nv_inference_request_failure", "nv_inference_request_duration_us")
TRITON = {  # by the kind of the metric
    "counter": ("nv_inference_request_success", "nv_inference_request_failure", "nv_inference_count"),
    "gauge": ("nv_inference_pending_request_count",),
    "histogram": ("nv_inference_request_duration_us", "nv_inference_queue_duration_us", "nv_inference_compute_infer_duration_us"),
}


def metrics(study: Study) -> list[doc.Metric]:
    """What counts requests as a whole (an instrumentator, StatsD) has all of Triton's as its counterpart."""
    return [{"file": s.file, "line": s.line, "kind": k, "triton": list(TRITON.get(k, REQUESTS))} for s, k in study.metrics]
