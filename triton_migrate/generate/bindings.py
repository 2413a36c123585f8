"""Takes a `BindPlan`, gives the files of `triton_serving/` for it: bindings.py, and the runtime that it is written with."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from dataclasses import dataclass

from triton_migrate.bind.records import MAX_BATCH_SIZE, Argument, BindPlan, Bound
from triton_migrate.changes import NewFile
from triton_migrate.generate.deployment import PORT
from triton_migrate.generate.documents import described
from triton_migrate.generate.served import PYTRITON, ServedApp
from triton_migrate.generate.templates import render
from triton_migrate.plan.records import Tensor
from triton_migrate.plan.values import tensors

ROOT = "triton_serving"
RUNTIME = {
    "client.py": "speaks Triton's protocol",
    "triton_codec.py": "turns Python values into tensors and back",
    "bound.py": "what bindings.py is written with: ask the owner, run in the owner",
    "owner.py": "one process owns Triton: start, stop, who is next",
    "keeper.py": "leaves nothing behind when the owner is killed",
    "web.py": "starts with the application, sends requests to the owner",
}
DTYPES = {"STRING": "bytes", "BOOL": "np.bool_", "FP16": "np.float16", "FP32": "np.float32", "FP64": "np.float64"}
WIDTH = 88
FROM_BOUND = (
    "apart",
    "application",
    "bound",
    "each",
    "fields",
    "infer",
    "infer_async",
    "live",
    "objects",
    "original",
    "owned",
    "together",
    "waiting",
)
FOR_THE_APP = ("application", "bound", "infer", "infer_async", "owned", "waiting")


@dataclass(frozen=True, slots=True)
class _Section:
    """One model as the template prints it."""

    name: str
    about: str
    ask: str
    function: str
    how: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


def binding_files(plan: BindPlan, app: ServedApp, *, beside: bool) -> tuple[NewFile, ...]:
    """All files of what is bound, paths relative to the application's root. `beside`: a model repository has files of its own there."""
    features = dict.fromkeys(("streams", "ensembles", "calls", "metrics", "versions", "reloads", "levels", "answers", "early"), False)
    features["http_errors"] = app.http_errors
    runtime = tuple(_file(name, render(name, **features), reason) for name, reason in RUNTIME.items())
    made = _file("bindings.py", bindings(plan), f"binds {', '.join(b.name for b in plan.bound)}")
    return (
        _file("__init__.py", "", "makes the bindings importable"),
        *runtime,
        made,
        *_documents(plan, app, "bindings." if beside else ""),
    )


def _documents(plan: BindPlan, app: ServedApp, prefix: str) -> Iterator[NewFile]:
    """What people and containers read."""
    names = {"readme": f"{prefix}README.md", "dockerfile": f"{prefix}Dockerfile", "compose": f"{prefix}docker-compose.yml"}
    models = [
        {"name": b.name, "framework": b.served.framework, "about": _section(b).about, "why": b.why, "stacked": b.stacked,
         "inputs": b.served.inputs, "outputs": b.served.outputs}
        for b in plan.bound
    ]  # fmt: skip
    command = app.command(PORT) if plan.web else "celery --app YOUR_APP worker"
    text = render(
        "bindings_readme.md", models=models, app=app, owned=plan.owned, command=command, tensors=described, compose=names["compose"]
    )
    yield _file(names["readme"], text, "what is bound, how to run it, how to go back")
    install = f"{app.install} '{PYTRITON}'"
    start = render("bindings_dockerfile", install=install, command=json.dumps(shlex.split(command)))
    yield _file(names["dockerfile"], start, "the application with Triton in it")
    yield _file(names["compose"], render("bindings_compose.yml", dockerfile=names["dockerfile"]), "runs it, with room for tensors")


def bindings(plan: BindPlan) -> str:
    """The text of bindings.py."""
    sections = tuple(_section(b) for b in plan.bound)
    text = "\n".join(s.ask + s.function for s in sections) + "".join(t for s in sections for t in (*s.inputs, *s.outputs))
    functions = [b for b in plan.bound if b.kind != "call"]
    return render(
        "bindings.py",
        models=sections,
        imports=tuple(_imports(text)),
        owned=[(json.dumps(m), json.dumps(p)) for m, p in plan.owned],
        ask=_table({b.name: f"ask_{b.name}" for b in functions}),
        functions=_table({b.name: b.name for b in plan.bound}),
        max_batch_size=MAX_BATCH_SIZE,
        stacked=any(b.stacked for b in plan.bound),
    )


