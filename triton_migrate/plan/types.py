"""Takes an expression, gives what is known of its value's type: enough to choose a tensor, or to say that it cannot travel."""

from __future__ import annotations

from dataclasses import replace

from triton_migrate.index import ir
from triton_migrate.plan.vtype import SCALARS, UNKNOWN, VType, depth, element_dtype, parse, promoted, python_kind, union
from triton_migrate.resolve.calls import port, results
from triton_migrate.resolve.evaluate import Evaluator
from triton_migrate.resolve.scopes import Binding, Frame, Scope, last_name
from triton_migrate.resolve.values import Api, Instance, UserClass, UserFunction
from triton_migrate.rulebook.vocabulary import DataConvert, ModelPredict

BUILTIN_RESULTS = {
    "float": "float", "int": "int", "str": "str", "len": "int", "bool": "bool", "bytes": "bytes", "dict": "dict", "repr": "str",
    "sorted": "list", "list": "list", "isinstance": "bool", "ord": "int", "chr": "str", "any": "bool", "all": "bool", "hash": "int",
}  # fmt: skip
STR_METHODS = {"split": "list", "rsplit": "list", "splitlines": "list", "encode": "bytes", "startswith": "bool", "endswith": "bool",
               "find": "int", "count": "int", "isdigit": "bool"}  # fmt: skip
DEPTH = 24


