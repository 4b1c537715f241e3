"""Calls of the notebook's own classes and functions that can be proved to be unchanged.

Nothing is called: what the call would make is worked out from the text.
"""

from __future__ import annotations

import ast
import dataclasses
import inspect
from collections.abc import Callable, Mapping
from types import CodeType, FunctionType
from typing import Any

from jupyter_graph.cells.shipping.bytecode import inner_code
from jupyter_graph.cells.shipping.evaluator import Evaluator
from jupyter_graph.cells.shipping.live_names import LiveNames
from jupyter_graph.cells.shipping.unchanged import (
    Expected,
    InstanceOf,
    NotReproducible,
    SameObject,
    ensure,
    is_data,
    is_unchanged,
)
from jupyter_graph.cells.syntax import ASSIGNMENT, FUNCTION, is_docstring, targets_of

Named = dict[str, Any]


@dataclasses.dataclass(eq=False)
class NotebookCalls:
    """Works out what calls of functions and classes of the cells would give.

    Args:
        names: the cells beside the kernel.
        expected: returns what a name stands for at a place; raises NotReproducible.
    """

    names: LiveNames
    expected: Callable[[str, float | None], Any]

    def result(self, function: Any, args: list[Any], named: Named) -> Any:
        """Return what a call gives; NotReproducible when that is not sure."""
        if isinstance(function, Closure):
            return function.called(args, named)
        target, node = self._definition(function)
        if isinstance(target, FunctionType) and isinstance(node, ast.FunctionDef):
            _check_only_defines(node)
            return Closure(target.__code__, _bound(target, args, named), node)
        if isinstance(target, type) and issubclass(target, tuple):
            return Fields(target, tuple(_bound(target, args, named).values()))
        if isinstance(target, type) and isinstance(node, ast.ClassDef):
            return self._instance(target, node, args, named)
        raise NotReproducible("a call")

    def _definition(self, function: Any) -> tuple[Any, ast.AST]:
        """Return a live function or class, and the node of the cell that defines it."""
        target = function.value if isinstance(function, SameObject) else None
        name = getattr(target, "__name__", "")
        statement = self.names.final(name)
        if statement is None or self.names.values.get(name) is not target:
            raise NotReproducible("a call of something that is not the notebook's")
        is_function = isinstance(target, FunctionType)
        if is_function and not self.names.is_from_cells(name, statement):
            raise NotReproducible("a call of a function of an older cell")
        return target, statement.names.binds[name][-1]

    def _instance(
        self, kind: type, node: ast.ClassDef, args: list[Any], named: Named
    ) -> InstanceOf:
        """Work out the attributes that a simple constructor sets."""
        if dataclasses.is_dataclass(kind):
            return _dataclass_instance(kind, node, args, named)
        plain = type(kind) is type and kind.__bases__ == (object,)
        # With any of these, `self.name = value` need not set that attribute.
        special = {"__new__", "__setattr__", "__getattribute__", "__slots__"}
        if not plain or special & set(vars(kind)) or node.decorator_list:
            raise NotReproducible("a class that is not simple")
        constructor = vars(kind).get("__init__")
        if constructor is None:
            ensure(not (args or named), "a call that does not fit")
            return InstanceOf(kind, {})
        inits = [n for n in node.body if getattr(n, "name", "") == "__init__"]
        if len(inits) != 1 or not isinstance(inits[0], ast.FunctionDef):
            raise NotReproducible("a constructor that is not simple")
        bound = _bound(constructor, [SameObject(object()), *args], named)
        return InstanceOf(kind, self._attributes(inits[0], bound))

    def _attributes(self, init: ast.FunctionDef, bound: Named) -> Named:
        """Return what a constructor of nothing but ``self.name = …`` lines sets."""
        attributes: Named = {}
        own = init.args.args[0].arg if init.args.args else "self"

        def look(name: str) -> Any:
            return bound[name] if name in bound else self.expected(name, None)

        evaluator = Evaluator(look, lambda _: ())
        for line in init.body:
            if is_docstring(line):
                continue
            if not isinstance(line, ASSIGNMENT) or line.value is None:
                raise NotReproducible("a constructor that is not simple")
            for target in targets_of(line):
                owner = getattr(target, "value", None)
                is_own = isinstance(owner, ast.Name) and owner.id == own
                if not isinstance(target, ast.Attribute) or not is_own:
                    raise NotReproducible("a constructor that is not simple")
                attributes[target.attr] = evaluator.value(line.value)
        return attributes


