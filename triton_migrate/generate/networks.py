"""Takes an assembled pipeline, gives the `Network`s that Triton's framework backends can run for it, and why others stay.

A network is exported by a script that runs in the user's environment (`export_<name>.py`). That script and, in Triton, `model.py` put
something else in the place of the original by `use_<name>`, a function of pipeline.py: the script a recorder, `model.py` Triton's
network. So nothing else in pipeline.py knows of it, and TRITON_URL=local and a server without the export run the original.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum

from triton_migrate.base import Span
from triton_migrate.classify.exports import export
from triton_migrate.generate.bare import unfit
from triton_migrate.generate.pipeline import Assembly
from triton_migrate.index import ir
from triton_migrate.plan.around.registries import Chosen, Version
from triton_migrate.plan.cutting.cut import Crossing
from triton_migrate.plan.cutting.cutter import Cutter
from triton_migrate.plan.planned import PlannedModel
from triton_migrate.plan.records import Bare, Network, Tensor
from triton_migrate.plan.rows import frame_at
from triton_migrate.plan.staged.bare import bare_stages
from triton_migrate.plan.values.vtype import VType
from triton_migrate.resolve.scopes import Frame, Scope
from triton_migrate.rulebook.vocabulary import FlowCall
from triton_migrate.trace.models import model_name
from triton_migrate.trace.records import ModelRef, PredictSite

ASKED = "a call of it costs less than the way to a model of its own, and its export computes in float32; --export exports it all the same"


NET, ESTIMATOR = 1e-3, 1e-4  # what float32 makes of a deep network, and of a shallow one


class Exports(Enum):
    """Which models leave their framework."""

    NONE = "none"
    NETWORKS = "networks"  # those that gain by it
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Exporting:
    """What is asked for, and the names of the models' networks in the repository, by pipeline and the model's id: pipelines share them.

    `bare`: stages of ensembles that may be their network itself, or why not.
    """

    wanted: Exports
    names: Mapping[tuple[str, str], str]
    bare: Mapping[str, Bare | str] = field(default_factory=dict)
    never: str = ""  # why nothing of a pipeline may leave its framework


def exporting(planned: tuple[PlannedModel, ...], wanted: Exports) -> Exporting:
    """A network is called as its model, or `..._network` where its pipeline has that name.

    What `load(path)` gives is one model per `path`: each pipeline has a network of its own then. The models between which an application
    chooses are one network in several versions.
    """
    taken = {each.name for model in planned for each in (model, *(part for part, _ in model.parts))}
    runs = {each.name: each for model in planned for each in (model, *(part for part, _ in model.parts)) if not each.parts}
    names: dict[tuple[str, str], str] = {}
    for ref in dict.fromkeys(ref for model in planned for ref in model.models):
        users = [each for each in runs.values() if ref in each.models]
        apart = (len(users) > 1 and _is_of_several(ref, users[0].cutter)) or any(each.cut.registry is not None for each in users)
        name = ""
        for each in users:
            if each.cut.registry is not None and (known := next((n for (of, _), n in names.items() if of == each.name), "")):
                name = known
            elif apart or not name:
                name = f"{each.name}_network" if apart else model_name(ref)
                while name in taken:
                    name += "_network"
                taken.add(name)
            names[each.name, ref.id] = name
    return Exporting(wanted, names, bare_stages(planned))


def _is_of_several(ref: ModelRef, cutter: Cutter) -> bool:
    """Whether the load call may be that of several models: it is a function's that is told which."""
    scopes = cutter.evaluator.program.files[ref.span.file].scopes
    at = ref.span.at
    around = [s for s in scopes if s.kind == "function" and isinstance(s.node, ir.Function) and ir.holds(s.function.at, at)]
    return ref.artifact is None and any(s.function.parameters for s in around)


