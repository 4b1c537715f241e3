"""Work out what an assignment would give again, without running any user code."""

from __future__ import annotations

import ast
import enum
import operator
import os
import types
from collections.abc import Callable, Mapping
from typing import Any

from jupyter_graph.cells.shipping.constructors import comparer, wraps_the_same
from jupyter_graph.cells.shipping.stand_ins import (
    Key,
    NotPlain,
    check_size,
    is_flag,
    is_type,
    joined_path,
    real,
    wrapped,
)
from jupyter_graph.cells.shipping.unchanged import (
    EqualObject,
    Function,
    Method,
    SameObject,
    is_data,
)

_TEXT_METHODS = frozenset(dir(str)) & frozenset(dir(bytes)) | {"format", "encode"}
_BINARY: Mapping[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
    ast.LShift: operator.lshift,
    ast.RShift: operator.rshift,
    ast.BitOr: operator.or_,
    ast.BitXor: operator.xor,
    ast.BitAnd: operator.and_,
}
_UNARY: Mapping[type[ast.unaryop], Callable[[Any], Any]] = {
    ast.UAdd: operator.pos,
    ast.USub: operator.neg,
    ast.Not: operator.not_,
    ast.Invert: operator.invert,
}


class Evaluator:
    """Evaluates literals, names that ship, and calls of the cheap constructors.

    Args:
        look: gives what a name stands for; raises NotPlain for what does not ship.
        codes: gives the codes that a lambda may have in the kernel.
        build: gives what calling a class or function of the notebook would make.
        is_settled: tells whether no line sets an attribute of a class anew.
    """

    def __init__(
        self,
        look: Callable[[str], Any],
        codes: Callable[[ast.Lambda], tuple[types.CodeType, ...]],
        build: Callable[[Any, list[Any], dict[str, Any]], Any] | None = None,
        is_settled: Callable[[Any, str], bool] = lambda thing, attribute: True,
    ) -> None:
        self.look = look
        self.is_settled = is_settled
        self.codes = codes
        self.build = build

    def value(self, node: ast.expr) -> Any:
        """Return the value, with ``Expected`` in the place of objects.

        Raises:
            NotPlain: it is anything else.
        """
        method = getattr(self, f"_{type(node).__name__.lower()}", None)
        if method is None:
            raise NotPlain(type(node).__name__)
        try:
            return method(node)
        except NotPlain:
            raise
        except Exception as error:  # 1/0 in a literal that never ran
            raise NotPlain(f"{error}") from None

    def data(self, node: ast.expr) -> Any:
        """Return the value of an operand: data, whose operators are Python's own."""
        value = self.value(node)
        if not is_data(value):
            raise NotPlain("an operator on an object")
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
        if not is_data(items):
            raise NotPlain("a set of objects")
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
        if type(value) not in (list, tuple, range, str):
            raise NotPlain("* of something that is no list")
        return value

    def _dict(self, node: ast.Dict) -> Any:
        found: dict[Any, Any] = {}
        for key, item in zip(node.keys, node.values, strict=True):
            value = self.value(item)
            if key is not None:
                found[self._key(key)] = value
            elif type(value) is dict:
                found.update(value)
            else:
                raise NotPlain("** of something that is no dict")
        return found

    def _key(self, node: ast.expr) -> Any:
        key = self.value(node)
        if isinstance(key, SameObject):
            return Key(key.value)
        if not is_data(key):
            raise NotPlain("an object as key")
        return key

    def _unaryop(self, node: ast.UnaryOp) -> Any:
        return _UNARY[type(node.op)](self.data(node.operand))

    def _binop(self, node: ast.BinOp) -> Any:
        left, right = self.value(node.left), self.value(node.right)
        if is_data(left) and is_data(right):
            check_size(node.op, left, right)
            return _BINARY[type(node.op)](left, right)
        if isinstance(node.op, ast.BitOr) and (is_type(left) or is_type(right)):
            return EqualObject(real(left) | real(right), operator.eq)
        if isinstance(node.op, ast.BitOr) and is_flag(left) and is_flag(right):
            return EqualObject(real(left) | real(right), operator.eq)
        if (
            isinstance(node.op, ast.Div)
            and isinstance(left, EqualObject)
            and is_data(right)
        ):
            return joined_path(left, right)
        raise NotPlain("an operator on an object")

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
        raise NotPlain("an item of an object")

    def _slice(self, node: ast.Slice) -> Any:
        parts = (node.lower, node.upper, node.step)
        return slice(*(self.data(part) if part else None for part in parts))

    def _attribute(self, node: ast.Attribute) -> Any:
        owner = self.value(node.value)
        if not isinstance(owner, SameObject):
            raise NotPlain("an attribute of data")
        thing = owner.value
        if (
            isinstance(thing, types.ModuleType | type | enum.Enum)
            or thing is os.environ
        ):
            if not self.is_settled(thing, node.attr):
                raise NotPlain("an attribute that is set again and again")
            return wrapped(getattr(thing, node.attr))
        return Method(thing, node.attr)

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
                if not is_data([args, named]):
                    raise NotPlain("a text method on objects")
                return getattr(owner, node.func.attr)(*args, **named)
        function = self.value(node.func)
        args, named = self._arguments(node)
        target = (
            real(function) if isinstance(function, SameObject | EqualObject) else None
        )
        compare = comparer(target) if target is not None else None
        if isinstance(function, EqualObject) and function.compare is wraps_the_same:
            compare = wraps_the_same  # lru_cache(maxsize=None)(f)
        if target is not None and compare is not None:
            made = target(*map(real, args), **{k: real(v) for k, v in named.items()})
            return made if is_data(made) else EqualObject(made, compare)
        if self.build is None:
            raise NotPlain("a call")
        return self.build(function, args, named)

    def _arguments(self, node: ast.Call) -> tuple[list[Any], dict[str, Any]]:
        named: dict[str, Any] = {}
        for word in node.keywords:
            value = self.value(word.value)
            if word.arg is not None:
                named[word.arg] = value
            elif type(value) is dict:
                named.update(value)
            else:
                raise NotPlain("** of something that is no dict")
        return self._items(node.args), named
