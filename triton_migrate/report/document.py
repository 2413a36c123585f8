"""The shape of report.json: one typed dict per record, so that every room that fills the report is checked by the type checker.

The document is the single source of the page and of the terminal's tables; `apply` and `verify` read it, add their part and write it
again. `report.schema.json` says the same for readers in other languages, and also which keys may be absent or null.
"""

from __future__ import annotations

from typing import Final, Literal, TypeAlias, TypedDict

from triton_migrate.report.verification import Verification

SCHEMA_VERSION: Final = 1

Category = Literal["tight", "loose", "modular", "individual", "none"]
DecidedBy = Literal["T1", "T2", "T3", "I1", "I2", "M1a", "M1b", "M1c", "loose"]
Source = Literal["json", "form", "file", "query", "path", "raw-body", "header", "cookie", "any"]
Provenance = Literal["declared", "inferred", "observed", "json", "bytes"]
ResponseKind = Literal["json", "html", "file", "text", "stream", "redirect"]
StageKind = Literal["parse", "pre", "model", "post", "respond"]
Side = Literal["app", "triton"]
Target = Literal["pytriton", "python-backend", "ensemble", "model"]
PortStatus = Literal["portable", "review", "blocked", "ported"]
Proof = Literal["parsed", "compiled", "loaded", "parity", "faster"]
Safety = Literal["safe", "review"]
FeatureStatus = Literal["on", "recommended", "not-applicable"]
Moment = Literal["import", "startup", "first-use", "per-request"]
Points = Literal[0, 1, 3, 5, 7, 13]
Dimension: TypeAlias = int | str  # a name where only a name is known, e.g. "height"


class Tool(TypedDict):
    name: str
    version: str


class SkippedFile(TypedDict):
    file: str
    reason: str


class FailedFile(TypedDict):
    file: str
    line: int
    error: str


class Files(TypedDict):
    """`scanned` files were looked at; `analysed` ones are what the findings rest on."""

    scanned: int
    analysed: int
    skipped: list[SkippedFile]
    failed: list[FailedFile]


class Application(TypedDict):
    """What a WSGI/ASGI server is pointed at: `target` is `pkg.main:app`; with `factory` it must be called first.

    `script` is the file to run by hand instead, where only its main part prepares what the handlers use. The likeliest comes first.
    """

    framework: str
    file: str
    line: int
    target: str
    server: Literal["wsgi", "asgi"]
    factory: bool
    script: str | None


class Input(TypedDict):
    name: str
    source: Source
    type: str | None
    dtype: str | None
    shape: list[Dimension] | None
    provenance: Provenance | None


class Output(TypedDict):
    name: str
    dtype: str | None
    shape: list[Dimension] | None
    provenance: Provenance | None


class _Placed(TypedDict):
    kind: StageKind
    name: str
    file: str
    line: int
    end_line: int
    model: str | None


class Stage(_Placed, total=False):
    """`side` says where the stage runs once ported; it is absent until a port is planned."""

    side: Side | None


class _Around(TypedDict, total=False):
    before: str
    after: str


class Evidence(_Around):
    """One reason for a verdict; `snippet` is the code as written, its first line being `line`; `before` and `after` stand around it."""

    rule: str
    message: str
    file: str
    line: int
    snippet: str


class Blocker(TypedDict):
    message: str
    file: str
    line: int
    fix: str


class NotDone(TypedDict):
    reason: str
    file: str
    line: int
    fix: str


class Effort(TypedDict):
    points: Points
    why: str


class Port(TypedDict):
    status: PortStatus
    proof: Proof | None
    not_done: list[NotDone]


class _Setting(TypedDict):
    feature: str
    status: FeatureStatus
    why: str
    setting: str | None


class Feature(_Setting, total=False):
    """A concern of NVIDIA's guide: what the application does `now` and where, and Triton's setting for it."""

    now: str | None
    file: str | None
    line: int | None


class Findings(TypedDict, total=False):
    """What is known about one pipeline. The schema asks for all but `doubts` on endpoints; tasks and consumers may leave parts out."""

    doubts: list[str]  # what the confidence lacks to 1, the weightiest first
    inputs: list[Input]
    outputs: list[Output]
    stages: list[Stage]
    confidence: float | None
    runner_up: Category | None
    evidence: list[Evidence]
    flags: list[str]
    blockers: list[Blocker]
    would_be_looser_if: str | None
    effort: Effort | None
    target: Target | None
    port: Port | None
    features: list[Feature]


class Verdict(TypedDict):
    """`models` are ids of `Model`; category and rule are null where no model is reached."""

    models: list[str]
    category: Category | None
    rule: DecidedBy | None


class Beside(TypedDict, total=False):
    """Of a route whose work goes on beside it, without a task queue."""

    options: list[TaskOption]


class Endpoint(Verdict, Findings, Beside):
    id: str
    framework: str
    methods: list[str]
    path: str
    handler: str
    file: str
    line: int
    inference: bool
    probe: bool
    queue: str | None
    response: ResponseKind | None


