"""Takes what is known about a field (a type as written, a JSON schema, only its name), gives JSON schemas, and values that fit them.

One language for all that is known: JSON Schema, with the formats `image`, `audio` and `table` for files, or for what a string of base64
holds. Where only a name is known, its words give a guess, and `KINDS` what else it may be.
"""

from __future__ import annotations

import ast
import math
import re
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, TypeAlias

from triton_migrate.verify.samples import LARGEST, Sample, note, picture, quantity, sentence, sound, table

Schema: TypeAlias = Mapping[str, Any]

NUMBER: Final[Schema] = {"type": "number", "minimum": 0, "maximum": 10}
INTEGER: Final[Schema] = {"type": "integer", "minimum": 1, "maximum": 5}
TEXT: Final[Schema] = {"type": "string", "minLength": 1, "maxLength": 80}
TEXTS: Final[Schema] = {"type": "array", "items": TEXT, "minItems": 2, "maxItems": 4}
DATE: Final[Schema] = {"type": "string", "format": "date"}
IMAGE: Final[Schema] = {"type": "string", "format": "image"}
AUDIO: Final[Schema] = {"type": "string", "format": "audio"}
FILES: Final[dict[str, Callable[[int], Sample]]] = {"image": picture, "audio": sound, "table": table, "text": note}
WIDTH = 4  # of a row of numbers, until more is known
# What the words in a name say, the first that fits.
SAID: Final[tuple[tuple[re.Pattern[str], Schema], ...]] = tuple(
    (re.compile(rf"(?:^|[_\W])(?:{words})(?:$|[_\W\d])"), schema)
    for words, schema in (
        ("image|images|img|picture|photo|frame|base64|b64|pixels|im|imagefile", IMAGE),
        ("audio|wav|sound|voice|speech|recording|song|music", AUDIO),
        ("csv|table|sheet|dataset", {"type": "string", "format": "table"}),
        ("texts|sentences|reviews|messages|documents|comments|queries|questions|titles|tweets|words|prompts", TEXTS),
        ("text|sentence|review|comment|message|msg|prompt|question|query|q|content|context|title|headline|tweet|news|article|document|email|"
         "description|word|name|input_text|sequence|utterance|passage|story|label", TEXT),
        ("id|k|n|count|num|number|limit|top|size|rank|year|age|months|days", INTEGER),
        ("url|uri|link", {"type": "string", "format": "uri"}),
        ("date|day", DATE),
    )
)  # fmt: skip
PLURAL: Final = re.compile(r"instances|inputs|features|rows|samples|values|data|vector|array|x|points|series|observations")


def sample(schema: Schema, number: int) -> Sample:
    """The file of that schema; a table has the columns that it names."""
    kind = schema.get("format", "image")
    return table(number, schema.get("columns", ())) if kind == "table" else FILES[kind](number)


def numbers(width: int) -> Schema:
    return {"type": "array", "items": NUMBER, "minItems": width, "maxItems": width}


def rows(width: int) -> Schema:
    return {"type": "array", "items": numbers(width), "minItems": 1, "maxItems": 3}


def row_of(columns: Mapping[str, Schema]) -> Schema:
    return {"type": "object", "properties": dict(columns), "required": list(columns)}


