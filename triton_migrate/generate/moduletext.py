"""The text of a generated module that is not moved code: its head, imports in order, functions around moved statements, blank lines."""

from __future__ import annotations

import sys
import textwrap

from triton_migrate.plan.copied.closure import Closure

HEAD = '''\
"""The {name} pipeline: plain Python, no Triton.

model.py serves it, client.py runs it when TRITON_URL=local. Moved from {place}.
"""
'''
ROOT = """\
APP_ROOT = Path(os.environ.get("APP_ROOT") or Path(__file__).resolve().parents[4])
sys.path.insert(0, str(APP_ROOT))  # pickles find the app's classes
"""


def load_function(closure: Closure) -> str:
    """The text of load()."""
    names = ", ".join(closure.globals)
    body = (f"global {names}\n" if names else "") + "".join(closure.load)
    if "except" in body:  # the app may start without its model; a Triton model that has none must not
        body += "".join(f'if {g} is None:\n    raise RuntimeError("{g} was not loaded")\n' for g in closure.globals)
    return "def load():\n" + (textwrap.indent(body, "    ") if body else "    pass\n")


def function(name: str, parameters: list[str], body: str, docstring: str = "", decorators: str = "", word: str = "") -> str:
    doc = f'    """{docstring}"""\n' if docstring else ""
    return f"{decorators}{word}def {name}({', '.join(parameters)}):\n{doc}{textwrap.indent(body, '    ')}"


def wrapped(context: list[str], body: str) -> str:
    for head in reversed(context):
        body = f"{head}\n{textwrap.indent(body, '    ')}"
    return body


def ordered(lines: list[str]) -> str:
    """Import statements: the standard library's, then the others'; names from one module on one line."""
    plain: set[str] = set()
    members: dict[str, set[str]] = {}
    for line in (line for text in lines for line in text.splitlines()):
        module, _, names = line.removeprefix("from ").partition(" import ")
        if line.startswith("from "):
            members.setdefault(module, set()).add(names)
        else:
            plain.add(line)
    every = [*sorted(plain), *(f"from {m} import {', '.join(sorted(n))}" for m, n in sorted(members.items()))]
    standard = [line for line in every if line.split()[1].split(".")[0] in sys.stdlib_module_names]
    others = [line for line in every if line not in standard]
    return "\n".join(standard) + "\n" + ("\n" + "\n".join(others) + "\n" if others else "")


def spaced(parts: list[str]) -> str:
    """Two blank lines around definitions, one between the rest."""
    out = parts[0].rstrip() + "\n"
    previous = ""
    for part in parts[1:]:
        block = part.rstrip() + "\n"
        wide = _defines(block) or _defines(previous)
        out += ("\n\n" if wide else "\n" if not previous or previous.startswith("INVALID") else "") + block
        previous = block
    return out


def _defines(block: str) -> bool:
    return block.startswith(("def ", "class ", "@", "async def "))
