"""Which global names a statement sets, needs and changes, by Python's scope rules."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from jupyter_graph.cells.scope.bindings import Scope, set_by, stored_in
from jupyter_graph.cells.scope.usage import Change, Names, Use, chain_of, quoted
from jupyter_graph.cells.syntax import bound_by, defaults_of

LAZY_ANNOTATIONS = sys.version_info >= (3, 14)  # PEP 649
_CONSTRUCTION = {"__init__", "__new__", "__call__", "__init_subclass__", "__set_name__"}


def names_of(statement: ast.stmt, *, lazy_annotations: bool = False) -> Names:
    """Read one top-level statement.

    Args:
        statement: a statement of a module's body.
        lazy_annotations: ``from __future__ import annotations`` is in force.

    >>> names = names_of(ast.parse("def f(x, y=LIMIT): return g(x) + x").body[0])
    >>> list(names.binds), [(use.name, use.depth) for use in names.uses]
    (['f'], [('LIMIT', 0), ('g', 1)])
    """
    visitor = _Visitor(lazy_annotations or LAZY_ANNOTATIONS)
    visitor.visit(statement)
    return visitor.names


class _Visitor(ast.NodeVisitor):
    """Walks one statement in the order in which Python runs it.

    The stack of scopes says whose a name is.
    """

    def __init__(self, lazy_annotations: bool) -> None:
        self.names = Names()
        self.lazy = lazy_annotations
        self.scope = Scope("module")
        self.depth = 0  # functions around; 0 runs with the statement
        self.called = 0  # calls around, as `Use.called` counts them
        self.soft = 0  # blocks around in which a missing name does not matter
        self.hidden: list[str] = []  # names of the handlers around
        self.statement: ast.stmt | None = None

    def _is_global(self, name: str) -> bool:
        """Tell whether a name is the module's; functions do not see a class's names."""
        scope = self.scope
        innermost = True
        while scope.parent is not None:
            if name in scope.declared_global:
                return True
            if name in scope.bound and (innermost or scope.kind != "class"):
                return False
            innermost = False
            scope = scope.parent
        return name not in self.hidden

    def _use(self, name: str, line: int, chain: tuple[str, ...] = ()) -> None:
        if name == "__class__" and self.depth:  # a cell that Python makes for super()
            return
        if self._is_global(name):
            self.names.uses.append(
                Use(name, line, self.depth, self.called, self.soft > 0, chain)
            )

    def _bind(self, name: str, line: int) -> None:
        scope = self.scope
        while scope.kind == "comprehension" and name not in scope.bound:
            assert scope.parent is not None
            scope = scope.parent  # a walrus binds outside of its comprehension
        if scope.kind == "class" and name not in scope.declared_global:
            scope.bound.add(name)
        elif scope.kind == "module" and self.statement is not None:
            self.names.binds.setdefault(name, []).append(self.statement)
            self.names.deletes.discard(name)
        elif name in scope.declared_global:
            self._change(name, line, "rebind")

    def _change(self, name: str, line: int, how: Any, chain: Any = ()) -> None:
        if self._is_global(name):
            self.names.changes.append(Change(name, line, self.depth, how, tuple(chain)))

    def visit(self, node: ast.AST) -> None:
        outer = self.statement
        # Inside a block each statement binds for itself: a branch may ship alone.
        if isinstance(node, ast.stmt) and self.scope.kind == "module":
            self.statement = node
        super().visit(node)
        self.statement = outer

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Load):
            self._use(node.id, node.lineno)
        elif isinstance(node.ctx, ast.Store):
            self._bind(node.id, node.lineno)
        elif self.scope.kind == "module":
            self.names.deletes.add(node.id)
        elif node.id in self.scope.declared_global:
            self._change(node.id, node.lineno, "rebind")

    def visit_Attribute(self, node: ast.Attribute) -> None:
        self._store_into(node, "attribute")
        inner: ast.expr = node
        chain: list[str] = []
        while isinstance(inner, ast.Attribute):
            chain.insert(0, inner.attr)
            inner = inner.value
        if isinstance(inner, ast.Name):
            self._use(inner.id, inner.lineno, tuple(chain))
        else:
            self.visit(inner)

    def visit_Subscript(self, node: ast.Subscript) -> None:
        self._store_into(node, "item")
        match node:
            case ast.Subscript(ast.Call(ast.Name("globals")), ast.Constant(str(name))):
                use = Use(name, node.lineno, max(self.depth, 1), soft=True)
                self.names.uses.append(use)
        self.generic_visit(node)

    def _store_into(self, node: ast.Attribute | ast.Subscript, how: str) -> None:
        if not isinstance(node.ctx, ast.Load):
            root, chain = chain_of(node)
            if root is not None:
                self._change(root, node.lineno, how, chain)

    def visit_Call(self, node: ast.Call) -> None:
        root, chain = chain_of(node.func)
        if root is not None and chain:
            self._change(root, node.lineno, "method", chain)
        if root in ("setattr", "delattr") and not chain and len(node.args) > 1:
            target, key = chain_of(node.args[0]), node.args[1]
            if target[0] is not None:
                name = key.value if isinstance(key, ast.Constant) else "*"
                self._change(target[0], node.lineno, "attribute", (*target[1], name))
        self.called += 1
        self.generic_visit(node)
        self.called -= 1

    def visit_Assign(self, node: ast.Assign | ast.AugAssign | ast.NamedExpr) -> None:
        self.visit(node.value)  # read before the targets are bound
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        for target in targets:
            self.visit(target)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        if isinstance(node.target, ast.Name):
            self._use(node.target.id, node.lineno)
        self.visit_Assign(node)

    visit_NamedExpr = visit_Assign

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        self._annotation(node.annotation, self.scope.kind in ("module", "class"))
        if node.value is not None:
            self.visit(node.value)
        if node.value is not None or not isinstance(node.target, ast.Name):
            self.visit(node.target)

    def visit_For(self, node: ast.For | ast.AsyncFor) -> None:
        self.visit(node.iter)
        self.visit(node.target)
        self._block([*node.body, *node.orelse])

    visit_AsyncFor = visit_For

    def _block(self, nodes: Iterable[ast.AST]) -> None:
        for node in nodes:
            self.visit(node)

    def visit_Import(self, node: ast.Import | ast.ImportFrom) -> None:
        for alias in node.names:
            if alias.name != "*":
                self._bind(bound_by(alias), node.lineno)

    visit_ImportFrom = visit_Import

    def visit_Global(self, node: ast.Global) -> None:
        self.scope.declared_global.update(node.names)

    def visit_Try(self, node: Any) -> None:
        with self._softly(any(map(_catches_name_error, node.handlers))):
            self._block(node.body)
        self._block([*node.handlers, *node.orelse, *node.finalbody])

    visit_TryStar = visit_Try

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> None:
        if node.type is not None:
            self.visit(node.type)
        self.hidden.append(node.name or "")  # it lives as long as the handler
        self._block(node.body)
        self.hidden.pop()

    def visit_MatchAs(
        self, node: ast.MatchAs | ast.MatchStar | ast.MatchMapping
    ) -> None:
        self.generic_visit(node)
        for name in set_by(node):
            self._bind(name, node.lineno)

    visit_MatchStar = visit_MatchMapping = visit_MatchAs

    @contextmanager
    def _inside(self, scope: Scope, deeper: int = 0) -> Iterator[None]:
        state = self.scope, self.depth, self.called
        scope.parent, self.scope = self.scope, scope
        self.depth += deeper
        if deeper:
            self.called = 0
        yield
        self.scope, self.depth, self.called = state

    @contextmanager
    def _softly(self, soft: bool = True) -> Iterator[None]:
        self.soft += soft
        yield
        self.soft -= soft

    @contextmanager
    def _type_scope(self, node: Any) -> Iterator[None]:
        params = getattr(node, "type_params", ())  # PEP 695, since Python 3.12
        scope = Scope("function", bound={param.name for param in params})
        if not params:
            yield
            return
        with self._inside(scope):
            self._block(params)
            yield

    def _decorators(self, node: Any) -> None:
        self.called += 1
        for decorator in node.decorator_list:
            root, chain = chain_of(decorator)
            if root is not None and chain:
                self._change(root, decorator.lineno, "method", chain)
            self.visit(decorator)
        self.called -= 1

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        self._decorators(node)
        self._bind(node.name, node.lineno)
        self._block(defaults_of(node.args))
        with self._type_scope(node):
            arguments = _arguments(node.args)
            for annotation in [*(a.annotation for a in arguments), node.returns]:
                if annotation is not None:
                    self._annotation(annotation)
            # Methods run with events; those that make a class or instance run earlier.
            in_class = self.scope.kind == "class" and self.depth == 0
            scope = stored_in(node.body)
            scope.bound |= {argument.arg for argument in arguments}
            deeper = 2 if in_class and node.name not in _CONSTRUCTION else 1
            with self._inside(scope, deeper):
                self._block(node.body)

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_Lambda(self, node: ast.Lambda) -> None:
        self._block(defaults_of(node.args))
        scope = stored_in([node.body])
        scope.bound |= {argument.arg for argument in _arguments(node.args)}
        with self._inside(scope, 1):
            self.visit(node.body)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self._decorators(node)
        with self._type_scope(node):
            self.called += 1
            self._block([*node.bases, *node.keywords])
            self.called -= 1
            with self._inside(Scope("class")):
                self._block(node.body)
        self._bind(node.name, node.lineno)

    def visit_TypeAlias(self, node: Any) -> None:
        with self._type_scope(node), self._inside(Scope("function"), 1):
            self.visit(node.value)
        self._bind(node.name.id, node.lineno)

    def visit_ListComp(self, node: Any) -> None:
        first = node.generators[0]  # its iterable belongs to the scope around
        self.visit(first.iter)
        targets = [generator.target for generator in node.generators]
        with self._inside(Scope("comprehension", bound=stored_in(targets).bound)):
            for generator in node.generators:
                if generator is not first:
                    self.visit(generator.iter)
                self.visit(generator.target)
                self._block(generator.ifs)
            is_dict = isinstance(node, ast.DictComp)
            self._block([node.key, node.value] if is_dict else [node.elt])

    visit_SetComp = visit_GeneratorExp = visit_DictComp = visit_ListComp

    def _annotation(self, node: ast.expr, evaluated: bool = True) -> None:
        # Tools such as pydantic read annotations late: each name is a soft use too.
        evaluated = evaluated and not self.lazy
        if evaluated:
            self.visit(node)
        with self._softly(), self._inside(Scope("comprehension"), 1):
            self._block([*quoted(node), *([] if evaluated else [node])])


def _arguments(arguments: ast.arguments) -> list[ast.arg]:
    some = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    return [*some, *filter(None, (arguments.vararg, arguments.kwarg))]


def _catches_name_error(handler: ast.ExceptHandler) -> bool:
    names = {n.id for n in ast.walk(handler.type or handler) if isinstance(n, ast.Name)}
    return handler.type is None or "NameError" in names
