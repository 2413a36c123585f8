"""Takes an entry, walks its code in order through the calls it makes, and gives the steps with the origins of every value.

An abstract interpreter over origins: each name maps to the steps, inputs, cells and predict sites its value depends on. Branches are
merged, loop bodies run until nothing new is carried over, at most twice, calls of the program's own functions are entered with what
the arguments may be. This module keeps the state of one walk; statements, expressions and calls have modules of their own.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from triton_migrate.base import Span
from triton_migrate.index import ir
from triton_migrate.resolve.scopes import Frame, Scope
from triton_migrate.trace import statements
from triton_migrate.trace.environment import Env, Heap, Seen
from triton_migrate.trace.fixed import NOTHING, Fixed
from triton_migrate.trace.named import callee_text
from triton_migrate.trace.records import Break, InputOrigin, PredictSite, Step
from triton_migrate.trace.shared import Entrance, Shared
from triton_migrate.trace.taints import CLEAN, Origins, Taint

__all__ = ["Walk", "callee_text"]

DEEPEST = 12
BUDGET = 4000  # statements walked from one entry; after that a function, or a class's method, is walked only if it was not yet
ROUNDS = 12  # walks through one function (for a method: on objects of one class) from one entry; after that its results are those it had


class Walk:
    """The walk from one entry. Read `steps`, `sites`, `breaks`, `whole`, `queue` afterwards."""

    def __init__(self, shared: Shared) -> None:
        self.shared, self.queues, self.models, self.cells = shared, shared.queues, shared.models, shared.cells
        self.evaluator, self.rulebook, self.program = shared.evaluator, shared.rulebook, shared.program
        self.origins = Origins()
        self.steps: list[Step] = []
        self.sites: list[PredictSite] = []
        self.breaks: dict[tuple[str, ir.At], Break] = {}
        self.suspects: dict[Span, tuple[Break, str]] = {}
        self.followed: set[Span] = set()  # calls that look as if they ran a model, and that some context could follow
        self.whole: dict[str, InputOrigin] = {}  # request containers read as a whole, by source
        self.queue: str | None = None
        self.heap = Heap()
        self.step: Step | None = None  # under way
        self.begun: dict[tuple[int, ir.At], Step] = {}  # the steps by function and place
        self.numbered: dict[tuple[str, ir.At], int] = {}  # predict sites
        self.fed: dict[int, Taint] = {}  # what the arguments of a predict site depend on
        self.active: list[Scope] = []
        self.layered: set[Scope] = set()  # functions that came to the layers of a network of the program's own
        self.chain: list[tuple[ir.Call, Frame]] = []
        self.queued = 0  # calls of the chain up to the last one that a worker takes up
        self.worker: int | None = None  # calls of the chain up to the first one that nobody waits for
        self.chained = CLEAN  # the result of the part of a workflow that was walked last
        self.decided = CLEAN  # predict sites whose results decide that the statement under way is reached
        self.answering = CLEAN  # those that decide what the entry answers
        self.given: dict[int, Taint] = {}  # what the parts of the calls under way depend on: walked once, not for every callee
        self.carried: dict[int, frozenset[str]] = {}  # names that a loop takes over from the round before
        self.fixed: Fixed = NOTHING  # parameters of the function under way that are constants
        self.visits = 0
        self._closures: dict[int, Env] = {}
        self._walked: dict[tuple[int, tuple[Taint, ...], str], tuple[Seen, Taint]] = {}  # by frame, and what the parameters depend on
        self._rounds: dict[tuple[Scope, Scope | None], int] = {}
        self._returned: dict[tuple[Scope, Scope | None], Taint] = {}

    @contextmanager
    def beside(self, *, queue: bool) -> Iterator[None]:
        """What is entered meanwhile by one more call runs beside the request; with `queue`, in a worker that takes it up."""
        queued, worker = self.queued, self.worker
        depth = len(self.chain) + 1
        self.queued, self.worker = depth if queue else queued, depth if worker is None else worker
        yield
        self.queued, self.worker = queued, worker

    def run(self, entrance: Entrance, taints: dict[str, Taint], fixed: Fixed = NOTHING) -> Taint:
        """Walk one call of a function; what it returns depends on. `fixed` are the parameters that are constants in it."""
        function, method = entrance.function, entrance.method
        scope = function.scope
        if scope in self.active or len(self.active) >= DEEPEST:
            return CLEAN.union(*taints.values())
        frame = entrance.frame(self.evaluator)
        parameters = {parameter.name: taints.get(parameter.name, CLEAN) for parameter in scope.function.parameters}
        key = (id(frame), tuple(parameters.values()), repr(fixed))
        known = self._walked.get(key)
        if known is not None and self.heap.unchanged(known[0]):
            return known[1]
        self._rounds[method] = self._rounds.get(method, 0) + 1
        if self._rounds[method] > (ROUNDS if self.visits < BUDGET else 1):
            return self._returned.get(method, CLEAN).union(*taints.values())
        env = Env(parameters, self._closures.get(id(function.frame.scope)))
        outer_env = self._closures.get(id(scope))
        self._closures[id(scope)] = env
        self.active.append(scope)
        step, self.step = self.step, None
        outside, self.fixed = self.fixed, fixed
        returned: list[Taint] = []
        seen = self.heap.watch(lambda: statements.block(self, scope.function.body, frame, env, returned))
        self.step, self.fixed = step, outside
        self.active.pop()
        if outer_env is not None:
            self._closures[id(scope)] = outer_env
        found = CLEAN.union(*returned)
        if scope.parent is not None and scope.parent.kind != "function":  # what a closure sees is not in the key
            self._walked[key] = seen, found
        self._returned[method] = self._returned.get(method, CLEAN) | found
        return found

    def run_module(self, frame: Frame) -> None:
        """Walk what a file does when it is started."""
        assert isinstance(frame.scope.node, ir.ModuleFacts)
        self.active.append(frame.scope)
        statements.block(self, frame.scope.node.body, frame, Env({}), [])
        self.active.pop()
