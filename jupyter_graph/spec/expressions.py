"""Expressions of documents: MLRun's ``(event["a"] + 1)``, checked, then compiled.

Source: https://docs.mlrun.org/en/stable/serving/graph-example.html. MLRun evaluates
them as any code of Python; here the tree is looked through first.
"""

from __future__ import annotations

import ast
import re
import reprlib
from collections.abc import Callable, Iterator
from typing import Any, Final

from jupyter_graph.errors import SpecError, did_you_mean
from jupyter_graph.spec.python_syntax import parse

LONGEST: Final = 2000
DEEPEST: Final = 50
MOST_LOOPS: Final = 10
"""Loops inside each other: CPython 3.12 and 3.13 crash where it compiles many."""

WIDEST: Final = 100
"""Characters or digits that a format in an f-string may ask for."""

NAMES: Final = ("event", "body")
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
    """Return the function of one argument, ``event``, that an expression is.

    ``body`` is the event's body, or the argument itself where it is one.

    Raises:
        SpecError: it cannot be read, or asks for more than numbers, texts, parts of the
            body and a few pure functions; the text says what.

    >>> compile_expression("(event['n'] * 2 if event['n'] > 1 else 0)")({"n": 3})
    6
    """
    from jupyter_graph.spec.expression_code import function_of

    tree = _read(text)
    _Checker(text).visit(tree)
    return function_of(tree, text)


def _read(text: str) -> ast.expr:
    shown = reprlib.repr(text)
    if not isinstance(text, str):
        raise SpecError(f"an expression is a text, got {shown}")
    if len(text) > LONGEST:
        raise SpecError(
            f"expression {shown} has {len(text)} characters, {LONGEST} at most are read"
        )
    try:
        return parse(text.strip(), "eval").body  # type: ignore[no-any-return]
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        reason = getattr(error, "msg", None) or str(error) or type(error).__name__
        raise SpecError(f"expression {shown} cannot be read: {reason}") from None


class _Checker(ast.NodeVisitor):
    """Refuses what no graph needs, before anything is evaluated."""

    ALLOWED = (
        ast.BinOp, ast.BoolOp, ast.Call, ast.Compare, ast.Constant, ast.Dict,
        ast.IfExp, ast.List, ast.Load, ast.Name, ast.Attribute, ast.Slice,
        ast.Subscript, ast.Tuple, ast.Set, ast.UnaryOp, ast.operator, ast.boolop,
        ast.cmpop, ast.unaryop, ast.keyword, ast.JoinedStr, ast.FormattedValue,
        ast.ListComp, ast.GeneratorExp, ast.DictComp, ast.expr_context,
    )  # fmt: skip

    def __init__(self, text: str) -> None:
        self.shown = reprlib.repr(text)
        self.depth = self.loops = 0
        self.names: tuple[str, ...] = NAMES

    def generic_visit(self, node: ast.AST) -> None:
        if not isinstance(node, self.ALLOWED) or isinstance(node, ast.MatMult):
            self.refuse(f"has a {type(node).__name__}, which is not available")
        if isinstance(node, ast.FormattedValue) and node.format_spec is not None:
            self._check_format(node.format_spec)
        super().generic_visit(node)

    def visit(self, node: ast.AST) -> None:
        self.depth += 1
        if self.depth > DEEPEST:
            self.refuse(f"is nested more than {DEEPEST} deep")
        super().visit(node)
        self.depth -= 1

    def visit_Name(self, node: ast.Name) -> None:
        if node.id not in self.names:
            self.refuse(
                f"reads {node.id!r}{did_you_mean(node.id, self.names)} "
                f"(it may read {' and '.join(self.names)})"
            )

    def visit_ListComp(self, node: ast.ListComp | ast.GeneratorExp) -> None:
        self._comprehension(node.generators, node.elt)

    visit_GeneratorExp = visit_ListComp

    def visit_DictComp(self, node: ast.DictComp) -> None:
        self._comprehension(node.generators, node.key, node.value)

    def _comprehension(
        self, generators: list[ast.comprehension], *results: ast.expr
    ) -> None:
        outside, loops = self.names, self.loops
        for one in generators:
            if one.is_async:
                self.refuse("has an async comprehension, which is not available")
            self.visit(one.iter)
            self.names += tuple(self._bound(one.target))
            self.loops += 1
            if self.loops > MOST_LOOPS:
                self.refuse(f"has more than {MOST_LOOPS} loops inside each other")
            for condition in one.ifs:
                self.visit(condition)
        for result in results:
            self.visit(result)
        self.names, self.loops = outside, loops

    def _bound(self, target: ast.expr) -> Iterator[str]:
        if isinstance(target, ast.Name):
            yield target.id
        elif isinstance(target, ast.Tuple | ast.List):
            for part in target.elts:
                yield from self._bound(part)
        else:
            self.refuse(f"has a {type(target).__name__} after 'for': names are needed")

    def _check_format(self, spec: ast.expr) -> None:
        """A format is written out, and its numbers are small: ``{event:.2f}``."""
        parts = spec.values if isinstance(spec, ast.JoinedStr) else [spec]
        texts = [part.value for part in parts if isinstance(part, ast.Constant)]
        widths = [int(one) for text in texts for one in re.findall(r"\d+", str(text))]
        if len(texts) < len(parts) or max(widths, default=0) > WIDEST:
            self.refuse(
                "has a format in an f-string that is computed, or wider than "
                f"{WIDEST} characters"
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
        from jupyter_graph.spec.expression_code import FUNCTIONS

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
        for keyword in node.keywords:
            if keyword.arg is None:
                self.refuse("has a ** in a call, which is not available")
        for part in (*node.args, *node.keywords):
            self.visit(part)

    def refuse(self, why: str) -> Any:
        raise SpecError(f"expression {self.shown} {why}")