@dataclass(frozen=True, slots=True)
class Runs:
    """How one pipeline.py runs its models. `place`: the expression there that is the model of a predict site."""

    cutter: Cutter
    sites: tuple[PredictSite, ...]
    place: Callable[[PredictSite], str | None]
    invalid: tuple[str, ...]  # what the app answers when the model raises it
    streams: bool
    inputs: tuple[tuple[str, str], ...] | None  # kinds of examples


def runs(assembly: Assembly) -> Runs:
    def place(site: PredictSite) -> str | None:
        return _place(assembly, site)

    return Runs(assembly.cutter, assembly.sites, place, assembly.invalid, bool(assembly.cut.streams), examples(assembly.surface.inputs))


def runs_alone(cutter: Cutter, sites: tuple[PredictSite, ...], held: str) -> Runs:
    """Of a model that is served without a pipeline around it; `held` is what pipeline.py calls it."""
    return Runs(cutter, sites, lambda _: held if re.fullmatch(r"[\w.]+", held) else None, ("Exception",), False, None)


def of_version(pipeline: Runs, planned: PlannedModel, chosen: Chosen) -> tuple[Runs, PlannedModel] | None:
    """The pipeline of one version, which runs one of the models that the application has; None where it runs others besides."""
    loads = {v.number: tuple(ref for ref in planned.models if _place_of(v).holds(ref.span)) for v in chosen.registry.versions}
    own = planned.models if len(planned.models) == 1 else loads[chosen.version.number]
    if len(own) != 1 or (len(planned.models) > 1 and {*planned.models} != {ref for each in loads.values() for ref in each}):
        return None
    return replace(pipeline, sites=tuple(replace(s, models=own) for s in pipeline.sites)), replace(planned, models=own)


def _place_of(version: Version) -> Span:
    return Span(version.scope.file, *version.expr.at)


def in_versions(each: Sequence[tuple[int, tuple[Network, ...]]]) -> tuple[Network, ...]:
    """The one network of all versions; none where they could not be that."""
    alike = {replace(n, place="", why="") for _, found in each for n in found}
    if len(alike) != 1 or any(len(found) != 1 for _, found in each):
        return ()
    return (replace(each[0][1][0], versions=tuple(number for number, _ in each)),)


def networks(pipeline: Runs, planned: PlannedModel, asked: Exporting) -> tuple[tuple[Network, ...], tuple[str, ...]]:
    """-> what can be exported, and one sentence for each model that stays in the Python backend."""
    found: list[Network] = []
    stay: list[str] = []
    for ref in planned.models:
        made = _network(pipeline, ref, planned.name, asked)
        if isinstance(made, str):
            stay.append(f"{ref.loader} ({ref.span.place}): {made}")
        else:
            found.append(made)
    return tuple(found), tuple(stay)


def as_stage(network: Network, planned: PlannedModel, asked: Exporting, pipeline: str, split: bool) -> Network:
    """The network with the stage whose place it takes, or with why there is none, if the pipeline is a stage."""
    bare = asked.bare.get(planned.name)
    if isinstance(bare, Bare) and (why := unfit(network, pipeline, split)):
        bare = why
    if isinstance(bare, Bare):
        return replace(network, bare=bare, why=f"{network.why}; it is the step {bare.stage} of its ensembles then")
    return replace(network, why=f"{network.why}; {planned.name} stays in Python and asks it: {bare}") if bare else network


def replacing(network: Network, pipeline: str) -> str:
    """The function of pipeline.py that puts something in the place of the original."""
    root = network.place.partition(".")[0].partition("[")[0]
    declared = f"    global {root}\n" if root == network.place else ""
    owner, _, attribute = network.place.rpartition(".")
    target = f"type({owner}).{attribute}" if _is_property(attribute, pipeline) else network.place
    said = f"What `made` makes of the original takes its place: in Triton the network {network.name}, once it is exported."
    return f'\n\ndef use_{network.name}(made):\n    """{said}"""\n{declared}    {target} = made({network.place})\n'


