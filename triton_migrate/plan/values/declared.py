"""Takes an annotation, a class of the program or the path of a library's class, gives the type it declares."""

from __future__ import annotations

from dataclasses import replace

from triton_migrate.index import ir
from triton_migrate.plan.values.vtype import SCALARS, UNKNOWN, VType, either
from triton_migrate.resolve.evaluate import Evaluator
from triton_migrate.resolve.scopes import Frame, last_name
from triton_migrate.resolve.values import Api, UserClass

KNOWN_INSTANCES = {
    "file": (
        "werkzeug.datastructures.FileStorage()",
        "werkzeug.datastructures.FileStorage().stream",
        "fastapi.UploadFile().file",
        "fastapi.File().file",
    ),
    "array": ("numpy.ndarray()",),
    "tensor": ("torch.Tensor()",),
    "image": ("PIL.Image.Image()",),
    "frame": ("pandas.DataFrame()", "pandas.Series()"),
    "number": ("numpy.generic()",),
}


class Declared:
    """Answers for one program."""

    def __init__(self, evaluator: Evaluator) -> None:
        self.evaluator = evaluator
        self._known: dict[tuple[int, int], tuple[VType, ir.Expr, Frame]] = {}  # by annotation; the rest keeps ids alive

    def annotation(self, annotation: ir.Expr, frame: Frame) -> VType:
        """The type an annotation declares."""
        key = (id(annotation), id(frame))
        if (known := self._known.get(key)) is None:
            self._known[key] = UNKNOWN, annotation, frame  # a class may hold its own kind
            known = self._known[key] = self._annotated(annotation, frame), annotation, frame
        return known[0]

    def _annotated(self, annotation: ir.Expr, frame: Frame) -> VType:
        if named := self.evaluator.type_alias(annotation, frame):
            return self.annotation(*named)
        match annotation:
            case ir.Constant(_, str() as text):
                return VType(text, declared=True) if text in SCALARS else UNKNOWN
            case ir.Name(_, name) if name in SCALARS:
                return VType(name, declared=True)
            case ir.Name(_, "dict" | "list" | "tuple" as name):
                return VType(name, items=(UNKNOWN,), declared=True)
            case ir.Operation(_, "BitOr", operands):
                return either(tuple(self.annotation(o, frame) for o in operands))
            case ir.Subscript(_, base, index):
                items = index.items if isinstance(index, ir.Sequence) else (index,)
                return self._generic(last_name(base).lower(), tuple(i for i in items if not _is_ellipsis(i)), frame)
        for value in self.evaluator.values(annotation, frame):
            if isinstance(value, UserClass):
                return self.record(value)
            if isinstance(value, Api):
                found = instance(value.path + "()")
                if found.kind != "unknown":
                    return replace(found, declared=True)
        return UNKNOWN

    def _generic(self, head: str, items: tuple[ir.Expr, ...], frame: Frame) -> VType:
        types = tuple(self.annotation(i, frame) for i in items)
        if head == "annotated":
            return types[0]
        if head in ("list", "sequence", "iterable"):
            return VType("list", items=types[:1], declared=True)
        if head == "tuple":
            return VType("tuple", items=types, declared=True)
        if head in ("generator", "iterator", "asyncgenerator", "asynciterator", "asynciterable"):
            return VType("generator", items=types[:1], declared=True)
        if head in ("dict", "mapping"):
            return VType("dict", items=types[1:], declared=True)
        return either(types) if head in ("optional", "union") else UNKNOWN  # JSON says which

    def record(self, cls: UserClass) -> VType:
        """A dataclass or pydantic model as its fields; anything else is an object that cannot travel."""
        frame = self.evaluator.program.generic(cls.scope)
        if any(isinstance(b, Api) and b.path in ("enum.Enum", "enum.IntEnum", "enum.StrEnum") for b in self.evaluator.mro(cls)):
            return VType("enum", cls=cls, declared=True)
        plain = any(isinstance(b, Api) and b.path in ("pydantic.BaseModel", "typing.NamedTuple") for b in self.evaluator.mro(cls)) or any(
            a.path.removesuffix("()") == "dataclasses.dataclass"
            for d in cls.scope.definition.decorators
            for a in self.evaluator.apis(d, cls.frame)
        )
        if not plain:
            return VType("object", cls=cls)
        fields = [s.annotation for s in cls.scope.definition.body if isinstance(s, ir.Assign) and s.annotation is not None]
        return VType("record", items=tuple(self.annotation(f, frame) for f in fields), cls=cls, declared=True)


def instance(path: str) -> VType:
    """Types that instances of well-known library classes have."""
    if kind := next((k for k, paths in KNOWN_INSTANCES.items() if path in paths), ""):
        return VType(kind)
    if path.startswith("builtins."):
        name = path.removeprefix("builtins.").removesuffix("()")
        return VType(name) if name in SCALARS else UNKNOWN
    return UNKNOWN


def made(path: str) -> VType:
    """What a call gives of which no rule says more than the path: of a class, by its name, an object that only its library knows."""
    found = instance(path)
    name = path.removesuffix("()").rpartition(".")[2]
    return VType("object") if found == UNKNOWN and name.isidentifier() and name[:1].isupper() else found


def _is_ellipsis(expr: ir.Expr) -> bool:
    return isinstance(expr, ir.Constant) and expr.value is Ellipsis
