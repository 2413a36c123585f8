"""Where a pipeline is cut, as records: the `Cut` with the values that cross it, or why there is none."""

from __future__ import annotations

from dataclasses import dataclass

from triton_migrate.base import Span
from triton_migrate.index import ir
from triton_migrate.plan.around.registries import Registry
from triton_migrate.plan.cutting.exits import Exit
from triton_migrate.plan.values.vtype import SCALARS, VType, union
from triton_migrate.resolve.scopes import Frame, Scope
from triton_migrate.trace.records import PredictSite

NUMPY_TO_TRITON = {
    "bool": "BOOL", "int8": "INT8", "int16": "INT16", "int32": "INT32", "int64": "INT64", "uint8": "UINT8", "uint16": "UINT16",
    "uint32": "UINT32", "uint64": "UINT64", "float16": "FP16", "float32": "FP32", "float64": "FP64",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Crossing:
    """One value that crosses the cut, by the user's name for it."""

    name: str
    type: VType


@dataclass(frozen=True, slots=True, eq=False)
class Cut:
    """Where one pipeline is cut.

    `block[first : last + 1]` leaves the function at `scope`; for `kind` "model" only the predict calls in it do. `sites` are the
    predict calls inside. A "stream" is a run of a generator whose yields are its output. `tail`: the run ends with the function, its
    value is what the function returns. `stacked`: the predict call is row-independent and reached without control flow, so that rows of
    several requests can be stacked. `lifts` are expressions of statements below the run that leave with it, written as assignments (see
    `liveness.lift`); then the run itself may be empty. `hoists` are expressions of what leaves that read the request, written so, too:
    the app evaluates them, and their values are inputs. `dropped` are statements inside the run that nothing needs any more.
    With a `registry` the served model has a version for each of its entries, and `version` is what gives the number in the app: a name,
    or an expression of what leaves. `exits` are the statements of the run at which the app may answer early (see plan.exits); `block` has
    them as they are on the model's side. Where the application goes on running the model itself, it does so `again`.
    """

    kind: str  # model | region | stream
    scope: Scope
    frame: Frame
    block: ir.Block
    first: int
    last: int
    sites: tuple[PredictSite, ...]
    inputs: tuple[Crossing, ...]
    outputs: tuple[Crossing, ...]
    receivers: tuple[str, ...]  # live-ins that are objects to be made on the model's side (`self`, a loaded model)
    tail: bool
    stacked: bool
    call: ir.Call  # the call, in this function, that runs the model: the predict call, or one of a function that only makes it
    rows: tuple[tuple[VType, ir.Expr], ...]  # the arguments of that call that carry rows
    cost: float
    why: str
    lifts: tuple[ir.Assign, ...] = ()
    hoists: tuple[ir.Assign, ...] = ()
    dropped: tuple[ir.Stmt, ...] = ()
    registry: Registry | None = None
    version: ir.Expr | None = None
    exits: tuple[Exit, ...] = ()
    again: bool = False

    @property
    def streams(self) -> bool:
        """Whether results are sent as they are made: those that the run yields, or those of an iterator that it makes."""
        return self.kind == "stream" or any(c.type.kind == "stream" for c in self.outputs)

    @property
    def whole(self) -> bool:
        """Whether the run is all that the function does."""
        function = self.scope.function
        return self.block is function.body and self.first == int(function.docstring) and self.last == len(function.body) - 1

    @property
    def run(self) -> ir.Block:
        """The statements that leave as a whole."""
        return self.block[self.first : self.last + 1]

    @property
    def moved(self) -> ir.Block:
        """All that is computed on the model's side."""
        return (*self.run, *self.lifts)

    @property
    def span(self) -> Span:
        statements = self.run or self.lifts
        one, two = statements[0].at, statements[-1].at
        return Span(self.scope.file, one[0], one[1], two[2], two[3])


Way = tuple[Cut, ...]  # the cuts of one pipeline, which are made together


@dataclass(frozen=True, slots=True)
class NoCut:
    """Why a pipeline cannot be cut, where, and the smallest edit that would unblock it."""

    reason: str
    span: Span
    fix: str


def typed(kind: VType) -> bool:
    """Whether the value becomes a tensor of its own dtype rather than JSON."""
    if kind.kind in ("str", "bytes", "int", "float", "bool", "image", "file", "path"):
        return True
    if kind.kind == "list":
        return kind.pictures or (bool(kind.items) and union(kind.items).kind in SCALARS)
    return kind.dtype in NUMPY_TO_TRITON and (kind.kind == "number" or (kind.kind == "array" and kind.rank > 0))
