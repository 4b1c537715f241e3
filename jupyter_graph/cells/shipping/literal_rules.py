"""Which expressions and blocks ship as code by their text alone."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

from jupyter_graph.cells.scope.visitor import names_of
from jupyter_graph.cells.shipping.constructors import TABLE
from jupyter_graph.cells.shipping.unchanged import NotReproducible, ensure
from jupyter_graph.cells.syntax import (
    ASSIGNMENT,
    DEFINITION,
    IMPORT,
    defaults_of,
    is_docstring,
    targets_of,
)

Dotted = Callable[[ast.expr], str | None]

_PARTS = (
    ast.Constant | ast.Name | ast.Tuple | ast.List | ast.Set | ast.Dict | ast.UnaryOp
    | ast.BinOp | ast.BoolOp | ast.Compare | ast.IfExp | ast.JoinedStr | ast.Slice
    | ast.FormattedValue | ast.Starred | ast.Subscript
)  # fmt: skip
_QUESTIONS = frozenset(
    ("hasattr", "isinstance", "issubclass", "callable", "len", "find_spec",
     "startswith", "endswith", "system", "machine", "python_version",
     "python_implementation")
)  # fmt: skip


def is_reproducible(node: ast.expr, dotted: Dotted) -> bool:
    """Tell whether an expression is literals, names, and calls of cheap constructors.

    Args:
        node: the expression.
        dotted: returns the full name of an imported or built-in name, else None.

    >>> texts = ("[1, -2.5, 'a']", "train()")
    >>> nodes = [ast.parse(text, mode="eval").body for text in texts]
    >>> [is_reproducible(node, lambda part: None) for node in nodes]
    [True, False]
    """
    if isinstance(node, ast.Lambda):
        return all(is_reproducible(item, dotted) for item in defaults_of(node.args))
    if isinstance(node, ast.Attribute):
        return dotted(node) is not None
    if isinstance(node, ast.Call):
        parts = [*node.args, *(word.value for word in node.keywords)]
        is_cheap = dotted(node.func) in TABLE or _is_text_method(node.func)
        return is_cheap and all(is_reproducible(part, dotted) for part in parts)
    if not isinstance(node, _PARTS):
        return False
    parts = [n for n in ast.iter_child_nodes(node) if isinstance(n, ast.expr)]
    return all(is_reproducible(part, dotted) for part in parts)


def _is_text_method(node: ast.expr) -> bool:
    if not isinstance(node, ast.Attribute) or not isinstance(node.value, ast.Constant):
        return False
    return isinstance(node.value.value, str) and hasattr(str, node.attr)


def is_definition_block(node: ast.AST) -> bool:
    r"""Tell whether an ``if`` or ``try`` only imports, defines and sets.

    Its condition asks about versions, modules and constants, not about the notebook.

    >>> text = "try:\n    import fast\nexcept ImportError:\n    fast = None"
    >>> is_definition_block(ast.parse(text).body[0])
    True
    """
    if isinstance(node, ast.If):
        parts = [*node.body, *node.orelse]
        asks_more = any(map(_asks_more, ast.walk(node.test)))
        return not asks_more and all(map(_is_definition, parts))
    if isinstance(node, ast.Try):
        parts = [*node.body, *node.orelse, *node.finalbody]
        parts += [inner for handler in node.handlers for inner in handler.body]
        return all(map(_is_definition, parts))
    return False


def always_binds(node: ast.AST, name: str) -> bool:
    r"""Tell whether a plain block sets a name whichever way it goes.

    >>> always_binds(ast.parse("if a:\n    b = 1\nelse:\n    b = 2").body[0], "b")
    True
    >>> always_binds(ast.parse("if a:\n    b = 1").body[0], "b")
    False
    """
    if isinstance(node, ast.If):
        branches: list[list[ast.stmt]] = [node.body, node.orelse]
    elif isinstance(node, ast.Try):
        handlers = [handler.body for handler in node.handlers]
        branches = [[*node.body, *node.orelse, *node.finalbody], *handlers]
    else:
        return name in names_of(node).binds if isinstance(node, ast.stmt) else False
    return all(any(always_binds(part, name) for part in branch) for branch in branches)


def _is_definition(node: ast.stmt) -> bool:
    if isinstance(node, DEFINITION | IMPORT | ast.Pass) or is_docstring(node):
        return True
    if isinstance(node, ASSIGNMENT):
        are_names = all(isinstance(target, ast.Name) for target in targets_of(node))
        return are_names and (node.value is None or _is_constant(node.value))
    return is_definition_block(node)


def _is_constant(node: ast.expr) -> bool:
    kinds = (ast.Call, ast.Await, ast.NamedExpr, ast.ListComp, ast.GeneratorExp)
    return not any(isinstance(part, kinds) for part in ast.walk(node))


def _asks_more(part: ast.AST) -> bool:
    if isinstance(part, ast.Name):
        return part.id == "__name__"
    if isinstance(part, ast.Attribute):
        return part.attr in ("environ", "getenv")
    if isinstance(part, ast.Call):
        name = getattr(part.func, "attr", getattr(part.func, "id", ""))
        return name not in _QUESTIONS
    return isinstance(part, ast.Await | ast.NamedExpr | ast.Lambda)


def bound_value(node: ast.Assign | ast.AnnAssign, name: str, value: Any) -> Any:
    """Return what an assignment of a value binds to one name, or NotReproducible.

    >>> bound_value(ast.parse("a, (b, c) = 1, (2, 3)").body[0], "c", (1, (2, 3)))
    3
    """
    for target in reversed(targets_of(node)):
        if values := _bound(target, name, value):
            return values[-1]
    raise NotReproducible(name)


def _bound(target: ast.expr, name: str, value: Any) -> list[Any]:
    if isinstance(target, ast.Name):
        return [value] if target.id == name else []
    if not isinstance(target, ast.Tuple | ast.List):
        return []
    parts = list(value) if type(value) in (tuple, list, str, range) else None
    if parts is None or len(parts) != len(target.elts):
        raise NotReproducible("unpacking of something else")
    ensure(ast.Starred not in map(type, target.elts), "unpacking with *")
    pairs = zip(target.elts, parts, strict=True)
    return [bound for part, item in pairs for bound in _bound(part, name, item)]
