"""Work out what an assignment would give again, without running any user code."""

from __future__ import annotations

import ast
import enum
import operator
import os
import types
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from jupyter_graph.cells.shipping.constructors import comparer, wraps_the_same
from jupyter_graph.cells.shipping.operators import binary, is_type, unary
from jupyter_graph.cells.shipping.unchanged import (
    EqualObject,
    Function,
    NotReproducible,
    ObjectKey,
    SameObject,
    ensure,
    is_data,
    real,
    wrapped,
)

_TEXT_METHODS = frozenset(dir(str)) & frozenset(dir(bytes)) | {"format", "encode"}


@dataclass(eq=False)
class Evaluator:
    """Evaluates literals, names that ship, and calls of the cheap constructors.

    Args:
        look: returns what a name stands for; raises NotReproducible for what does not
            ship.
        codes: returns the codes that a lambda may have in the kernel.
        call: returns what calling a class or function of the notebook would make.
        is_settled: tells whether no line sets an attribute of a class anew.
    """

    look: Callable[[str], Any]
    codes: Callable[[ast.Lambda], tuple[types.CodeType, ...]]
    call: Callable[[Any, list[Any], dict[str, Any]], Any] | None = None
    is_settled: Callable[[Any, str], bool] = lambda thing, attribute: True

    def value(self, node: ast.expr) -> Any:
        """Return the value, with ``Expected`` in the place of objects.

        Raises:
            NotReproducible: it is anything else.
        """
        # No generic fallback: what has no method here is not known to be harmless.
        method = getattr(self, f"_{type(node).__name__.lower()}", None)
        if method is None:
            raise NotReproducible(type(node).__name__)
        try:
            return method(node)
        except NotReproducible:
            raise
        except Exception as error:  # 1/0 in a literal that never ran
            raise NotReproducible(f"{error}") from None

    def data(self, node: ast.expr) -> Any:
        """Return the value of an operand: data, whose operators are Python's own."""
        value = self.value(node)
        ensure(is_data(value), "an operator on an object")
        return value

    def _constant(self, node: ast.Constant) -> Any:
        return node.value

    def _name(self, node: ast.Name) -> Any:
        return self.look(node.id)

    def _tuple(self, node: ast.Tuple) -> Any:
        return tuple(self._items(node.elts))

    def _list(self, node: ast.List) -> Any:
        return self._items(node.elts)

    def _set(self, node: ast.Set) -> Any:
        items = self._items(node.elts)
        ensure(is_data(items), "a set of objects")
        return set(items)

    def _items(self, nodes: list[ast.expr]) -> list[Any]:
        items: list[Any] = []
        for node in nodes:
            if isinstance(node, ast.Starred):
                items += self._sequence(node.value)
            else:
                items.append(self.value(node))
        return items

    def _sequence(self, node: ast.expr) -> Any:
        value = self.value(node)
        is_list = type(value) in (list, tuple, range, str)
        ensure(is_list, "* of something that is no list")
        return value

    def _dict(self, node: ast.Dict) -> Any:
        items: dict[Any, Any] = {}
        for key, item in zip(node.keys, node.values, strict=True):
            if key is None:
                items.update(self._mapping(item))
            else:
                items[self._key(key)] = self.value(item)
        return items

    def _mapping(self, node: ast.expr) -> Any:
        value = self.value(node)
        ensure(type(value) is dict, "** of something that is no dict")
        return value

    def _key(self, node: ast.expr) -> Any:
        key = self.value(node)
        if isinstance(key, SameObject):
            return ObjectKey(key.value)
        ensure(is_data(key), "an object as key")
        return key

    def _unaryop(self, node: ast.UnaryOp) -> Any:
        return unary(node.op, self.data(node.operand))

    def _binop(self, node: ast.BinOp) -> Any:
        return binary(node.op, self.value(node.left), self.value(node.right))

    def _boolop(self, node: ast.BoolOp) -> Any:
        stop_at = isinstance(node.op, ast.Or)
        value: Any = None
        for item in node.values:
            value = self.data(item)
            if bool(value) is stop_at:
                break
        return value

    def _ifexp(self, node: ast.IfExp) -> Any:
        return self.value(node.body if self.data(node.test) else node.orelse)

    def _joinedstr(self, node: ast.JoinedStr) -> Any:
        return "".join(str(self.data(part)) for part in node.values)

    def _formattedvalue(self, node: ast.FormattedValue) -> Any:
        value = self.data(node.value)
        conversions: dict[int, Callable[[Any], Any]] = {115: str, 114: repr, 97: ascii}
        convert = conversions.get(node.conversion)
        form = str(self.data(node.format_spec)) if node.format_spec else ""
        return format(convert(value) if convert else value, form)

    def _subscript(self, node: ast.Subscript) -> Any:
        owner = self.value(node.value)
        if isinstance(owner, SameObject) and owner.value is os.environ:
            return os.environ[self.data(node.slice)]
        if is_type(owner):
            return EqualObject(real(owner)[real(self.value(node.slice))], operator.eq)
        if type(owner) in (dict, list, tuple, str, bytes, range):
            return owner[self.data(node.slice)]
        raise NotReproducible("an item of an object")

    def _slice(self, node: ast.Slice) -> Any:
        parts = (node.lower, node.upper, node.step)
        return slice(*(self.data(part) if part else None for part in parts))

    def _attribute(self, node: ast.Attribute) -> Any:
        owner = self.value(node.value)
        thing = owner.value if isinstance(owner, SameObject) else None
        # An attribute of any other object may be a property, which is the user's code.
        is_open = isinstance(thing, types.ModuleType | type | enum.Enum)
        ensure(is_open or thing is os.environ, "an attribute of an object")
        is_settled = self.is_settled(thing, node.attr)
        ensure(is_settled, "an attribute that is set again and again")
        return wrapped(getattr(thing, node.attr))

    def _lambda(self, node: ast.Lambda) -> Any:
        arguments = node.args
        defaults = tuple(self.value(item) for item in arguments.defaults)
        pairs = zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
        named = {a.arg: self.value(item) for a, item in pairs if item is not None}
        return Function(self.codes(node), defaults, named)

    def _call(self, node: ast.Call) -> Any:
        if isinstance(node.func, ast.Attribute) and node.func.attr in _TEXT_METHODS:
            owner = self.value(node.func.value)
            if type(owner) in (str, bytes):
                args, named = self._arguments(node)
                ensure(is_data([args, named]), "a text method on objects")
                return getattr(owner, node.func.attr)(*args, **named)
        function = self.value(node.func)
        args, named = self._arguments(node)
        if isinstance(function, SameObject | EqualObject):
            target = real(function)
            compare = comparer(target)
            if getattr(function, "compare", None) is wraps_the_same:
                compare = wraps_the_same  # lru_cache(maxsize=None)(f)
            if compare is not None:
                # The real thing is made once more: the table holds only cheap ones.
                made = target(*real(args), **real(named))
                return made if is_data(made) else EqualObject(made, compare)
        if self.call is None:
            raise NotReproducible("a call")
        return self.call(function, args, named)

    def _arguments(self, node: ast.Call) -> tuple[list[Any], dict[str, Any]]:
        named: dict[str, Any] = {}
        for word in node.keywords:
            if word.arg is None:
                named.update(self._mapping(word.value))
            else:
                named[word.arg] = self.value(word.value)
        return self._items(node.args), named