def guessed(name: str, file: bool = False) -> Schema:
    """What a name lets one expect; a file is a picture where nothing is said."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()
    found = next((schema for said, schema in SAID if said.search(words)), None)
    if file:
        kind = (found or IMAGE).get("format", "text")
        return {"type": "string", "format": kind if kind in FILES else "text"}
    return found or (numbers(WIDTH) if PLURAL.fullmatch(words) else NUMBER)


def kinds(name: str, widths: tuple[int, ...], columns: Mapping[str, Schema]) -> Iterator[Schema]:
    """What a JSON field may hold of which only the name is known, the likeliest first. `columns`: what a table of the application has."""
    yield guessed(name)
    yield from (NUMBER, INTEGER, TEXT, TEXTS)
    for width in widths:
        yield rows(width)
        yield numbers(width)
    if columns:
        yield {"type": "array", "items": row_of(columns), "minItems": 1, "maxItems": 3}
        yield row_of(columns)
    yield IMAGE
    yield {"type": "boolean"}


def typed(text: str) -> Schema | None:
    """The schema of a type as written: `list[float]`, `Literal["a", "b"]`, `str | None`. None where it says nothing."""
    try:
        return _typed(ast.parse(text.strip(), mode="eval").body) if text else None
    except (SyntaxError, ValueError):
        return None


def _typed(node: ast.expr) -> Schema | None:
    match node:
        case ast.BinOp(left, ast.BitOr(), right):
            return _typed(left) or _typed(right)
        case ast.Subscript(ast.Name(name) | ast.Attribute(_, name), inner):
            return _generic(name.lower(), inner.elts if isinstance(inner, ast.Tuple) else [inner])
        case ast.Name(name) | ast.Attribute(_, name):
            return _plain(name.lower())
    return None


def _plain(name: str) -> Schema | None:
    if name in ("int", "positiveint", "nonnegativeint", "conint"):
        return INTEGER
    if name in ("float", "decimal", "positivefloat", "nonnegativefloat", "confloat"):
        return NUMBER
    if name in ("str", "constr", "emailstr", "httpurl", "anyurl"):
        return {**TEXT, **({"format": "uri"} if name.endswith("url") else {"format": "email"} if name.startswith("email") else {})}
    plain: dict[str, Schema] = {"bool": {"type": "boolean"}, "dict": {"type": "object"}, "list": numbers(WIDTH), "date": DATE}
    return plain.get(name)


def _generic(name: str, inner: list[ast.expr]) -> Schema | None:
    if name == "literal":
        return {"enum": [node.value for node in inner if isinstance(node, ast.Constant)]}
    if name in ("optional", "annotated", "union"):
        return _typed(inner[0])
    if name in ("list", "sequence", "conlist", "set", "tuple", "iterable"):
        return {"type": "array", "items": _typed(inner[0]) or {}, "minItems": 2, "maxItems": WIDTH}
    return {"type": "object"} if name in ("dict", "mapping") else None


def fit(schema: Schema, name: str, number: int, position: int = 0) -> Any:
    """A plain value of that schema, as a person would type it for a field of that name; another for another number."""
    for given in ("const", "default", "example"):
        if given in schema and (number == 0 or given == "const"):
            return schema[given]
    choices = schema.get("enum") or schema.get("examples")
    if isinstance(choices, list) and choices:
        return choices[number % len(choices)]
    for several in ("anyOf", "oneOf", "allOf"):
        if options := [option for option in schema.get(several, ()) if option.get("type") != "null"]:
            return fit(_all(options) if several == "allOf" else options[0], name, number, position)
    return _of_kind(schema, name, number, position)


def _of_kind(schema: Schema, name: str, number: int, position: int) -> Any:
    kind = schema.get("type") or ("object" if "properties" in schema else "array" if "items" in schema else None)
    if isinstance(kind, list):
        kind = next((one for one in kind if one != "null"), None)
    if kind == "object":
        return {key: fit(value, key, number, at) for at, (key, value) in enumerate(schema.get("properties", {}).items())}
    if kind == "array":
        length = max(schema.get("minItems", 0), min(2, schema.get("maxItems", 2)))
        return [fit(schema.get("items") or {}, name, number + (at if length > 1 else 0), position + at) for at in range(length)]
    if kind in ("number", "integer"):
        return _between(schema, quantity(number, position), whole=kind == "integer")
    if kind == "boolean":
        return number % 2 == 0
    return _text(schema if kind == "string" else guessed(name), name, number)


def bounds(schema: Schema, whole: bool) -> tuple[float, float]:
    """The least and the largest number that fits, an open bound a step inside; infinite where nothing is said."""
    step = 1 if whole else 0.01
    low = max(schema.get("minimum", -math.inf), schema.get("exclusiveMinimum", -math.inf) + step)
    return low, min(schema.get("maximum", math.inf), schema.get("exclusiveMaximum", math.inf) - step)


def _between(schema: Schema, wanted: float, whole: bool) -> float:
    """`wanted` if it fits, else one as far between the bounds, or what is nearest to it."""
    low, high = bounds(schema, whole)
    if math.isfinite(low) and math.isfinite(high) and not low <= wanted <= high:
        wanted = round(low + (high - low) * (wanted / LARGEST), 2)
    value = min(max(wanted, low), high)
    return int(value) if whole else float(value)


def _text(schema: Schema, name: str, number: int) -> Any:
    kind = schema.get("format", "")
    if kind in FILES and kind != "text":
        return b64encode(FILES[kind](number).content).decode()
    if schema.get("type") not in ("string", None):
        return fit(schema, name, number)
    written = {
        "uri": "https://example.com/", "email": "someone@example.com", "date": f"2024-03-{number % 27 + 1:02d}",
        "date-time": f"2024-03-{number % 27 + 1:02d}T12:00:00Z", "uuid": f"00000000-0000-4000-8000-{number:012d}",
    }.get(kind)  # fmt: skip
    text = written or sentence(number)
    if said := guessed(name).get("format") if not written else None:
        text = b64encode(FILES[said](number).content).decode() if said in FILES else _text({"type": "string", "format": said}, name, number)
    return text[: schema.get("maxLength", len(text))].ljust(schema.get("minLength", 0), "a")


def _all(options: list[Schema]) -> Schema:
    """What fits every one of them, where they are objects."""
    merged: dict[str, Any] = {}
    for option in options:
        properties = {**merged.get("properties", {}), **option.get("properties", {})}
        merged |= {**option, **({"properties": properties} if properties else {})}
    return merged
