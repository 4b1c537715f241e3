"""The scopes of Python and what binds a name in them."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Literal

from jupyter_graph.cells.syntax import DEFINITION, FUNCTION, bound_by, defaults_of


@dataclass
class Scope:
    """The names of one function, class or comprehension, inside its parent's."""

    kind: Literal["module", "function", "class", "comprehension"]
    parent: Scope | None = None
    bound: set[str] = field(default_factory=set)
    declared_global: set[str] = field(default_factory=set)


def stored_in(nodes: Iterable[ast.AST]) -> Scope:
    """Find what a function body binds, not looking into the scopes inside it."""
    scope, nonlocals = Scope("function"), set[str]()
    todo = list(nodes)
    while todo:
        node = todo.pop()
        if isinstance(node, ast.Global):
            scope.declared_global.update(node.names)
        elif isinstance(node, ast.Nonlocal):
            nonlocals.update(node.names)
        scope.bound.update(set_by(node))
        todo += _same_scope(node)
    scope.bound -= scope.declared_global | nonlocals
    return scope


def set_by(node: ast.AST) -> Iterator[str]:
    """Yield the names that a node itself sets, not those of the nodes inside it."""
    if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
        yield node.id
    elif isinstance(node, DEFINITION):
        yield node.name
    elif isinstance(node, ast.alias):
        yield bound_by(node)
    elif isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar):
        yield from [node.name] if node.name else []
    elif isinstance(node, ast.MatchMapping) and node.rest:
        yield node.rest


def _same_scope(node: ast.AST) -> list[ast.AST]:
    """Return the parts of a node that belong to the scope around it."""
    if isinstance(node, ast.Lambda):
        return [*defaults_of(node.args)]
    if isinstance(node, FUNCTION):
        return [*node.decorator_list, *defaults_of(node.args)]
    if isinstance(node, ast.ClassDef):
        return [*node.decorator_list, *node.bases, *node.keywords]
    if isinstance(node, ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp):
        walrus = [n for n in ast.walk(node) if isinstance(n, ast.NamedExpr)]
        return [n.target for n in walrus]
    return list(ast.iter_child_nodes(node))