def _is_property(name: str, pipeline: str) -> bool:
    """Whether a class there computes the attribute, so that its objects cannot be given another."""
    methods = (n for n in ast.walk(ast.parse(pipeline)) if isinstance(n, ast.FunctionDef) and n.name == name)
    return any(isinstance(d, ast.Name) and d.id == "property" for method in methods for d in method.decorator_list)


def _network(pipeline: Runs, ref: ModelRef, of: str, asked: Exporting) -> Network | str:
    if asked.never or asked.wanted is Exports.NONE:
        return asked.never or "--no-export"
    if pipeline.streams:
        return "it runs for each piece of a stream, and keeps its state from one to the next"
    how = export(ref, pipeline.cutter.rulebook)
    if how.by is None:
        known = "" if how.answer != "yes" else ", for which no export script is known"
        return f"{how.reason}{known}"
    if how.by.export_asked and asked.wanted is not Exports.ALL:
        return ASKED
    sites = [s for s in pipeline.sites if ref in s.models]
    if any(len(s.models) > 1 for s in sites):
        return "the call that runs it runs another model at other times"
    exported = [s for s in sites if _method(s) in how.by.export_calls]
    if not exported:
        return f"what {sites[0].text} does is more than one run of the network"
    if why := next((w for s in exported if (w := _unfit(pipeline, s, how.by.export_asked))), ""):
        return why
    places = {pipeline.place(s) for s in exported}
    if len(places) > 1 or None in places:
        return f"pipeline.py does not hold it by one name ({exported[0].span.place})"
    (place,) = places
    assert place is not None
    calls = tuple(dict.fromkeys(map(_method, exported)))
    return Network(
        asked.names[of, ref.id], place, ref.framework, ref.backend, how.by.export, how.by.export_needs, calls,
        ESTIMATOR if how.by.export_asked else NET, pipeline.inputs, how.reason,
    )  # fmt: skip


def _method(site: PredictSite) -> str:
    """ "()" for a call of the model itself."""
    return "()" if site.api.path.endswith("()") else site.api.path.rpartition(".")[2]


def _unfit(pipeline: Runs, site: PredictSite, estimator: bool) -> str:
    """Why the exported file would answer otherwise than the original."""
    rows = pipeline.cutter.predicts.rows(site) or ()
    kinds = {_leaf(kind) for kind, _ in rows}
    if "frame" in kinds:
        return "it is given a table, whose columns an exported file takes one by one"
    if "str" in kinds:
        return "it is given text, which exported vectorisers split otherwise"
    if estimator and pipeline.invalid:
        return f"the application answers {', '.join(pipeline.invalid)} of it, which an exported file does not raise"
    return ""


def _leaf(kind: VType) -> str:
    while kind.kind in ("list", "tuple") and kind.items:
        kind = kind.items[0]
    return kind.kind


# ---------------------------------------------------------------- where pipeline.py holds it


def _place(assembly: Assembly, site: PredictSite) -> str | None:
    """The receiver of the predict call as an expression of pipeline.py's globals: the calls that lead there, put into each other."""
    depth = next((d for d in range(len(site.chain) + 1) if frame_at(site, d).scope is assembly.cut.scope), None)
    if assembly.cut.kind == "model":
        depth = len(site.chain)  # the call itself, from wherever it left
    if depth is None:
        return None
    call: ast.expr = ast.parse(assembly.called(site, depth), mode="eval").body
    for level in range(depth, len(site.chain)):
        inner = frame_at(site, level + 1)
        outward = site.chain[level]
        given = _given(assembly, call, outward[0], outward[1], inner.scope)
        following = site.chain[level + 1][0] if level + 1 < len(site.chain) else site.call
        call = _Put(_known(assembly, inner.scope), given).visit(_parsed(assembly, inner.scope, following))
    if not isinstance(call, ast.Call):
        return None
    receiver = call.func if _method(site) == "()" else call.func.value if isinstance(call.func, ast.Attribute) else None
    root = receiver
    while isinstance(root, (ast.Attribute, ast.Subscript)):
        if isinstance(root, ast.Subscript) and not isinstance(root.slice, ast.Constant):
            return None
        root = root.value
    own = {*assembly.closure.globals, *assembly.closure.names.values()}
    return ast.unparse(receiver) if receiver is not None and isinstance(root, ast.Name) and root.id in own else None


