"""Expressions of documents: MLRun's ``(event["a"] + 1)``, read once, never ``eval``.

Source: https://docs.mlrun.org/en/stable/serving/graph-example.html; the evaluator is
simpleeval, https://github.com/danthedeckie/simpleeval.
"""

from __future__ import annotations

import ast
import functools
import reprlib
from collections.abc import Callable
from typing import Any, Final

from jupyter_graph.errors import SpecError, did_you_mean

LONGEST: Final = 2000
DEEPEST: Final = 50
LARGEST: Final = 1_000_000
"""Characters, items or digits that an expression may make of something smaller."""

NAMES: Final = ("event", "body")
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

METHODS: Final = frozenset(
    {
        "copy", "count", "endswith", "find", "get", "index", "items", "join", "keys",
        "lower", "lstrip", "partition", "removeprefix", "removesuffix", "replace",
        "rpartition", "rsplit", "rstrip", "split", "splitlines", "startswith",
        "strip", "title", "upper", "values",
    }
)  # fmt: skip
"""What an expression may call of a value."""

ATTRIBUTES: Final = frozenset(
    {"body", "content_type", "headers", "id", "key", "method", "path", "time"}
)
"""What an expression may read of an event."""


def is_expression(text: Any) -> bool:
    """Tell whether a handler is an expression rather than a name.

    >>> is_expression("(event + 1)"), is_expression("double")
    (True, False)
    """
    return isinstance(text, str) and text.startswith("(") and text.endswith(")")


def compile_expression(text: str) -> Callable[[Any], Any]:
    """Give the function of one argument, ``event``, that an expression is.

    ``body`` is the event's body, or the argument itself where it is one.

    Raises:
        SpecError: it cannot be read, or asks for more than numbers, texts, parts of the
            body and a few pure functions; the text says what.

    >>> compile_expression("(event['n'] * 2 if event['n'] > 1 else 0)")({"n": 3})
    6
    """
    tree = _read(text)
    _Checker(text).visit(tree)
    evaluator = _evaluator()

    def evaluate(event: Any) -> Any:
        names = {"event": event, "body": getattr(event, "body", event)}
        return evaluator(names=names).eval(text, previously_parsed=tree)

    evaluate.__name__ = evaluate.__qualname__ = text
    return evaluate


def _read(text: str) -> ast.expr:
    shown = reprlib.repr(text)
    if len(text) > LONGEST:
        raise SpecError(
            f"expression {shown} has {len(text)} characters, {LONGEST} at most are read"
        )
    try:
        return ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        said = getattr(error, "msg", None) or str(error) or type(error).__name__
        raise SpecError(f"expression {shown} cannot be read: {said}") from None


@functools.cache
def _evaluator() -> Any:
    """Give simpleeval's evaluator, with bounds on what a few characters may cost."""
    from simpleeval import DEFAULT_OPERATORS, EvalWithCompoundTypes

    operators = {**DEFAULT_OPERATORS, ast.Pow: _power, ast.Mod: _modulo}

    class Evaluator(EvalWithCompoundTypes):  # type: ignore[misc]  # it has no types
        def __init__(self, names: dict[str, Any]) -> None:
            super().__init__(operators=operators, functions=FUNCTIONS, names=names)

        def _check_disallowed_items(self, item: Any) -> None:
            """Nothing to find: what may be called was checked before."""

        def _eval_call(self, node: ast.Call) -> Any:
            if isinstance(node.func, ast.Attribute) and node.func.attr in GROWING:
                value = self._eval(node.func.value)
                given = [self._eval(argument) for argument in node.args]
                return GROWING[node.func.attr](value, *given)
            return super()._eval_call(node)

    return Evaluator


def _round(number: Any, digits: Any) -> Any:
    if not isinstance(digits, int) or abs(digits) > 100:
        raise ValueError(f"round takes -100 to 100 digits, got {digits!r}")
    return round(number, digits) if digits else round(number)


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


def _replace(text: Any, old: str, new: str, count: int = -1) -> Any:
    times = text.count(old)
    _bounded(len(text) + times * max(0, len(new) - len(old)))
    return text.replace(old, new, count)


def _join(separator: Any, parts: Any) -> Any:
    listed = list(parts)
    _bounded(sum(map(len, listed)) + len(separator) * len(listed))
    return separator.join(listed)


def _bounded(size: int) -> None:
    if size > LARGEST:
        raise ValueError(f"the text would have {size} characters, more than {LARGEST}")


GROWING: Final[dict[str, Callable[..., Any]]] = {"replace": _replace, "join": _join}
"""Methods whose result may be far larger than what they are called with."""


class _Checker(ast.NodeVisitor):
    """Refuses what no graph needs, before anything is evaluated."""

    ALLOWED = (
        ast.BinOp, ast.BoolOp, ast.Call, ast.Compare, ast.Constant, ast.Dict,
        ast.IfExp, ast.List, ast.Load, ast.Name, ast.Attribute, ast.Slice,
        ast.Subscript, ast.Tuple, ast.Set, ast.UnaryOp, ast.operator, ast.boolop,
        ast.cmpop, ast.unaryop, ast.keyword, ast.JoinedStr, ast.FormattedValue,
    )  # fmt: skip

    def __init__(self, text: str) -> None:
        self.shown = reprlib.repr(text)
        self.depth = 0

    def generic_visit(self, node: ast.AST) -> None:
        if not isinstance(node, self.ALLOWED):
            self.refuse(f"has a {type(node).__name__}, which is not available")
        if isinstance(node, ast.FormattedValue) and node.format_spec is not None:
            self.refuse("has a format in an f-string, which is not available")
        super().generic_visit(node)

    def visit(self, node: ast.AST) -> None:
        self.depth += 1
        if self.depth > DEEPEST:
            self.refuse(f"is nested more than {DEEPEST} deep")
        super().visit(node)
        self.depth -= 1

    def visit_Name(self, node: ast.Name) -> None:
        if node.id not in NAMES:
            self.refuse(
                f"reads {node.id!r}{did_you_mean(node.id, NAMES)} "
                f"(it may read {' and '.join(NAMES)})"
            )

    def visit_Attribute(self, node: ast.Attribute) -> None:
        if node.attr not in ATTRIBUTES:
            self.refuse(
                f"reads the attribute {node.attr!r}"
                f"{did_you_mean(node.attr, ATTRIBUTES)} "
                f"(of an event: {', '.join(sorted(ATTRIBUTES))})"
            )
        self.visit(node.value)

    def visit_Call(self, node: ast.Call) -> None:
        if isinstance(node.func, ast.Name):
            name, known = node.func.id, frozenset(FUNCTIONS)
        elif isinstance(node.func, ast.Attribute):
            name, known = node.func.attr, METHODS
            self.visit(node.func.value)
        else:
            self.refuse("calls what is no plain name")
        if name not in known:
            self.refuse(
                f"calls {name!r}{did_you_mean(name, known)} "
                f"(it may call {', '.join(sorted(known))})"
            )
        for part in (*node.args, *node.keywords):
            self.visit(part)

    def refuse(self, why: str) -> Any:
        raise SpecError(f"expression {self.shown} {why}")
