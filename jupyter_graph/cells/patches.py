"""What was changed on a class, function or module after its definition."""

from __future__ import annotations

import ast
from collections.abc import Hashable, Iterator
from types import FunctionType, MemberDescriptorType
from typing import Any

from jupyter_graph.cells.attributes import UNKNOWN, class_attributes
from jupyter_graph.cells.evaluate import NotPlain
from jupyter_graph.cells.expected import is_data, still
from jupyter_graph.cells.items import Item, Problem, code_item
from jupyter_graph.cells.judge import FUNCTION, Judge
from jupyter_graph.cells.literals import literal
from jupyter_graph.cells.names import Change, Use, chain_of
from jupyter_graph.cells.outside import Outside
from jupyter_graph.cells.program import Statement

Found = tuple[Hashable, Item | None, Problem | None]
_MISSING: Any = object()


class Patches:
    """Finds the lines, and the silent changes, that belong to a definition.

    Args:
        judge: knows the namespace and the cells.
    """

    def __init__(self, judge: Judge) -> None:
        self.judge = judge
        self.program = judge.program

    def of(self, name: str, item: Item) -> Iterator[Found]:
        """Give the pieces that change what an item binds to a name, and problems."""
        statement, node = item.statement, item.node
        if statement is None or node is None:
            return
        changes = self.program.changes(name, statement)
        if item.kind == "import":
            yield from self._of_module(name, changes)
        elif isinstance(node, FUNCTION | ast.ClassDef):
            yield from self._registered(name, changes)
            yield from self._subclasses(name, statement, node)
            if statement is self.judge.final(name) and self.judge.has_live(name):
                yield from self._live_changes(name, item, changes)
            else:
                yield from self._written_changes(name, changes)

    def _of_module(self, name: str, changes: list[tuple[Statement, Change]]) -> Any:
        for statement, change in changes:
            if change.how == "attribute":
                yield self._as_written(statement, name, change)

    def _registered(
        self, name: str, changes: list[tuple[Statement, Change]]
    ) -> Iterator[Found]:
        """Take ``@area.register`` functions and ``Base.register(Impl)`` lines."""
        for statement, change in changes:
            node = statement.node
            if change.how != "method" or change.line != _own_line(node, change):
                continue
            if isinstance(node, FUNCTION | ast.ClassDef):
                if node.name != name or node.decorator_list:
                    yield _code(statement)
            elif (
                isinstance(node, ast.Expr)
                and change.chain[-1] == "register"
                and self._has_plain_arguments(statement, node.value)
            ):
                yield _code(statement)

    def _has_plain_arguments(self, statement: Statement, node: ast.expr) -> bool:
        if not isinstance(node, ast.Call) or not statement.is_plain_python():
            return False
        if self.judge.namespace is None:
            return True
        evaluator = self.judge.evaluator(statement.index)
        try:
            for part in [*node.args, *(word.value for word in node.keywords)]:
                evaluator.value(part)
        except NotPlain:
            return False
        return True

    def _subclasses(
        self, name: str, statement: Statement, node: Any
    ) -> Iterator[Found]:
        """Take the subclasses where the class keeps a list of them."""
        if not isinstance(node, ast.ClassDef) or not self._counts_subclasses(
            name, node
        ):
            return
        for other in self.program.statements[statement.index + 1 :]:
            base = other.node
            if not isinstance(base, ast.ClassDef) or other is not self.judge.final(
                base.name
            ):
                continue
            names = {chain_of(b)[0] for b in base.bases}
            if name in names and self.program.before(name, other.index) is statement:
                yield _code(other)

    def _counts_subclasses(self, name: str, node: ast.ClassDef) -> bool:
        if any(getattr(part, "name", "") == "__init_subclass__" for part in node.body):
            return True
        metaclass = [w.value for w in node.keywords if w.arg == "metaclass"]
        if any(self.judge.final(m.id) for m in metaclass if isinstance(m, ast.Name)):
            return True
        uses = (use for s in self.program.statements for use in s.names.uses)
        return any(u.name == name and "__subclasses__" in u.chain for u in uses)

    def _written_changes(
        self, name: str, changes: list[tuple[Statement, Change]]
    ) -> Iterator[Found]:
        for statement, change in changes:
            if change.how in ("attribute", "item"):
                yield self._as_written(statement, name, change)

    def _as_written(self, statement: Statement, name: str, change: Change) -> Found:
        """Take a changing line as it is when it is plain, else say what to do."""
        node = statement.node
        if self._is_plain_change(statement, node):
            return _code(statement)
        dotted = ".".join((name, *map(str, change.chain)))
        message = (
            f"this line changes {dotted!r}, which a step needs, with something that "
            "cannot travel as code; put the value into a variable of its own and let "
            "the step use that"
        )
        return (
            ("problem", statement.index),
            None,
            Problem(message, statement.number, change.line),
        )

    def _is_plain_change(self, statement: Statement, node: ast.stmt) -> bool:
        if not statement.is_plain_python():
            return False
        if isinstance(node, ast.Delete):
            return True
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):  # setattr
            return self._has_plain_arguments(statement, node.value)
        if not isinstance(node, ast.Assign | ast.AugAssign):
            return False
        if isinstance(node, ast.Assign) and len(node.targets) > 1:
            return False
        if self.judge.namespace is None:
            return not any(isinstance(n, ast.Call) for n in ast.walk(node.value))
        try:
            self.judge.evaluator(statement.index).value(node.value)
        except NotPlain:
            return False
        return True

    def _live_changes(
        self, name: str, item: Item, changes: list[tuple[Statement, Change]]
    ) -> Iterator[Found]:
        """Compare what the kernel has with what the definition gives again."""
        written = [
            (s, c) for s, c in changes if c.how in ("attribute", "item") and c.chain
        ]
        yield from self._defaults(name, item)
        for attribute, value in self._changed(name, item, written):
            lines = [(s, c) for s, c in written if c.chain[0] in (attribute, "*")]
            yield self._patch(name, attribute, value, lines, item)

    def _defaults(self, name: str, item: Item) -> Iterator[Found]:
        """Compare default arguments: the cells may have run in another order."""
        node, statement, live = item.node, item.statement, self.judge.live(name)
        plain = isinstance(node, FUNCTION) and not node.decorator_list
        if not plain or statement is None or not isinstance(live, FunctionType):
            return
        assert isinstance(node, FUNCTION)
        evaluator = self.judge.evaluator(statement.index)
        for default, value in zip(
            node.args.defaults, live.__defaults__ or (), strict=False
        ):
            if isinstance(default, ast.List | ast.Dict | ast.Set):
                continue  # a store of its own, empty in each process
            try:
                expected = evaluator.value(default)
            except NotPlain:
                continue
            if not still(value, expected):
                yield self._patch(name, "__defaults__", live.__defaults__, [], item)
                return

    def _changed(
        self, name: str, item: Item, written: list[tuple[Statement, Change]]
    ) -> Iterator[tuple[str, Any]]:
        live, node = self.judge.live(name), item.node
        named = {str(change.chain[0]) for _, change in written} - {"*"}
        now = dict(getattr(live, "__dict__", {}))
        if isinstance(node, ast.ClassDef):
            assert item.statement is not None
            known = class_attributes(self.judge, node, item.statement)
        else:
            known = {}
        is_simple = not getattr(node, "decorator_list", ()) and self._is_simple(live)
        for attribute in sorted({*now, *known}):
            value = now.get(attribute, _MISSING)
            expected = known.get(attribute, _MISSING)
            is_data_here = is_data(value) and is_data(expected)
            if not is_simple and attribute not in named and not is_data_here:
                continue
            if (
                expected is _MISSING
                and attribute not in named
                and _is_own(attribute, value)
            ):
                continue
            if expected is UNKNOWN and attribute not in named:
                continue
            is_unsure = value is _MISSING or expected is UNKNOWN
            if is_unsure or not still(value, expected):
                yield attribute, value

    def _is_simple(self, live: Any) -> bool:
        """Tell whether nobody but the notebook sets attributes of it."""
        if isinstance(live, FunctionType):
            return True
        own = (self.judge.namespace or {}).get("__name__", "__main__")
        bases = live.__mro__ if isinstance(live, type) else ()
        modules = {base.__module__ for base in bases}
        is_own = bool(bases) and modules <= {own, "abc", "builtins"}
        return is_own and tuple not in bases  # NamedTuple sets its own

    def _patch(
        self,
        name: str,
        attribute: str,
        value: Any,
        lines: list[tuple[Statement, Change]],
        item: Item,
    ) -> Found:
        if len(lines) == 1 and self._gives(name, attribute, value, lines[0][0]):
            return _code(lines[0][0])
        statement = lines[-1][0] if lines else item.statement
        assert statement is not None
        line = lines[-1][1].line if lines else item.line
        names: list[str] = []

        def name_of(thing: Any) -> str | None:
            found = Outside(self.judge).known_as(thing)
            names.extend([found] if found else [])
            return found

        text = literal(value, name_of) if value is not _MISSING else None
        key = ("patch", name, attribute)
        if text is None:
            message = (
                f"{name}.{attribute} is no longer what the definition of {name!r} "
                "gives, and cannot travel as code; run this cell again, or keep the "
                "value in a variable of its own"
            )
            return key, None, Problem(message, statement.number, line)
        uses = (Use(name, line or 0), *(Use(other, line or 0) for other in names))
        patch = Item(
            kind="text",
            at=(statement.index + 0.5, 0),
            binds=frozenset(),
            uses=uses,
            cell=statement.number,
            line=line,
            text=f"{name}.{attribute} = {text}",
            note="as it is now",
        )
        return key, patch, None

    def _gives(
        self, name: str, attribute: str, value: Any, statement: Statement
    ) -> bool:
        node = statement.node
        if not isinstance(node, ast.Assign) or len(node.targets) != 1:
            return False
        target = node.targets[0]
        if not isinstance(target, ast.Attribute) or target.attr != attribute:
            return False
        if not isinstance(target.value, ast.Name) or target.value.id != name:
            return False
        if not statement.is_plain_python():
            return False
        try:
            return still(value, self.judge.evaluator(statement.index).value(node.value))
        except NotPlain:
            return False


def _code(statement: Statement) -> Found:
    node = statement.node
    key = ("code", statement.index, id(node))
    return key, code_item(statement, node, statement.names.uses), None


def _own_line(node: ast.AST, change: Change) -> int:
    """Give the line of the decorator or call, so that none inside is meant."""
    if isinstance(node, FUNCTION | ast.ClassDef):
        lines = [decorator.lineno for decorator in node.decorator_list]
        return change.line if change.line in lines else -1
    return node.lineno if isinstance(node, ast.Expr) else -1


def _is_own(attribute: str, value: Any) -> bool:
    """Tell whether Python itself put an attribute there."""
    is_special = attribute.startswith("__") and attribute.endswith("__")
    return (
        is_special
        or attribute == "_abc_impl"
        or isinstance(value, MemberDescriptorType)
    )
