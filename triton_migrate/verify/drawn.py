"""Takes JSON schemas, gives values that Hypothesis draws for them: empty texts, odd characters, zeros, bounds, whatever people forget.

The same tool draws the same every time. Hypothesis comes with the extra `triton`; it is loaded here alone, and keeps its tables in the
user's cache.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, TypeVar

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.configuration import set_hypothesis_home_dir

from triton_migrate.index.cache import user_folder
from triton_migrate.verify.samples import Sample
from triton_migrate.verify.shapes import Schema, bounds, fit, guessed, sample

Key = TypeVar("Key")
LONGEST = 60  # characters of a text
LETTERS = "aeinorst ABC 0123456789 .,!?'\"-_/<>&% äéñøßçŁ Ωж 你好 ایران 🙂"  # by itself, Hypothesis tabulates all of Unicode first
MOST = 4  # items of a list that says nothing about its length


def drawn(schemas: Mapping[Key, tuple[str, Schema]], count: int, files: frozenset[Key]) -> list[dict[Key, Any]]:
    """`count` ways to fill the fields, each given by its name and schema; `files` are uploaded, not written as base64."""
    found: list[dict[Key, Any]] = []
    strategies = {key: _file(schema) if key in files else _strategy(schema, name) for key, (name, schema) in schemas.items()}
    set_hypothesis_home_dir(user_folder() / "hypothesis")  # what it tabulates once; else it makes a folder where the user works

    @settings(
        max_examples=count, derandomize=True, database=None, deadline=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(st.fixed_dictionaries(strategies))
    def note(values: dict[Key, Any]) -> None:
        found.append(values)

    note()
    return found[:count]


def _file(schema: Schema) -> st.SearchStrategy[Sample]:
    return st.integers(0, 9).map(lambda number: sample(schema, number))


def _strategy(schema: Schema, name: str) -> st.SearchStrategy[Any]:
    if "const" in schema:
        return st.just(schema["const"])
    if choices := schema.get("enum"):
        return st.sampled_from(list(choices))
    if options := schema.get("anyOf") or schema.get("oneOf"):
        return st.one_of([_strategy(option, name) for option in options])
    kind = schema.get("type")
    if kind == "null":
        return st.none()
    if kind == "boolean":
        return st.booleans()
    if kind in ("integer", "number"):
        low, high = bounds(schema, whole=kind == "integer")
        low = low if math.isfinite(low) else min(0, high)
        high = high if math.isfinite(high) else max(100, low)
        return st.integers(int(low), int(high)) if kind == "integer" else st.floats(low, high).map(lambda value: round(value, 3))
    if kind == "array":
        least = schema.get("minItems", 0)
        items = _strategy(schema.get("items") or {"type": "number"}, name)
        return st.lists(items, min_size=least, max_size=schema.get("maxItems", max(MOST, least)))
    if kind == "object" and "properties" in schema:
        return st.fixed_dictionaries({key: _strategy(one, key) for key, one in schema["properties"].items()})
    if kind == "string" and not {"format", "pattern"} & schema.keys() and "format" not in guessed(name):
        return _texts(schema)
    return st.integers(0, 9).map(lambda number: fit(schema, name, number))


def _texts(schema: Schema) -> st.SearchStrategy[str]:
    least = schema.get("minLength", 0)
    return st.text(LETTERS, min_size=least, max_size=max(least, min(schema.get("maxLength", LONGEST), LONGEST)))
