"""Calls of the notebook's own classes and functions that can be proved to be unchanged.

Nothing is called: what the call would make is worked out from the text.
"""

from __future__ import annotations

import ast
import dataclasses
import inspect
from collections.abc import Mapping
from types import CodeType, FunctionType
from typing import TYPE_CHECKING, Any

from jupyter_graph.cells.shipping.evaluate import Evaluator
from jupyter_graph.cells.shipping.stand_ins import NotPlain
from jupyter_graph.cells.shipping.unchanged import (
    Expected,
    InstanceOf,
    SameObject,
    inner_code,
    is_data,
    still,
)

if TYPE_CHECKING:
    from jupyter_graph.cells.shipping.shipping_analysis import ShippingAnalysis

Named = dict[str, Any]


def rebuild(
    judge: ShippingAnalysis, function: Any, args: list[Any], named: Named
) -> Any:
    """Say what a call of the notebook's own code gives; NotPlain when unsure."""
    if isinstance(function, Closure):
        return function.called(args, named)
    if not isinstance(function, SameObject):
        raise NotPlain("a call")
    target = function.value
    name = getattr(target, "__name__", "")
    statement = judge.final(name)
    if statement is None or not judge.has_live(name) or judge.live(name) is not target:
        raise NotPlain("a call of something that is not the notebook's")
    node: Any = statement.names.binds[name][-1]
    is_function = isinstance(target, FunctionType) and isinstance(node, ast.FunctionDef)
    if is_function and judge.is_from_cells(name, statement):
        _check_only_defines(node)
        return Closure(target.__code__, _bound(target, args, named), node)
    if isinstance(target, type) and issubclass(target, tuple):
        return Fields(target, tuple(_bound(target, args, named).values()))
    if isinstance(target, type) and isinstance(node, ast.ClassDef):
        return _instance(judge, target, node, statement.index, args, named)
    raise NotPlain("a call")


def _check_only_defines(node: Any) -> None:
    """Refuse functions that do more than define and return functions."""
    kinds = ast.FunctionDef | ast.AsyncFunctionDef | ast.Return
    for part in node.body:
        is_text = isinstance(part, ast.Expr) and isinstance(part.value, ast.Constant)
        if not is_text and not isinstance(part, kinds):
            raise NotPlain("a function that does more than define another")
    if node.decorator_list:
        raise NotPlain("a decorated function")


def _bound(target: Any, args: list[Any], named: Named) -> Named:
    try:
        bound = inspect.signature(target).bind(*args, **named)
    except (TypeError, ValueError):
        raise NotPlain("a call that does not fit") from None
    bound.apply_defaults()
    return dict(bound.arguments)


def _instance(
    judge: ShippingAnalysis,
    kind: type,
    node: ast.ClassDef,
    at: int,
    args: list[Any],
    named: Named,
) -> InstanceOf:
    """Work out the attributes that a simple constructor sets."""
    if dataclasses.is_dataclass(kind):
        return _dataclass_instance(kind, node, args, named)
    plain = type(kind) is type and kind.__bases__ == (object,)
    special = {"__new__", "__setattr__", "__getattribute__", "__slots__"} & set(
        vars(kind)
    )
    if not plain or special or node.decorator_list:
        raise NotPlain("a class that is not simple")
    constructor = vars(kind).get("__init__")
    if constructor is None:
        if args or named:
            raise NotPlain("a call that does not fit")
        return InstanceOf(kind, {})
    inits = [n for n in node.body if getattr(n, "name", "") == "__init__"]
    if len(inits) != 1 or not isinstance(inits[0], ast.FunctionDef):
        raise NotPlain("a constructor that is not simple")
    instance = object()
    bound = _bound(constructor, [SameObject(instance), *args], named)
    return InstanceOf(kind, _attributes(judge, inits[0], bound, at))