class TaskOption(TypedDict):
    """What the queue is told about a task, and what becomes of it."""

    option: str
    kind: str
    file: str
    line: int
    fate: Literal["kept", "mapped", "lost"]
    why: str
    without_queue: Literal["mapped", "lost"]
    setting: str | None


class Asked(TypedDict):
    file: str
    line: int


class Task(Verdict, Findings):
    name: str
    file: str
    line: int
    queue: str
    inference: bool
    options: list[TaskOption]
    direct: list[Asked]  # where a route waited for it, and runs it now without the queue


class Consumer(Verdict, Findings):
    file: str
    line: int
    function: str


class PredictSite(TypedDict):
    file: str
    line: int
    call: str


class Exported(TypedDict, total=False):
    """How a model leaves its framework: the exporter, "needs a split" or "custom code", and why."""

    export_route: str | None
    export_why: str | None


class Model(Exported):
    id: str
    file: str
    line: int
    framework: str
    loader: str
    artifact: str | None
    when: Moment
    exportable: Literal["yes", "no", "unknown"]
    backend: str | None
    predict_sites: list[PredictSite]


CacheFate = Literal["kept", "mapped"]


class Found(TypedDict):
    file: str
    line: int
    kind: str


class Metric(Found):
    """A metric of the application's own; it stays, and Triton counts much the same of its models as `triton`."""

    triton: list[str]


class Cache(Found):
    """A result cache of the application's own; it stays, and what is mapped is Triton's to answer, too."""

    fate: CacheFate
    why: str


class Elsewhere(TypedDict):
    """A call that asks a model which another process serves: nothing is there to move.

    `service` is null where only the address tells that a model answers; `entries` are ids of endpoints and tasks.
    """

    file: str
    line: int
    call: str
    service: str | None
    address: str | None
    entries: list[str]


class Unresolved(TypedDict):
    """A place where a model is loaded or, by its name, run, and that could not be resolved; `entries` are ids of endpoints and tasks."""

    file: str
    line: int
    call: str
    reason: str
    entries: list[str]


class Change(TypedDict):
    """One file of the port; `diff` is its unified diff."""

    file: str
    kind: Literal["new", "edit"]
    reason: str
    safety: Safety
    proof: Proof | None
    diff: str


class Seen(TypedDict, total=False):
    seen: str


class Tensor(Seen):
    """`dims` leave the batch axis out, -1 = variable; `variable` is the name the value has in the application.

    `seen`: what a recording saw of it, in words.
    """

    name: str
    dtype: str
    dims: list[int]
    variable: str
    provenance: Provenance


class ExportedNetwork(TypedDict):
    """A model that a framework backend runs once `script` has written it; `place` is what the pipeline calls it."""

    name: str
    backend: str
    script: str
    place: str
    why: str


class ServedModel(TypedDict):
    """A model of the repository; `endpoints` are ids of the pipelines it serves, `not_exported` says of its models which stay in Python."""

    name: str
    backend: str
    max_batch_size: int
    stacked: bool
    framework: str
    why: str
    inputs: list[Tensor]
    outputs: list[Tensor]
    endpoints: list[str]
    networks: list[ExportedNetwork]
    not_exported: list[str]


class NotPorted(TypedDict):
    endpoint: str
    reason: str
    file: str
    line: int
    fix: str


class Unregistered(TypedDict):
    """A handler that is written and that no application serves; `path` is empty where no route leads to it at all."""

    framework: str
    methods: list[str]
    path: str
    handler: str
    file: str
    line: int
    reason: str


class Suppressed(TypedDict):
    """A comment `# triton-migrate: ignore[rule] reason`, once for each of its rules; `line` is the one it speaks of."""

    file: str
    line: int
    rule: str
    reason: str
    used: bool


class Run(TypedDict):
    """What the report rests on besides the code: the rules, `rulebook` being a digest of their text, and the options of the command."""

    libraries: int
    rules: int
    rulebook: str
    options: list[str]


class Contradicted(TypedDict):
    """A value that the code says is one thing, and the recording saw to be another."""

    file: str
    line: int
    message: str


class Observed(TypedDict):
    """What `record` saw at run time: at how many `places`; of `stale` files nothing counts, as they have changed since."""

    places: int
    stale: list[str]
    contradicted: list[Contradicted]


class _Ran(TypedDict, total=False):
    run: Run
    observed: Observed | None


class Report(_Ran):
    schema_version: int
    tool: Tool
    root: str
    commit: str | None
    frameworks: list[str]
    app_category: Category
    app_confidence: float | None
    app_reasons: list[str]
    files: Files
    applications: list[Application]
    endpoints: list[Endpoint]
    tasks: list[Task]
    unregistered: list[Unregistered]
    consumers: list[Consumer]
    models: list[Model]
    elsewhere: list[Elsewhere]
    unresolved: list[Unresolved]
    caches: list[Cache]
    metrics: list[Metric]
    served_models: list[ServedModel]
    not_ported: list[NotPorted]
    changes: list[Change]
    suppressions: list[Suppressed]
    verification: Verification | None
