"""Takes moved statements and a name, says whether they change its object out of sight, and whether the app would see it.

A function of the program that is handed a list may append to it; whoever reads a file in memory leaves off somewhere. A copy of the object
is changed on the model's side: what the app goes on with has to come back.
"""

from __future__ import annotations

from collections.abc import Iterator

from triton_migrate.index import flow, ir
from triton_migrate.plan.cutting import liveness
from triton_migrate.plan.leaving.files import Files, ways_down
from triton_migrate.plan.values.types import Types
from triton_migrate.resolve.calls import argument_map
from triton_migrate.resolve.evaluate import Evaluator
from triton_migrate.resolve.scopes import Frame
from triton_migrate.resolve.values import UserClass

DEPTH = 4  # functions handing it on
STAYS = frozenset(
    {"getvalue", "getbuffer", "tell", "seekable", "readable", "writable", "close", "closed"}
)  # says or does nothing of the position


class Unseen:
    """Answers for one pipeline."""

    def __init__(self, evaluator: Evaluator, types: Types, files: Files) -> None:
        self.evaluator, self.types, self.files = evaluator, types, files
        self._filled: dict[tuple[str, int, Frame], tuple[bool, ir.Stmt]] = {}  # with the statement, so that its id stays its own

    def changed(self, run: ir.Block, names: set[str], frame: Frame) -> set[str]:
        """The names whose objects the statements change out of sight."""
        if not run:
            return set()
        used = frozenset().union(*map(_read_on, flow.flatten(run)))

        def moves(name: str) -> bool:
            """Whether they read a file in memory from where it stands, or write to it."""
            return name in used and self.types.name(name, frame, run[0].at).kind == "buffer"

        return {n for n in names & flow.reads(run) if moves(n) or any(self._fills(n, s, frame, 0) for s in run)}

    def _fills(self, name: str, stmt: ir.Stmt, frame: Frame, depth: int) -> bool:
        """Whether a statement hands the object to a function of the program that puts something into it."""
        key = (name, id(stmt), frame)
        if key not in self._filled:
            self._filled[key] = False, stmt  # a function that calls itself
            self._filled[key] = any(self._filled_by(call, name, frame, depth) for call in _handed(name, stmt)), stmt
        return self._filled[key][0]

    def _filled_by(self, call: ir.Call, name: str, frame: Frame, depth: int) -> bool:
        for value in self.evaluator.values(call.func, frame):
            for function in () if isinstance(value, UserClass) or depth == DEPTH else self.evaluator.callables(value):
                own = function.scope.function
                given = argument_map(own.parameters[1:] if function.receiver is not None else own.parameters, call)
                inner = self.evaluator.program.generic(function.scope)
                for parameter in (n for n, e in given.items() if isinstance(e, ir.Name) and e.id == name):
                    if liveness.fills(own.body, parameter) or any(self._fills(parameter, s, inner, depth + 1) for s in own.body):
                        return True
        return False

    # ------------------------------------------------------------ whether it is seen

    def seen(self, name: str, run: ir.Block, frame: Frame) -> bool:
        """Whether a function that was handed the object, or one of its callers, goes on with it once the statements have run."""
        only_read = self.types.name(name, frame, run[0].at).kind == "buffer" and self.files.named(name, run, frame).only
        return self._by_callers(name, frame, only_read)

    def below(self, lifts: tuple[ir.Assign, ...], names: set[str], frame: Frame) -> bool:
        """Whether one of these expressions changes an object out of sight that is read below it, or may be seen by a caller."""
        for lift in lifts:
            for name in self.changed((lift,), names, frame):
                later = (ways for s in flow.flatten(frame.scope.body) for ways in _uses(name, s) if ways[-1].at[:2] >= lift.at[2:])
                if any(later) or self.seen(name, (lift,), frame):
                    return True
        return False

    def _by_callers(self, name: str, frame: Frame, only_read: bool) -> bool:
        if (entered := self.types.callers.get(frame.scope)) is None:
            return False
        call, caller = entered
        given = self.evaluator.passed(frame.scope, call, caller).get(name)
        if isinstance(given, (ir.Call, ir.Constant)) or given is None:
            return False
        return not isinstance(given, ir.Name) or self._goes_on(given.id, call, caller, only_read)

    def _goes_on(self, name: str, call: ir.Call, frame: Frame, only_read: bool) -> bool:
        body = frame.scope.body
        stmt = next((s for s in flow.flatten(body) if any(p.at == call.at for p in flow.own(s))), None)
        if stmt is None or not all(liveness.evaluated_once(stmt, p) for p in flow.own(stmt) if isinstance(p, ir.Call) and p.at == call.at):
            return True
        later = [ways for s in flow.flatten(body) for ways in _uses(name, s) if ways[-1].at[:2] >= call.at[2:]]
        if later and not (only_read and _anew(later)):
            return True
        loops = tuple(flow.loops_around(body, stmt.at))
        if any(name in flow.exposed((loop,)) for loop in loops):
            return True
        parameter = frame.scope.kind == "function" and name in {p.name for p in frame.scope.function.parameters}
        return parameter and self._by_callers(name, frame, only_read)


def _uses(name: str, stmt: ir.Stmt) -> Iterator[tuple[ir.Expr, ...]]:
    for expr in flow.expressions(stmt):
        yield from ways_down(expr, lambda e: isinstance(e, ir.Name) and e.id == name)


@flow.remembered
def _read_on(stmt: ir.Stmt) -> frozenset[str]:
    """The names of `content.read(4)` and `decode(content)` in a statement's own expressions; not that of `content.getvalue()`."""
    around = (p for p in flow.own(stmt) if not (isinstance(p, ir.Attribute) and p.attr in STAYS))
    read = (*flow.expressions(stmt), *(e for p in around for e in flow.children(p)))
    return frozenset(e.id for e in read if isinstance(e, ir.Name))


def _anew(later: list[tuple[ir.Expr, ...]]) -> bool:
    """Whether what is done later with a file does not depend on where it stands: it is first put where it is wanted, or only closed."""
    for ways in sorted(later, key=lambda ways: ways[-1].at):
        above = ways[-2] if len(ways) > 1 else None
        if not isinstance(above, ir.Attribute):
            return False
        if above.attr == "seek":
            return True
        if above.attr == "tell" or above.attr not in STAYS:
            return False
    return True


def _handed(name: str, stmt: ir.Stmt) -> Iterator[ir.Call]:
    """The calls in a statement, and in those inside it, that are given the name as it is."""
    for inner in flow.flatten((stmt,)):
        for part in flow.own(inner):
            if isinstance(part, ir.Call) and any(
                isinstance(e, ir.Name) and e.id == name for e in (*part.args, *(v for _, v in part.keywords))
            ):
                yield part
