"""Takes one value of a rule row, gives what is wrong with it: the part of the vocabulary that types alone do not say."""

from __future__ import annotations

import re

SOURCES = ("json", "form", "file", "query", "path", "raw-body", "header", "cookie", "method", "any")
RESPONSES = ("json", "html", "text", "file", "stream", "redirect")
QUEUES = ("celery", "rq", "huey", "dramatiq", "arq", "taskiq", "django-q", "background-task", "thread")
EFFECTS = (
    "log",
    "metric",
    "time",
    "random",
    "file-read",
    "file-write",
    "db-read",
    "db-write",
    "network",
    "process",
    "arguments",
    "argv",
    "option",
    "environment",
    "mutate",
    "disconnect",
)
BACKENDS = ("python", "onnxruntime", "pytorch", "tensorflow", "fil", "openvino", "tensorrt", "vllm", "dali")

OPTIONS = (
    "retries", "late-ack", "delay", "expiry", "priority", "rate-limit", "time-limit", "workflow", "result", "routing", "concurrency",
    "in-process",
)  # fmt: skip
CONCERNS = ("placement", "optimisation")

CHOICES: dict[str, tuple[str, ...]] = {
    "web.app.server": ("wsgi", "asgi"),
    "web.app.response": RESPONSES,
    "web.app.text": RESPONSES,
    "web.router.text": RESPONSES,
    "web.request.source": SOURCES,
    "web.app.parameter": SOURCES,
    "web.arguments.source": SOURCES,
    "web.parameter.source": (*SOURCES, "dependency", "injected"),
    "web.response.kind": (*RESPONSES, "same", "plain"),
    "data.convert.parses": SOURCES,
    "web.hook.when": ("startup", "shutdown", "request", "response", "error"),
    "model.load.exportable": ("yes", "no", "unknown"),
    "model.load.backend": BACKENDS,
    "model.construct.exportable": ("yes", "no", "unknown"),
    "model.construct.backend": BACKENDS,
    "model.predict.alone": ("item", "list"),
    "model.predict.stack": ("numpy.concatenate", "torch.cat", "pandas.concat", "list"),
    "effect.kind": EFFECTS,
    "effect.scratch": ("made", "removed"),
    "task.define.queue": QUEUES,
    "task.enqueue.queue": QUEUES,
    "task.option.queue": QUEUES,
    "task.option.kind": OPTIONS,
    "task.enqueue.defines": ("always", "in-route", "training"),
}

# `rule|0`: keyword, else position; `*0`: every position from there on; `decorated` is for handlers only.
PORT = re.compile(r"self(?:\[\])?|\*\d*|\d+|[A-Za-z_]\w*(?:\|[A-Za-z_]\w*)*(?:\|\d+)?")
PORTS: dict[str, tuple[str, ...]] = {
    "web.app": ("lifespan", "routes", "prefix"),
    "web.router": ("prefix", "routes", "name", "version", "version_prefix"),
    "web.route": ("path", "handler", "endpoint", "methods", "suffix", "arguments", "response", "version", "version_prefix"),
    "web.mount": ("child", "parent", "prefix", "version", "version_prefix"),
    "web.view": ("mapping", "path"),
    "web.class": ("parent", "prefix", "base", "slash", "dashes"),
    "web.methods": ("methods",),
    "web.action": ("methods", "path", "item"),
    "web.endpoint": ("name",),
    "web.arguments": ("schema", "location"),
    "web.request": ("name",),
    "web.parameter": ("dependency", "default"),
    "web.response": ("body", "status", "media"),
    "web.abort": ("status",),
    "web.hook": ("handler",),
    "model.load": ("artifact", "hub", "into"),
    "model.construct": ("runs",),
    "model.predict": ("rows", "model", "alone_by"),
    "model.save": ("artifact", "model"),
    "model.configure": ("artifact",),
    "model.place": ("device", "number"),
    "data.convert": ("case", "positions"),
    "effect": ("path", "remote"),
    "task.define": ("name", "handler", "bound", "base"),
    "task.enqueue": ("callee", "args", "kwargs"),
    "channel.put": ("channel", "item"),
    "channel.take": ("channel",),
    "flow.call": ("function",),
    "flow.bind": ("function",),
}

NUMPY_TYPE = r"(?:bool|u?int(?:8|16|32|64)|float(?:16|32|64)|complex(?:64|128)|str|bytes|object|same|floating|mean|wide|\?)"
PLAIN_TYPE = r"(?:frame|str|bytes|int|float|bool|list|dict|tuple|data|object)"
ARRAY_TYPE = rf"(?:array|tensor|number):(?:{NUMPY_TYPE}|arg:(?:\d+|[A-Za-z_]\w*(?:\|\d+)?)(?:\|{NUMPY_TYPE})?)"
ONE_TYPE = rf"(?:list:)?(?:{PLAIN_TYPE}|{ARRAY_TYPE})"
VALUE_TYPE = re.compile(
    rf"{ONE_TYPE}|tuple:{ONE_TYPE}(?:,{ONE_TYPE})+|image(?::(?:uint8|same))?|element|same|buffer|stream:(?:str|bytes|int|float|\?)|generator(?::(?:list|dict))?"
)
AXES = re.compile(r"same|axes|flat|joined|stacked|(?:new|drop|dims):(?:\*\d|\d|\w+(?:\|\d)?)|[?\d]+(?:,[?\d]+)*")
CASE = re.compile(rf"[^=]*={NUMPY_TYPE}(?::(?:{AXES.pattern}))?")

SHAPES: dict[str, tuple[type, str]] = {
    "str": (str, "a string"),
    "int": (int, "a number"),
    "bool": (bool, "true or false"),
    "tuple[str, ...]": (list, "a list of strings"),
}


def trouble(table: str, key: str, shape: str, value: object) -> str | None:
    """Why `key = value` of `[[table]]`, a field of type `shape` as the vocabulary spells it, is wrong; None when it is right."""
    kind, spelled = SHAPES[shape]
    wrong_kind = not isinstance(value, kind) or (kind is int and isinstance(value, bool))
    if wrong_kind or (isinstance(value, list) and not all(isinstance(part, str) for part in value)):
        return f"{key} must be {spelled}, not {value!r}"
    if key == "cases" and isinstance(value, list) and (wrong := next((c for c in value if not CASE.fullmatch(c)), None)) is not None:
        return f"cases has {wrong!r}; a case is value=dtype:shape"
    if not isinstance(value, str) or value == "":
        return None
    choices = CONCERNS if key == "concern" else CHOICES.get(f"{table}.{key}")
    by_argument = key == "when" and value.startswith("arg:") and PORT.fullmatch(value[4:]) is not None
    if choices is not None and value not in choices and not by_argument:
        return f"{key} is {value!r}; it must be one of {', '.join(choices)}"
    if key in PORTS.get(table, ()) and not all(PORT.fullmatch(port) for port in value.split(",")):
        return f"{key} is {value!r}, which is not a port"
    if key == "shape" and not AXES.fullmatch(value):
        return f"shape is {value!r}, which says no axes"
    if key == "result" and not VALUE_TYPE.fullmatch(value):
        return f"result is {value!r}, which is not a value type"
    return None