class Types:
    """Answers `of(expr, frame)`. `callers` says which call entered a function, so that its parameters are what was passed."""

    def __init__(self, evaluator: Evaluator, callers: dict[Scope, tuple[ir.Call, Frame]]) -> None:
        self.evaluator, self.rulebook, self.callers = evaluator, evaluator.rulebook, callers
        self._busy: set[tuple[int, int]] = set()
        self._known: dict[tuple[int, int], tuple[VType, ir.Expr, Frame]] = {}  # for one question from outside, whose callers change

    def of(self, expr: ir.Expr | None, frame: Frame) -> VType:
        if expr is None:
            return VType("none")
        key = (id(expr), id(frame))
        if key in self._busy or len(self._busy) > DEPTH:
            return UNKNOWN
        if key not in self._known:
            self._busy.add(key)
            try:
                self._known[key] = self._of(expr, frame), expr, frame
            finally:
                self._busy.discard(key)
        found, _, _ = self._known[key]
        if not self._busy:
            self._known.clear()
        return found

    def _of(self, expr: ir.Expr, frame: Frame) -> VType:
        match expr:
            case ir.Constant(_, value):
                return VType("none") if value is None else VType(type(value).__name__ if type(value).__name__ in SCALARS else "unknown")
            case ir.Joined():
                return VType("str")
            case ir.Name(_, name):
                return self.name(name, frame)
            case ir.Await(_, value) | ir.Walrus(_, _, value):
                return self.of(value, frame)
            case ir.Sequence(_, kind, items):
                types = tuple(self.of(i, frame) for i in items)
                return VType("tuple", items=types) if kind == "tuple" else VType("list", items=(union(types),), one_row=len(types) == 1)
            case ir.Mapping(_, _, values):
                return VType("dict", items=tuple(dict.fromkeys(self.of(v, frame) for v in values)))
            case ir.Comprehension(_, kind, element, value, _):
                if kind == "dict":
                    return VType("dict", items=(self.of(value, frame),))
                return VType("list", items=(self.of(element, frame),)) if kind == "list" else VType("object")
            case ir.Conditional(_, _, then, orelse):
                return union((self.of(then, frame), self.of(orelse, frame)))
            case ir.Operation(_, operator, operands):
                return self._operation(operator, tuple(self.of(o, frame) for o in operands))
            case ir.Subscript(_, base, index):
                return self._element(self.of(base, frame), index)
            case ir.Attribute():
                return self._attribute(expr, frame)
            case ir.Call():
                return self._call(expr, frame)
        return UNKNOWN

    def name(self, name: str, frame: Frame) -> VType:
        """The type of a name: the union of what its bindings give."""
        at: Frame | None = frame
        while at is not None:
            if found := at.scope.bindings.get(name):
                return union(tuple(self._binding(b, at) for b in found if not _augments(b)) or (UNKNOWN,))
            at = at.parent
        return UNKNOWN

    def _imported(self, binding: Binding, frame: Frame) -> VType:
        """What another module means by a name; modules that import it from each other say nothing."""
        stmt, name = binding.imported
        path = self.evaluator.program.module_path(frame.scope.file, stmt.module, stmt.level)
        key = (id(binding), id(frame))
        if path is None or key in self._busy:
            return UNKNOWN
        self._busy.add(key)
        try:
            return self.name(name, self.evaluator.program.frames[path])
        finally:
            self._busy.discard(key)

    def _binding(self, binding: Binding, frame: Frame) -> VType:
        match binding.how:
            case "value":
                stmt = binding.node
                if isinstance(stmt, ir.Assign) and stmt.annotation is not None:
                    return self.annotation(stmt.annotation, frame)
                found = self.of(binding.expr, frame)
            case "element":
                found = self._element(self.of(binding.expr, frame), None)
            case "parameter":
                return self._parameter(binding.node, frame)  # type: ignore[arg-type]
            case "from":
                return self._imported(binding, frame)
            case _:
                return VType("object") if binding.how in ("import", "function", "class", "enter") else UNKNOWN
        for i in binding.unpacked:
            found = self._element(found, ir.Constant((0, 0, 0, 0), i))
        return found

    def _parameter(self, parameter: ir.Parameter, frame: Frame) -> VType:
        if parameter.annotation is not None:
            found = self.annotation(parameter.annotation, frame.parent or frame)
            if found.kind != "unknown":
                return found
        if entered := self.callers.get(frame.scope):
            call, caller = entered
            names = [p.name for p in frame.scope.function.parameters]
            if names[:1] and frame.scope.owner is not None:
                names = names[1:]
            for name, arg in (*zip(names, call.args, strict=False), *((k, v) for k, v in call.keywords)):
                if name == parameter.name:
                    return self.of(arg, caller)
        return UNKNOWN

    # ------------------------------------------------------------ annotations

    def annotation(self, annotation: ir.Expr, frame: Frame) -> VType:
        """The type an annotation declares."""
        if named := self.evaluator.type_alias(annotation, frame):
            return self.annotation(*named)
        match annotation:
            case ir.Constant(_, str() as text):
                return VType(text, declared=True) if text in SCALARS else UNKNOWN
            case ir.Name(_, name) if name in SCALARS:
                return VType(name, declared=True)
            case ir.Name(_, "dict" | "list" | "tuple" as name):
                return VType(name, items=(UNKNOWN,), declared=True)
            case ir.Subscript(_, base, index):
                items = index.items if isinstance(index, ir.Sequence) else (index,)
                return self._generic(last_name(base).lower(), tuple(i for i in items if not _is_ellipsis(i)), frame)
        for value in self.evaluator.values(annotation, frame):
            if isinstance(value, UserClass):
                return self.record(value)
            if isinstance(value, Api):
                found = self._api(value.path + "()")
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
        if head in ("dict", "mapping"):
            return VType("dict", items=types[1:], declared=True)
        return UNKNOWN  # Optional, Union, Literal: JSON says which

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

    # ------------------------------------------------------------ operations

    def _operation(self, operator: str, types: tuple[VType, ...]) -> VType:
        if operator in ("And", "Or"):
            return union(types)
        if operator in ("Not",) or (any(w in operator for w in ("Eq", "Lt", "Gt", "Is", "In")) and operator not in ("Invert",)):
            array = next((t for t in types if t.kind in ("array", "tensor")), None)
            return replace(array, dtype="bool") if array else VType("bool")
        for kind in ("tensor", "array"):
            if found := next((t for t in types if t.kind == kind), None):
                return replace(found, dtype=promoted(tuple(t for t in types if t.kind == kind), operator))
        kinds = {t.kind for t in types}
        if kinds <= {"int", "float", "bool"}:
            return VType("float" if operator in ("Div", "Pow") or "float" in kinds else "int")
        if operator in ("Add", "Mod") and "str" in kinds:
            return VType("str")
        return union(types) if len(kinds) == 1 else UNKNOWN

    def _element(self, base: VType, index: ir.Expr | None) -> VType:
        if (
            base.kind == "tuple"
            and isinstance(index, ir.Constant)
            and isinstance(index.value, int)
            and -len(base.items) <= index.value < len(base.items)
        ):
            return base.items[index.value]
        if base.kind in ("list", "tuple"):
            return base if isinstance(index, ir.Slice) else union(base.items or (UNKNOWN,))
        if base.kind == "dict":
            return union(base.items) if base.items and len(set(base.items)) == 1 else UNKNOWN
        if base.kind in ("array", "tensor"):
            if isinstance(index, ir.Slice):
                return replace(base, one_row=False)
            if isinstance(index, ir.Constant) and isinstance(index.value, int):
                return replace(base, rank=max(base.rank - 1, 0), one_row=False)
            return replace(base, rank=0, one_row=False)
        if base.kind == "frame":
            return base  # a frame or a series
        return VType("str") if base.kind == "str" else UNKNOWN

    def _attribute(self, expr: ir.Attribute, frame: Frame) -> VType:
        for value in self.evaluator.values(expr.value, frame):
            if isinstance(value, Instance):
                for cls in self.evaluator.mro(value.of):
                    if isinstance(cls, UserClass):
                        inner = self.evaluator.program.generic(cls.scope)
                        for stmt in cls.scope.definition.body:
                            if isinstance(stmt, ir.Assign) and isinstance(stmt.targets[0], ir.Name) and stmt.targets[0].id == expr.attr:
                                return (
                                    self.annotation(stmt.annotation, inner) if stmt.annotation is not None else self.of(stmt.value, inner)
                                )
                        for store in self.evaluator.program.files[cls.scope.file].attribute_stores.get(expr.attr, ()):
                            return self.of(store.value, self.evaluator.program.generic(store.scope))
        base = self.of(expr.value, frame)
        if base.kind in ("array", "tensor") and expr.attr == "T":
            return replace(base, one_row=False)
        if expr.attr in ("filename", "content_type"):
            return UNKNOWN  # str or None
        return VType("tuple", items=(VType("int"), VType("int"))) if base.kind == "image" and expr.attr == "size" else UNKNOWN

    # ------------------------------------------------------------ calls

    def _call(self, call: ir.Call, frame: Frame) -> VType:
        found: list[VType] = []
        for value in self.evaluator.values(call.func, frame):
            if isinstance(value, UserFunction):
                found.append(self._returned(value, call, frame))
            elif isinstance(value, UserClass):
                found.append(self.record(value))
            elif isinstance(value, Api):
                found.append(self._library(value, call, frame))
        known = [t for t in found if t.kind != "unknown"]
        if known:
            return union(tuple(known))
        return self._method(call, frame)

    def _returned(self, function: UserFunction, call: ir.Call, caller: Frame) -> VType:
        node = function.scope.function
        if node.returns is not None:
            declared = self.annotation(node.returns, function.frame)
            if declared.kind != "unknown":
                return declared
        before = self.callers.get(function.scope)
        self.callers[function.scope] = (call, caller)
        known, self._known = self._known, {}
        frame = self.evaluator.enter(function, self.evaluator.bind(function, call, caller))
        found = union(tuple(self.of(e, frame) for e in results(node)) or (VType("none"),))
        self._known = known
        if before is None:
            del self.callers[function.scope]
        else:
            self.callers[function.scope] = before
        return found

    def _library(self, api: Api, call: ir.Call, frame: Frame) -> VType:
        if api.path.startswith("builtins."):
            name = api.path.removeprefix("builtins.")
            if name == "round":
                return VType("float" if len(call.args) > 1 else "int")
            if name in ("min", "max", "abs", "sum") and call.args:
                types = tuple(self.of(a, frame) for a in call.args)
                return union(types[0].items) if len(types) == 1 and types[0].kind in ("list", "tuple") and types[0].items else union(types)
            if name in BUILTIN_RESULTS:
                return VType(BUILTIN_RESULTS[name], items=(UNKNOWN,) if BUILTIN_RESULTS[name] in ("list", "dict") else ())
            return UNKNOWN
        predict = self.rulebook.find(api.called, ModelPredict)
        if predict is not None:
            return replace(parse(predict.result), rank=predict.rank)
        rule = self.rulebook.find(api.called, DataConvert)
        return self._converted(rule, call, frame, api) if rule is not None else self._api(self.rulebook.canonical(api.path + "()"))

    def _converted(self, rule: DataConvert, call: ir.Call, frame: Frame, api: Api) -> VType:
        receiver = call.func.value if isinstance(call.func, ir.Attribute) else None
        first = self.of(call.args[0], frame) if call.args else UNKNOWN
        owner = self.of(receiver, frame) if receiver is not None else UNKNOWN
        subject = owner if owner.kind in ("array", "tensor", "frame", "image") else first
        found = parse(rule.result)
        if found.kind == "same":
            return subject
        if found.kind in ("array", "tensor"):
            dtype = self._dtype(found.dtype, subject, call, frame)
            rank, one_row = self._shape(last_name(call.func), subject, call)
            return VType(found.kind, dtype, rank, one_row)
        if found.kind == "list" and subject.kind == "array":
            return VType("list", items=(VType(python_kind(subject.dtype)),)) if subject.rank == 1 else VType("list", items=(UNKNOWN,))
        return replace(found, items=(UNKNOWN,)) if found.kind in ("list", "dict") else found

    def _dtype(self, dtype: str, subject: VType, call: ir.Call, frame: Frame) -> str:
        if dtype == "same":
            return subject.dtype
        if not dtype.startswith("arg:"):
            return dtype
        parts = dtype[4:].split("|")
        names = [p for p in parts if p.isdigit() or p in ("dtype", "newtype", "type", "t")]
        default = parts[-1] if parts[-1] not in names else "?"
        given = port(call, "|".join(names))
        if given is None:
            return default if default != "?" else element_dtype(subject)
        for value in self.evaluator.values(given, frame):
            if isinstance(value, Api):
                return {"builtins.float": "float64", "builtins.int": "int64", "builtins.bool": "bool"}.get(
                    value.path, value.path.rpartition(".")[2]
                )
        text = self.evaluator.constant(given, frame)
        return {"float": "float64", "int": "int64"}.get(str(text), str(text)) if isinstance(text, str) else "?"

    def _shape(self, function: str, subject: VType, call: ir.Call) -> tuple[int, bool]:
        """Rank and whether the first axis is 1, after the conversions that people batch a single row with."""
        if function == "reshape":
            args: tuple[ir.Expr, ...] = tuple(a for a in call.args if not isinstance(a, ir.Starred))
            if args and isinstance(args[0], ir.Sequence):
                args = args[0].items
            return len(args), bool(args) and isinstance(args[0], ir.Constant) and args[0].value == 1
        if function in ("array", "asarray", "ascontiguousarray") and subject.kind in ("list", "tuple"):
            return depth(subject), subject.one_row
        if function in ("expand_dims", "unsqueeze"):
            axis = call.args[-1] if call.args else dict(call.keywords).get("axis")
            front = isinstance(axis, ir.Constant) and axis.value == 0
            return subject.rank + 1 if subject.rank else 0, front
        if function in ("astype", "asarray", "array", "copy", "ascontiguousarray", "from_numpy", "numpy", "cpu", "detach", "float"):
            return subject.rank, subject.one_row
        return 0, False

    def _api(self, path: str) -> VType:
        """Types that instances of well-known library classes have."""
        if kind := next((k for k, paths in KNOWN_INSTANCES.items() if path in paths), ""):
            return VType(kind)
        if path.startswith("builtins."):
            name = path.removeprefix("builtins.").removesuffix("()")
            return VType(name) if name in SCALARS else UNKNOWN
        return UNKNOWN

    def _method(self, call: ir.Call, frame: Frame) -> VType:
        """Methods of plain Python values."""
        if not isinstance(call.func, ir.Attribute):
            return UNKNOWN
        base = self.of(call.func.value, frame)
        if base.kind == "str":
            return VType(STR_METHODS.get(call.func.attr, "str"), items=(VType("str"),) if call.func.attr.endswith("split") else ())
        if base.kind == "bytes" and call.func.attr == "decode":
            return VType("str")
        if base.kind == "array":
            if call.func.attr == "tolist":
                return VType("list", items=(VType(python_kind(base.dtype)) if base.rank == 1 else UNKNOWN,))
            return {"item": VType(python_kind(base.dtype))}.get(call.func.attr, UNKNOWN)
        if base.kind == "frame":
            return VType("array") if call.func.attr == "to_numpy" else UNKNOWN
        if base.kind == "tensor":  # what leaves the device is said by rules
            return VType("tensor")
        return UNKNOWN


KNOWN_INSTANCES = {
    "file": ("werkzeug.datastructures.FileStorage()",),
    "array": ("numpy.ndarray()",),
    "tensor": ("torch.Tensor()",),
    "image": ("PIL.Image.Image()",),
    "frame": ("pandas.DataFrame()", "pandas.Series()"),
}


def _augments(binding: Binding) -> bool:
    return isinstance(binding.node, ir.Assign) and binding.node.augmented


def _is_ellipsis(expr: ir.Expr) -> bool:
    return isinstance(expr, ir.Constant) and expr.value is Ellipsis