def _attributes(
    judge: ShippingAnalysis, init: ast.FunctionDef, bound: Named, at: int
) -> Named:
    found: Named = {}
    own = init.args.args[0].arg if init.args.args else "self"

    def look(name: str) -> Any:
        return bound[name] if name in bound else judge.expected(name, None)

    evaluator = Evaluator(look, lambda _: ())
    for statement in init.body:
        if isinstance(statement, ast.Expr) and isinstance(
            statement.value, ast.Constant
        ):
            continue
        targets = getattr(statement, "targets", [getattr(statement, "target", None)])
        value = getattr(statement, "value", None)
        if not isinstance(statement, ast.Assign | ast.AnnAssign) or value is None:
            raise NotPlain("a constructor that is not simple")
        for target in targets:
            owner = getattr(target, "value", None)
            is_own = isinstance(owner, ast.Name) and owner.id == own
            if not isinstance(target, ast.Attribute) or not is_own:
                raise NotPlain("a constructor that is not simple")
            found[target.attr] = evaluator.value(value)
    return found


def _dataclass_instance(
    kind: type, node: ast.ClassDef, args: list[Any], named: Named
) -> InstanceOf:
    own = {"__init__", "__post_init__", "__new__", "__setattr__"}
    if any(getattr(part, "name", "") in own for part in node.body):
        raise NotPlain("a dataclass with a constructor of its own")
    if any(dataclasses.is_dataclass(base) for base in kind.__mro__[1:]):
        raise NotPlain("a dataclass below another")
    fields = dataclasses.fields(kind)
    bound = _bound(kind, args, named)
    found: Named = {}
    for field in fields:
        value = bound.get(field.name, field.default)
        if field.default_factory is not dataclasses.MISSING and (
            field.name not in _given(kind, args, named)
        ):
            if field.default_factory not in (list, dict, set):
                raise NotPlain("a default that is made")
            value = field.default_factory()
        found[field.name] = (
            value if is_data(value) or _known(value) else SameObject(value)
        )
    return InstanceOf(kind, found)


def _given(kind: type, args: list[Any], named: Named) -> set[str]:
    return set(inspect.signature(kind).bind(*args, **named).arguments)


def _known(value: Any) -> bool:
    return isinstance(value, Expected)


@dataclasses.dataclass(eq=False)
class Fields(Expected):
    """A named tuple of this class."""

    kind: type
    values: tuple[Any, ...]

    def is_met_by(self, live: Any) -> bool:
        fields = tuple(live) if isinstance(live, tuple) else ()
        return type(live) is self.kind and still(fields, self.values)


@dataclasses.dataclass(eq=False)
class Closure(Expected):
    """A function made inside a function of the notebook, from known arguments."""

    is_certain = False
    code: CodeType
    known: Mapping[str, Any]
    node: ast.FunctionDef

    def called(self, args: list[Any], named: Named) -> Closure:
        """Say what calling what it gives would give, as in ``retry(3)(parse)``."""
        inner = [c for c in self.code.co_consts if isinstance(c, CodeType)]
        if named or len(inner) != 1 or inner[0].co_argcount < len(args):
            raise NotPlain("a call")
        names = inner[0].co_varnames[: len(args)]
        known = {**self.known, **dict(zip(names, args, strict=True))}
        node = next(n for n in self.node.body if isinstance(n, ast.FunctionDef))
        _check_only_defines(node)
        return Closure(inner[0], known, node)

    def is_met_by(self, live: Any) -> bool:
        return isinstance(live, FunctionType) and self._is_inner(live)

    def _is_inner(self, live: FunctionType) -> bool:
        if not any(live.__code__ is code for code in inner_code(self.code)):
            return False
        names = live.__code__.co_freevars
        cells = zip(names, live.__closure__ or (), strict=True)
        return all(self._is_known(name, cell.cell_contents) for name, cell in cells)

    def _is_known(self, name: str, content: Any) -> bool:
        if isinstance(content, FunctionType) and name not in self.known:
            return self._is_inner(content)
        if name not in self.known or name in self._rebound():
            return False
        return still(content, self.known[name])

    def _rebound(self) -> set[str]:
        names = [n for n in ast.walk(self.node) if isinstance(n, ast.Name)]
        return {n.id for n in names if not isinstance(n.ctx, ast.Load)}
