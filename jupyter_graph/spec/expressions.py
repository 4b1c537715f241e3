"""Expressions of documents: MLRun's ``(event["a"] + 1)``, read once, never ``eval``.

Source: https://docs.mlrun.org/en/stable/serving/graph-example.html; the evaluator is
simpleeval, https://github.com/danthedeckie/simpleeval.
"""

from __future__ import annotations

import ast
import reprlib
from collections.abc import Callable
from typing import Any, Final

from jupyter_graph.errors import SpecError, did_you_mean

LONGEST: Final = 2000
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
    "round": round,
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
    from simpleeval import EvalWithCompoundTypes

    def evaluate(event: Any) -> Any:
        names = {"event": event, "body": getattr(event, "body", event)}
        evaluator = EvalWithCompoundTypes(functions=FUNCTIONS, names=names)
        return evaluator.eval(text, previously_parsed=tree)

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

    def generic_visit(self, node: ast.AST) -> None:
        if not isinstance(node, self.ALLOWED):
            self.refuse(f"has a {type(node).__name__}, which is not available")
        if isinstance(node, ast.FormattedValue) and node.format_spec is not None:
            self.refuse("has a format in an f-string, which is not available")
        super().generic_visit(node)

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
