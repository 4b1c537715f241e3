"""From the checked tree of an expression to a function, with bounds on what it costs.

Nothing of the text reaches a name of Python's: its own names get a prefix, the
functions it may call another one, and there are no builtins. What may grow without
bound (a sum of texts, a power) goes through functions of this file.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from jupyter_graph.spec.python_syntax import parse

LARGEST: Final = 1_000_000
"""Characters, items or digits that an expression may make of something smaller."""

LONGEST_SUM: Final = 100_000
"""Characters or items that two parts may have together, or one repeated."""

MOST_SHIFT: Final = 10_000
LARGEST_SHIFTED: Final = int(sys.float_info.max)

MOST_TURNS: Final = 10_000
"""How often the comprehensions of an expression may go round, in all."""

BUDGET: Final = 10 * LARGEST
"""What comprehensions may make in all: characters, items and bytes of numbers."""

FUNCTIONS: Final[dict[str, Callable[..., Any]]] = {
    "abs": abs,
    "all": all,
    "any": any,
    "bool": bool,
    "dict": dict,
    "float": float,
    "int": int,
    "len": len,
    "list": list,
    "max": max,
    "min": min,
    "round": lambda number, digits=0: _round(number, digits),
    "set": set,
    "sorted": sorted,
    "str": str,
    "sum": sum,
    "tuple": tuple,
}
"""What an expression may call by name."""

_ATOMS: Final = frozenset((int, float, bool, type(None)))
_SIZED: Final = (str, bytes, list, tuple, dict, set)


def function_of(tree: ast.expr, text: str) -> Callable[[Any], Any]:
    """Return the function of ``event`` that a checked expression is.

    Args:
        tree: the expression; it is changed.
        text: how it was written, for tracebacks.
    """
    writer = _Writer()
    result = writer.visit(tree)
    lines: list[ast.stmt] = []
    if writer.reads_body:
        lines += parse("v_body = _body_of(v_event)").body
    if writer.has_turns:
        lines += parse("spent = Spent()").body
    function = parse("def expression(v_event): pass").body[0]
    assert isinstance(function, ast.FunctionDef)
    function.body = [*lines, ast.Return(result)]
    module = ast.fix_missing_locations(ast.Module([function], type_ignores=[]))
    names = dict(_NAMES)
    exec(compile(module, f"<expression {text}>", "exec"), names)
    made: Callable[[Any], Any] = names["expression"]
    made.__name__ = made.__qualname__ = text
    return made


class _Writer(ast.NodeTransformer):
    """Adds the prefix to names, and bounds to what may grow."""

    def __init__(self) -> None:
        self.reads_body = self.has_turns = False
        self._depth = 0

    def visit_Name(self, node: ast.Name) -> ast.expr:
        self.reads_body |= node.id == "body"
        return ast.Name(f"v_{node.id}", node.ctx)

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        return _call("_part_of", self.visit(node.value), ast.Constant(node.attr))

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        left, right = self.visit(node.left), self.visit(node.right)
        bounded = _OPERATORS.get(type(node.op))
        if bounded is None or self._grows_not(node):
            return self._made(ast.BinOp(left, node.op, right))
        return self._made(_call(bounded.__name__, left, right))

    def _grows_not(self, node: ast.BinOp) -> bool:
        """Tell whether one of the operands is a number that keeps the result small."""
        if isinstance(node.op, ast.Add):
            return _is_number(node.left) or _is_number(node.right)
        return isinstance(node.op, ast.Mod) and _is_number(node.left)

    def visit_Call(self, node: ast.Call) -> ast.expr:
        arguments = [self.visit(argument) for argument in node.args]
        keywords = [self.visit(keyword) for keyword in node.keywords]
        if isinstance(node.func, ast.Name):
            function: ast.expr = ast.Name(f"f_{node.func.id}", ast.Load())
            return self._made(ast.Call(function, arguments, keywords))
        assert isinstance(node.func, ast.Attribute)
        value, method = self.visit(node.func.value), node.func.attr
        if method in GROWING:
            function = ast.Name(f"grow_{method}", ast.Load())
            return self._made(ast.Call(function, [value, *arguments], keywords))
        function = ast.Attribute(value, method, ast.Load())
        return self._made(ast.Call(function, arguments, keywords))

    def visit_ListComp(self, node: ast.ListComp | ast.GeneratorExp) -> ast.expr:
        generators = self._turns(node.generators)
        made = ast.ListComp(self.visit(node.elt), generators)  # a generator is no value
        self._depth -= 1
        return made

    visit_GeneratorExp = visit_ListComp

    def visit_DictComp(self, node: ast.DictComp) -> ast.expr:
        generators = self._turns(node.generators)
        made = ast.DictComp(self.visit(node.key), self.visit(node.value), generators)
        self._depth -= 1
        return made

    def _turns(self, generators: list[ast.comprehension]) -> list[ast.comprehension]:
        """Return the parts of a comprehension, counted; what follows is inside it."""
        self.has_turns = True
        self._depth += 1
        return [
            ast.comprehension(
                self.visit(one.target),
                _call("spent.turns", self.visit(one.iter)),
                [self.visit(condition) for condition in one.ifs],
                one.is_async,
            )
            for one in generators
        ]

    def _visit_made(self, node: ast.expr) -> ast.expr:
        self.generic_visit(node)
        return self._made(node)

    visit_JoinedStr = visit_List = visit_Tuple = visit_Set = visit_Dict = _visit_made

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        self.generic_visit(node)
        return self._made(node) if isinstance(node.slice, ast.Slice) else node

    def visit_FormattedValue(self, node: ast.FormattedValue) -> ast.expr:
        node.value = self.visit(node.value)
        return node

    def _made(self, node: ast.expr) -> ast.expr:
        is_target = isinstance(getattr(node, "ctx", None), ast.Store)
        if not self._depth or is_target:
            return node
        return _call("spent.made", node)


def _call(function: str, *arguments: ast.expr) -> ast.expr:
    return ast.Call(parse(function, "eval").body, list(arguments), [])


def _is_number(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, int | float)


class Spent:
    """What the comprehensions of one evaluation cost so far."""

    __slots__ = ("_made", "_turns")

    def __init__(self) -> None:
        self._made = self._turns = 0

    def turns(self, items: Iterable[Any]) -> Iterator[Any]:
        """Yield the items, and count them."""
        for item in items:
            self._turns += 1
            if self._turns > MOST_TURNS:
                raise ValueError(
                    f"comprehensions go round more than {MOST_TURNS} times"
                )
            yield item

    def made(self, value: Any) -> Any:
        """Return a value that was made in a comprehension, and count its size."""
        self._made += _weight(value)
        if self._made > BUDGET:
            raise ValueError(
                f"the comprehension would make more than {BUDGET} characters, items or "
                "bytes of numbers"
            )
        return value


def _weight(value: Any) -> int:
    """Return the characters, items and bytes of numbers that a value holds, all in all.

    What stands in it twice counts twice: it is written out as often in an answer.
    """
    if isinstance(value, int):
        return value.bit_length() // 8
    total, todo = 0, [value]
    while todo and total <= BUDGET:
        one = todo.pop()
        if isinstance(one, _SIZED):
            total += len(one)
        if isinstance(one, dict):
            todo += [item for item in one.values() if type(item) not in _ATOMS]
        elif isinstance(one, list | tuple | set):
            todo += [item for item in one if type(item) not in _ATOMS]
    return total


# -- what is called instead of Python's own ------------------------------------------


def _body_of(event: Any) -> Any:
    return getattr(event, "body", event)


def _part_of(value: Any, name: str) -> Any:
    """``event.id``: of an event, or the part of a body that has this name."""
    try:
        return getattr(value, name)
    except AttributeError:
        try:
            return value[name]
        except (KeyError, TypeError):
            pass
        raise


def _plus(left: Any, right: Any) -> Any:
    if isinstance(left, _SIZED) and isinstance(right, _SIZED):
        _bounded(len(left) + len(right), LONGEST_SUM)
    return left + right


def _times(left: Any, right: Any) -> Any:
    if isinstance(left, int) and isinstance(right, int):
        _bounded((left.bit_length() + right.bit_length()) // 8)
    elif isinstance(left, _SIZED) and isinstance(right, int):
        _bounded(len(left) * right, LONGEST_SUM)
        _bounded(_weight(left) * right)
    elif isinstance(right, _SIZED) and isinstance(left, int):
        return _times(right, left)
    return left * right


def _power(base: Any, exponent: Any) -> Any:
    is_large = isinstance(base, int) and abs(base) > 1
    if abs(exponent) > 1000 and is_large:
        raise ValueError(f"an exponent is 1000 at most, got {exponent!r}")
    if isinstance(base, int) and base.bit_length() * abs(exponent) > LARGEST:
        raise ValueError("the power is too large")
    return base**exponent


def _modulo(left: Any, right: Any) -> Any:
    if isinstance(left, str | bytes):
        raise TypeError("a text is not formatted with % here; use an f-string")
    return left % right


def _shifted_left(left: Any, right: Any) -> Any:
    _check_shift(left, right)
    return left << right


def _shifted_right(left: Any, right: Any) -> Any:
    _check_shift(left, right)
    return left >> right


def _check_shift(left: Any, right: Any) -> None:
    if abs(right) > MOST_SHIFT or abs(left) > LARGEST_SHIFTED:
        raise ValueError(
            f"numbers of {LARGEST_SHIFTED:.0e} at most are shifted, by {MOST_SHIFT} "
            "bits at most"
        )


def _round(number: Any, digits: Any) -> Any:
    if not isinstance(digits, int) or abs(digits) > 100:
        raise ValueError(f"round takes -100 to 100 digits, got {digits!r}")
    return round(number, digits) if digits else round(number)


def _replace(text: Any, old: str, new: str, count: int = -1) -> Any:
    times = text.count(old)
    _bounded(len(text) + times * max(0, len(new) - len(old)))
    return text.replace(old, new, count)


def _join(separator: Any, parts: Any) -> Any:
    listed = list(parts)
    _bounded(sum(map(len, listed)) + len(separator) * len(listed))
    return separator.join(listed)


def _bounded(size: int, most: int = LARGEST) -> None:
    if size > most:
        raise ValueError(
            f"the result would have {size} characters or items, more than {most}"
        )


GROWING: Final[dict[str, Callable[..., Any]]] = {"replace": _replace, "join": _join}
"""Methods whose result may be far larger than what they are called with."""

_OPERATORS: Final[dict[type[ast.operator], Callable[..., Any]]] = {
    ast.Add: _plus,
    ast.Mult: _times,
    ast.Pow: _power,
    ast.Mod: _modulo,
    ast.LShift: _shifted_left,
    ast.RShift: _shifted_right,
}

_NAMES: Final[dict[str, Any]] = {
    "__builtins__": {},
    "Spent": Spent,
    **{one.__name__: one for one in (_body_of, _part_of, *_OPERATORS.values())},
    **{f"f_{name}": function for name, function in FUNCTIONS.items()},
    **{f"grow_{name}": function for name, function in GROWING.items()},
}