def _check_only_defines(node: Any) -> None:
    """Refuse functions that do more than define and return functions."""
    for part in node.body:
        is_harmless = is_docstring(part) or isinstance(part, FUNCTION | ast.Return)
        ensure(is_harmless, "a function that does more than define another")
    ensure(not node.decorator_list, "a decorated function")


def _bound(
    target: Any, args: list[Any], named: Named, *, defaults: bool = True
) -> Named:
    try:
        bound = inspect.signature(target).bind(*args, **named)
    except (TypeError, ValueError):
        raise NotReproducible("a call that does not fit") from None
    if defaults:
        bound.apply_defaults()
    return dict(bound.arguments)


def _dataclass_instance(
    kind: type, node: ast.ClassDef, args: list[Any], named: Named
) -> InstanceOf:
    own = {"__init__", "__post_init__", "__new__", "__setattr__"}
    if any(getattr(part, "name", "") in own for part in node.body):
        raise NotReproducible("a dataclass with a constructor of its own")
    is_below = any(map(dataclasses.is_dataclass, kind.__mro__[1:]))
    ensure(not is_below, "a dataclass below another")
    given = _bound(kind, args, named, defaults=False)
    attributes: Named = {}
    for field in dataclasses.fields(kind):
        value = given.get(field.name, field.default)
        if field.default_factory is not dataclasses.MISSING and field.name not in given:
            is_plain = field.default_factory in (list, dict, set)
            ensure(is_plain, "a default that is made")
            value = field.default_factory()
        is_known = is_data(value) or isinstance(value, Expected)
        attributes[field.name] = value if is_known else SameObject(value)
    return InstanceOf(kind, attributes)


@dataclasses.dataclass(eq=False)
class Fields(Expected):
    """A named tuple of this class."""

    kind: type
    values: tuple[Any, ...]

    def matches(self, live: Any) -> bool:
        fields = tuple(live) if isinstance(live, tuple) else ()
        return type(live) is self.kind and is_unchanged(fields, self.values)


@dataclasses.dataclass(eq=False)
class Closure(Expected):
    """A function made inside a function of the notebook, from known arguments."""

    is_certain = False
    code: CodeType
    known: Mapping[str, Any]
    node: ast.FunctionDef

    def called(self, args: list[Any], named: Named) -> Closure:
        """Return what calling the inner function gives, as in ``retry(3)(parse)``."""
        inner = [c for c in self.code.co_consts if isinstance(c, CodeType)]
        if named or len(inner) != 1 or inner[0].co_argcount < len(args):
            raise NotReproducible("a call")
        names = inner[0].co_varnames[: len(args)]
        known = {**self.known, **dict(zip(names, args, strict=True))}
        node = next(n for n in self.node.body if isinstance(n, ast.FunctionDef))
        _check_only_defines(node)
        return Closure(inner[0], known, node)

    def matches(self, live: Any) -> bool:
        return isinstance(live, FunctionType) and self._is_inner(live)

    def _is_inner(self, live: FunctionType) -> bool:
        # A function's code is a constant of the code around it: one object, always.
        if not any(live.__code__ is code for code in inner_code(self.code)):
            return False
        cells = zip(live.__code__.co_freevars, live.__closure__ or (), strict=True)
        return all(self._is_known(name, cell.cell_contents) for name, cell in cells)

    def _is_known(self, name: str, content: Any) -> bool:
        if isinstance(content, FunctionType) and name not in self.known:
            return self._is_inner(content)
        if name not in self.known or name in self._rebound():
            return False
        return is_unchanged(content, self.known[name])

    def _rebound(self) -> set[str]:
        # An argument that is assigned anew no longer is what the caller passed.
        names = [n for n in ast.walk(self.node) if isinstance(n, ast.Name)]
        return {n.id for n in names if not isinstance(n.ctx, ast.Load)}