def _parsed(assembly: Assembly, scope: Scope, call: ir.Call) -> ast.expr:
    text = assembly.closure.texts[scope.file].piece(call.at)
    return ast.parse(f"({text})", mode="eval").body


def _known(assembly: Assembly, scope: Scope) -> Mapping[str, str]:
    """Names of a function of the app that pipeline.py has too; its own variables are none of them."""
    local = assembly.local(scope)
    return {name: made for (file, name), made in assembly.closure.names.items() if file == scope.file and name not in local}


def _given(assembly: Assembly, call: ast.expr, written: ir.Call, frame: Frame, scope: Scope) -> dict[str, ast.expr]:
    """Parameters of the called function with what they are, `self` among them."""
    if not isinstance(call, ast.Call):
        return {}
    function, args = call.func, list(call.args)
    for rule in _flows(assembly, written, frame):
        if rule.function.isdigit() and rule.first >= 0 and len(args) > int(rule.function):
            function, args = args[int(rule.function)], args[rule.first :]
    names = [p.name for p in scope.function.parameters if p.kind == "positional"]
    found: dict[str, ast.expr] = {}
    if scope.owner is not None and names:
        found[names.pop(0)] = function.value if isinstance(function, ast.Attribute) and function.attr == scope.name else function
    found.update(zip(names, args, strict=False))
    found.update({k.arg: k.value for k in call.keywords if k.arg})
    return found


def _flows(assembly: Assembly, call: ir.Call, frame: Frame) -> Iterator[FlowCall]:
    evaluator = assembly.cutter.evaluator
    for api in evaluator.apis(call.func, frame):
        if (rule := evaluator.rulebook.find(api.called, FlowCall)) is not None:
            yield rule


class _Put(ast.NodeTransformer):
    """Parameters replaced by arguments, names of the app by those of pipeline.py; any other name by one that nothing has."""

    def __init__(self, known: Mapping[str, str], given: Mapping[str, ast.expr]) -> None:
        self.known, self.given = known, given

    def visit_Name(self, node: ast.Name) -> ast.expr:
        if node.id in self.given:
            return self.given[node.id]
        return ast.Name(self.known.get(node.id, "?"), node.ctx)


# ---------------------------------------------------------------- examples


def examples(inputs: tuple[tuple[Tensor, Crossing], ...]) -> tuple[tuple[str, str], ...] | None:
    """By tensor of a pipeline, the kind of example that exporting.py makes; None where one is not known."""
    found = {t.name: _example(crossing.type, t.provenance == "json", t.dtype) for t, crossing in inputs}
    return tuple((name, json.dumps(kind)) for name, kind in found.items()) if all(found.values()) else None


def _example(kind: VType, as_json: bool, dtype: str) -> object:
    """A kind that exporting.py can make an example of; None where the shape of the value is not known."""
    if as_json:
        made = _plain(kind)
        return {"json": made} if made is not None else None
    if kind.kind == "array":
        return None
    return {"image": "image", "file": "bytes", "bytes": "bytes", "path": "path", "str": "text"}.get(kind.kind, dtype)


def _plain(kind: VType) -> object:
    if kind.kind in ("int", "float", "bool"):
        return kind.kind
    if kind.kind == "str":
        return "text"
    if kind.kind == "list" and kind.items and (inner := _plain(kind.items[0])) == "text":
        return [inner]
    if kind.kind == "record" and kind.cls is not None:
        fields = [s.targets[0] for s in kind.cls.scope.definition.body if isinstance(s, ir.Assign) and s.annotation is not None]
        made = {f.id: _plain(i) for f, i in zip(fields, kind.items, strict=True) if isinstance(f, ir.Name)}
        return {"$record": [kind.cls.scope.name, made]} if None not in made.values() else None
    return None