def _imports(text: str) -> Iterator[str]:
    if "np." in text:
        yield "import numpy as np\n"
    own = [n for n in FROM_BOUND if n in FOR_THE_APP or f"{n}(" in text or f"@{n}\n" in text or (n == "apart" and "@each\n" in text)]
    yield _from("bound", own)
    yield "from .client import Unavailable  # noqa: F401  (for the application)"
    yield _from("triton_codec", sorted(tensors.CODEC.split("|")))
    yield "from .web import attach  # noqa: F401  (for the application)"


def _from(module: str, names: list[str]) -> str:
    listed = "".join(f"    {n},\n" for n in names)
    return f"from .{module} import (  # noqa: F401  (for the application)\n{listed})"


def _table(entries: dict[str, str]) -> str:
    return "{" + ", ".join(f'"{k}": {v}' for k, v in entries.items()) + "}"


def _section(bound: Bound) -> _Section:
    place = f"{bound.scope.file}:{bound.scope.function.at[0]}"
    whole = bound.kind == "function"
    about = f"{bound.scope.qualname}, {place}" if whole else f"{_calls(bound)} in {bound.scope.qualname}, {place}"
    function = _call(bound) if bound.kind == "call" else _function(bound)
    ask = "" if bound.kind == "call" else _ask(bound)
    inputs, outputs = (tuple(_tensor(t) for t, _ in side) for side in (bound.inputs, bound.outputs))
    return _Section(bound.name, about, ask, function, "batch" if bound.stacked else "apart", inputs, outputs)


def _calls(bound: Bound) -> str:
    return " and ".join(dict.fromkeys(s.text for s in bound.sites))


def _tensor(made: Tensor) -> str:
    dtype = DTYPES.get(made.dtype) or f"np.{made.dtype.lower()}"
    shape = ", ".join(map(str, made.dims)) + ("," if len(made.dims) == 1 else "")
    return f'Tensor(name="{made.name}", dtype={dtype}, shape=({shape}))'


# ---------------------------------------------------------------- functions


def _ask(bound: Bound) -> str:
    """The caller's side: what travels."""
    names = [p.name for p in bound.scope.function.parameters] if bound.kind == "function" else [a.name for a in bound.arguments]
    given = [f"{a.tensor.name}={_packed(a)}" for a in bound.arguments if a.tensor is not None]
    ((output, crossing),) = bound.outputs
    call = _wrapped("    out = infer", [f'"{bound.name}"', f'["{output.name}"]', *given])
    value = tensors.unpack(f'out["{output.name}"]', output, crossing.type)
    return f"def ask_{bound.name}({', '.join(names)}):\n{call}\n    return {value}"


def _packed(argument: Argument) -> str:
    assert argument.tensor is not None
    if argument.fields:
        return f"pack_json(fields({', '.join((argument.name, *map(json.dumps, argument.fields)))}))"
    return tensors.pack(argument.name, argument.tensor, argument.crossing.type)


def _function(bound: Bound) -> str:
    """The owner's side: the original, row by row."""
    names = [a.tensor.name for a in bound.arguments if a.tensor is not None]
    ((output, crossing),) = bound.outputs
    given = [f"{a.name}={_unpacked(a)}" if a.keyword else _unpacked(a) for a in bound.arguments]
    call = _wrapped("    result = function", given)
    returned = f'{{"{output.name}": {tensors.pack("result", output, crossing.type)}}}'
    return f"@each\ndef {bound.name}({', '.join(names)}):\n    function = original({bound.callee})\n{call}\n    return {returned}"


def _unpacked(argument: Argument) -> str:
    if argument.tensor is None:
        return argument.live
    value = tensors.unpack(argument.tensor.name, argument.tensor, argument.crossing.type)
    return f"objects({value})" if argument.fields else value


# ---------------------------------------------------------------- calls


def _call(bound: Bound) -> str:
    """The owner's side: the live model, for all rows at once where they are known to be independent."""
    ((given, crossing),) = bound.inputs
    value = given.name if bound.stacked else tensors.unpack(given.name, given, crossing.type)
    results = []
    for made, out in bound.outputs:
        called = f"model.{out.name}({value})"
        packed = f"np.asarray({called}, {DTYPES.get(made.dtype) or 'np.' + made.dtype.lower()})"
        results.append(f'"{made.name}": {packed if bound.stacked else tensors.pack(called, made, out.type)}')
    body = "{" + ", ".join(results) + "}"
    how = "together" if bound.stacked else "each"
    return f"@{how}\ndef {bound.name}({given.name}):\n    model = {bound.callee}\n    return {body}"


def _wrapped(start: str, arguments: list[str]) -> str:
    line = f"{start}({', '.join(arguments)})"
    if len(line) <= WIDTH:
        return line
    return f"{start}(\n" + "".join(f"        {a},\n" for a in arguments) + "    )"


def _file(name: str, text: str, reason: str) -> NewFile:
    return NewFile(f"{ROOT}/{name}", text, reason)
