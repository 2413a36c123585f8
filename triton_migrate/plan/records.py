"""What a port is made of: the Triton models, the edits in the app, and what could not be done."""

from __future__ import annotations

from dataclasses import dataclass

from triton_migrate.base import Span


@dataclass(frozen=True, slots=True)
class Tensor:
    """One named Triton tensor that crosses the cut.

    `dtype` is Triton's name without `TYPE_` (`FP64`, `INT64`, `STRING` …), `dims` leave the batch axis out (-1 = variable).
    `variable` is the user's name for the value; `provenance` is declared | inferred | observed | json | bytes (`json` = one STRING of JSON,
    `bytes` = between stages of an ensemble, the value as triton_call freezes it).
    """

    name: str
    dtype: str
    dims: tuple[int, ...]
    variable: str
    provenance: str


@dataclass(frozen=True, slots=True)
class Wired:
    """One step of an ensemble: a model, its tensors -> those of the ensemble."""

    model: str
    inputs: tuple[tuple[str, str], ...]
    outputs: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Bare:
    """The stage of an ensemble that may be its network itself, on a framework backend, once it is exported.

    What the stage's function does besides is done by its neighbours then: (model, its tensor) that `writes` the stage's `input`, and those
    that `read` its `output`.
    """

    stage: str
    input: str
    output: str
    writes: tuple[str, str]
    read: tuple[tuple[str, str], ...]
    ensembles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Network:
    """What a pipeline runs and a framework backend of Triton can run for it, once `export_<name>.py` has written it.

    `place` is the expression by which `pipeline.py` holds it; `inputs` are the kinds of examples by tensor of the pipeline, as
    Python text; None where no example can be made up.
    """

    name: str
    place: str
    framework: str
    backend: str
    script: str  # template export_<script>.py
    needs: tuple[str, ...]  # distributions of the script
    calls: tuple[str, ...]  # its methods that the pipeline calls, "()" being its own call
    tolerance: float  # of the largest value: what it may differ from the original
    inputs: tuple[tuple[str, str], ...] | None
    why: str
    steps: tuple[Wired, ...] = ()  # of the ensemble whose inputs these are, up to the stage that runs the network
    gpus: tuple[int, ...] = ()  # where the application's code puts it; none: where there is room
    bare: Bare | None = None
    versions: tuple[int, ...] = ()  # those of the pipeline, each of which runs its own; none: there is one


@dataclass(frozen=True, slots=True)
class OnGpu:
    """Where the application's code puts a model that it does not let its machine choose. `places` say it.

    Of one GPU each instance has its own; with several, or `spread` by the library, an instance has them all.
    """

    gpus: tuple[int, ...]
    spread: bool
    places: tuple[Span, ...]

    @property
    def each(self) -> bool:
        """Whether Triton decides which GPU an instance gets."""
        return len(self.gpus) == 1 and not self.spread


@dataclass(frozen=True, slots=True)
class QueuePolicy:
    """How long a request may wait for the model in microseconds, and how many may; 0: no limit. `places` of the application say it."""

    timeout: int
    size: int
    places: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Levels:
    """Priorities of requests, the most urgent first: the number that the queue was told, and where; `usual` is the level without one."""

    told: tuple[tuple[int, Span | None], ...]
    usual: int


@dataclass(frozen=True, slots=True)
class Numbered:
    """One of several versions of a model: what the application calls it, and the text of its `pipeline.py`. `place`: where it says so."""

    number: int
    name: str
    pipeline: str
    place: Span


@dataclass(frozen=True, slots=True)
class ServedModel:
    """One model of the repository, on the Python backend.

    `pipeline` is the finished text of `1/pipeline.py`, whose surface is

        INVALID: tuple[type[Exception], ...]                     what the app turns into its own 4xx
        load() -> None                                           once per process, cwd = the app's root
        preprocess(inputs) -> (batch, carried)                   one request; inputs: tensor name -> array [1, *dims]
        stack(batches) -> batch                                  several batches of equal row shape into one
        row_shape(batch) -> hashable                             batches of equal row shape may be stacked
        predict(batch, wanted) -> {name: rows}                   ONE call for all rows; wanted: names of requested outputs
        postprocess(rows, carried) -> {tensor name: array}       rows as predict gave them, cut to this request's rows
        run(inputs, wanted) -> {tensor name: array}              all of it for one request (TRITON_URL=local)

    `stacked` False means the model call is not known to be row-independent: requests are run one by one. A `decoupled` model answers with
    any number of responses; instead of all but the first two it has

        stream(inputs) -> generator of {tensor name: array}      one request; "async def" where the app's generator is
    """

    name: str
    max_batch_size: int
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    stacked: bool
    pipeline: str
    requirements: tuple[str, ...]  # distributions (with versions where the app pins them) that the model side needs
    artifacts: tuple[str, ...]  # files it loads, relative to the app
    moved_from: tuple[Span, ...]  # statements of the app it took over
    framework: str
    why: str  # one sentence: why cut here
    networks: tuple[Network, ...] = ()
    not_exported: tuple[str, ...] = ()  # what of its models stays in the Python backend, and why
    decoupled: bool = False
    alone: bool = False  # one input CALL, one output RESULT: see plan.alone
    steps: tuple[Wired, ...] = ()  # of an ensemble, which has no pipeline of its own
    beside: bool = False  # a stage whose neighbour may be a network
    instances: int = 1
    workers: str = ""  # where the application says how many workers it has, if its instances are as many
    on: OnGpu | None = None
    policy: QueuePolicy | None = None
    levels: Levels | None = None
    cached: str = ""  # where the application gives results again, if the server may do so, too
    reloaded: tuple[Span, ...] = ()  # where the application has it loaded anew
    versions: tuple[Numbered, ...] = ()  # none: there is one, whose pipeline is `pipeline`

    @property
    def backend(self) -> str:
        return "ensemble" if self.steps else "python"

    @property
    def pipelines(self) -> tuple[tuple[int, str], ...]:
        """The text of each version's `pipeline.py`."""
        return tuple((v.number, v.pipeline) for v in self.versions) or ((1, self.pipeline),)


@dataclass(frozen=True, slots=True)
class NotPorted:
    """A pipeline (or a part) that stays as it is: why, where, and the smallest edit that would unblock it."""

    endpoint: str
    reason: str
    span: Span
    fix: str
