"""Plays Triton's fil backend with the library that made the trees: takes a model folder and its config, answers requests.

Runs inside the models' interpreter, one process per instance. `model_type` says which library; `predict_proba` and `output_class` what a
row gives, as in the native backend: probabilities, else a class, else a number. Float32 in and out.
"""

from __future__ import annotations

import importlib
import json
import os
from collections.abc import Callable
from typing import Any

import numpy as np
import triton_python_backend_utils as pb_utils  # type: ignore[import-not-found]

FILES = {"xgboost": "xgboost.model", "xgboost_json": "xgboost.json", "lightgbm": "model.txt"}


class TritonPythonModel:
    def initialize(self, args: dict[str, str]) -> None:
        config = json.loads(args["model_config"])
        parameters = {key: value["string_value"] for key, value in config.get("parameters", {}).items()}
        kind = parameters.get("model_type", "xgboost")
        if kind not in FILES:
            raise ValueError(f"model_type {kind} has no stand-in; there are {', '.join(FILES)}")
        path = os.path.join(args["model_repository"], args["model_version"], config.get("default_model_filename") or FILES[kind])
        self.scores = (lightgbm_scores if kind == "lightgbm" else xgboost_scores)(path)
        self.proba = parameters.get("predict_proba", "false") == "true"
        self.classes = parameters.get("output_class", "false") == "true"
        ((self.input,), (self.output,)) = config["input"], config["output"]

    def execute(self, requests: list[Any]) -> list[Any]:
        """One call for all requests; they have equally many columns, the server has seen to that."""
        arrays = [pb_utils.get_input_tensor_by_name(request, self.input["name"]).as_numpy() for request in requests]
        scores = self.scores(np.concatenate(arrays))
        if self.proba or self.classes:
            scores = scores if scores.ndim > 1 else np.column_stack([1 - scores, scores])
            scores = scores if self.proba else scores.argmax(axis=1)
        rows = np.asarray(scores, np.float32).reshape(len(scores), -1)
        parts = np.split(rows, np.cumsum([len(array) for array in arrays])[:-1])
        return [pb_utils.InferenceResponse([pb_utils.Tensor(self.output["name"], np.ascontiguousarray(part))]) for part in parts]


def xgboost_scores(path: str) -> Callable[[Any], Any]:
    xgboost = importlib.import_module("xgboost")
    booster = xgboost.Booster(model_file=path)
    return lambda rows: booster.inplace_predict(rows)


def lightgbm_scores(path: str) -> Callable[[Any], Any]:
    booster = importlib.import_module("lightgbm").Booster(model_file=path)
    return lambda rows: booster.predict(rows)
