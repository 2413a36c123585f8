"""Takes the text of a stage's pipeline.py and its network, says why the network alone cannot be the stage; empty when it can.

The neighbours of such a stage do what its function does before and after the network (`triton_step.py`), and they do not load it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from triton_migrate.plan.records import Network

AROUND = ("preprocess", "postprocess")


def unfit(network: Network, text: str, split: bool) -> str:
    """`split`: nothing but the network's rows goes from before the call to after it."""
    if not split:
        return "what comes after the network needs more than what it gives"
    if len(network.calls) != 1:
        return "it asks the network in more than one way"
    tree = ast.parse(text)
    functions = {n.name: n for n in tree.body if isinstance(n, (ast.FunctionDef, ast.ClassDef))}
    loaded = {name for n in ast.walk(functions["load"]) if isinstance(n, ast.Global) for name in n.names} | {holder(network)}
    read = next((n for n in _reached(functions, AROUND) if n in loaded), "")
    if read:
        return f"what it does around the network needs {read}, which is loaded"
    if not _asks(functions["predict"], network):
        return "the network is asked by another function"
    return ""


def holder(network: Network) -> str:
    """The name in pipeline.py that the network is, or is reached by."""
    return re.split(r"[.\[]", network.place, maxsplit=1)[0]


def _reached(functions: dict[str, ast.FunctionDef | ast.ClassDef], roots: tuple[str, ...]) -> Iterator[str]:
    """Names of the module that some of its functions read, and the functions these call."""
    waiting, seen = list(roots), set(roots)
    while waiting:
        for node in ast.walk(functions[waiting.pop()]):
            if isinstance(node, ast.Name) and node.id not in seen:
                seen.add(node.id)
                yield node.id
                waiting += [node.id] if node.id in functions else []


def _asks(predict: ast.FunctionDef | ast.ClassDef, network: Network) -> bool:
    """Whether the rows go into the network's own call, and nowhere else."""
    (method,) = network.calls
    called = network.place if method == "()" else f"{network.place}.{method}"
    asked = [n for n in ast.walk(predict) if isinstance(n, ast.Call) and ast.unparse(n.func) == called]
    if len(asked) != 1:
        return False
    given = {id(n) for argument in (*asked[0].args, *(k.value for k in asked[0].keywords)) for n in ast.walk(argument)}
    counted = {id(n.args[0]) for n in ast.walk(predict) if isinstance(n, ast.Call) and ast.unparse(n) == "len(batch)"}
    rows = [n for n in ast.walk(predict) if isinstance(n, ast.Name) and n.id == "batch" and id(n) not in counted]
    return bool(rows) and all(id(n) in given for n in rows)
