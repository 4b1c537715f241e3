"""Compare a definition with what the kernel has under its name."""

from __future__ import annotations

import ast
from collections.abc import Hashable, Iterator
from types import FunctionType, MemberDescriptorType
from typing import Any

from jupyter_graph.cells.scope.usage import Change, Use
from jupyter_graph.cells.shipping.class_attributes import UNKNOWN, class_attributes
from jupyter_graph.cells.shipping.kernel_only import Outside
from jupyter_graph.cells.shipping.literal_source import literal
from jupyter_graph.cells.shipping.shipping_analysis import FUNCTION, ShippingAnalysis
from jupyter_graph.cells.shipping.stand_ins import NotPlain
from jupyter_graph.cells.shipping.unchanged import is_data, still
from jupyter_graph.cells.slice.fragments import Fragment, Problem, code_item
from jupyter_graph.cells.slice.program import Statement

Found = tuple[Hashable, Fragment | None, Problem | None]
MISSING: Any = object()


class LiveChanges:
    """Finds attributes and defaults that are no longer what the definition gives.

    Args:
        judge: knows the namespace and the cells.
    """

    def __init__(self, judge: ShippingAnalysis) -> None:
        self.judge = judge

    def of(
        self, name: str, item: Fragment, changes: list[tuple[Statement, Change]]
    ) -> Iterator[Found]:
        """Yield the pieces that make the definition what the kernel has now."""
        written = [
            (s, c) for s, c in changes if c.how in ("attribute", "item") and c.chain
        ]
        yield from self._defaults(name, item)
        changed = dict(self._changed(name, item, written))
        named = {str(change.chain[0]) for _, change in written}
        for attribute in sorted({*changed, *named} - {"*"}):
            lines = [(s, c) for s, c in written if c.chain[0] in (attribute, "*")]
            are_plain = all(is_plain_change(self.judge, s) for s, _ in lines)
            if are_plain:  # a default argument between them may have read each
                yield from (code_of(statement) for statement, _ in lines)
            value = vars(self.judge.live(name)).get(attribute, MISSING)
            last = lines[-1][0] if lines and are_plain else None
            gives = last is not None and self._gives(name, attribute, value, last)
            if not gives and attribute in changed:
                yield self._patch(name, attribute, value, lines, item)

    def _defaults(self, name: str, item: Fragment) -> Iterator[Found]:
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
        self, name: str, item: Fragment, written: list[tuple[Statement, Change]]
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
            value = now.get(attribute, MISSING)
            expected = known.get(attribute, MISSING)
            is_data_here = is_data(value) and is_data(expected)
            if not is_simple and attribute not in named and not is_data_here:
                continue
            if (
                expected is MISSING
                and attribute not in named
                and _is_own(attribute, value)
            ):
                continue
            if expected is UNKNOWN and attribute not in named:
                continue
            is_unsure = value is MISSING or expected is UNKNOWN
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
        item: Fragment,
    ) -> Found:
        statement = lines[-1][0] if lines else item.statement
        assert statement is not None
        line = lines[-1][1].line if lines else item.line
        names: list[str] = []

        def name_of(thing: Any) -> str | None:
            found = Outside(self.judge).known_as(thing)
            names.extend([found] if found else [])
            return found

        text = literal(value, name_of) if value is not MISSING else None
        key = ("patch", name, attribute)
        if text is None:
            message = (
                f"{name}.{attribute} is no longer what the definition of {name!r} "
                "gives, and cannot travel as code; run this cell again, or keep the "
                "value in a variable of its own"
            )
            return key, None, Problem(message, statement.number, line)
        uses = (Use(name, line or 0), *(Use(other, line or 0) for other in names))
        patch = Fragment(
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
        """Tell whether a line sets an attribute to what it is now."""
        node = statement.node
        if isinstance(node, ast.Delete):
            return value is MISSING
        if not isinstance(node, ast.Assign) or len(node.targets) != 1:
            return False
        target = node.targets[0]
        if not isinstance(target, ast.Attribute) or target.attr != attribute:
            return False
        if not isinstance(target.value, ast.Name) or target.value.id != name:
            return False
        try:
            return still(value, self.judge.evaluator(statement.index).value(node.value))
        except NotPlain:
            return False


def code_of(statement: Statement) -> Found:
    """Return the piece for a whole statement."""
    node = statement.node
    key = ("code", statement.index, id(node))
    return key, code_item(statement, node, statement.names.uses), None


def has_plain_arguments(
    judge: ShippingAnalysis, statement: Statement, node: ast.expr
) -> bool:
    """Tell whether all arguments of a call ship as code."""
    if not isinstance(node, ast.Call) or not statement.is_plain_python():
        return False
    if judge.namespace is None:
        return True
    evaluator = judge.evaluator(statement.index)
    try:
        for part in [*node.args, *(word.value for word in node.keywords)]:
            evaluator.value(part)
    except NotPlain:
        return False
    return True


def is_plain_change(judge: ShippingAnalysis, statement: Statement) -> bool:
    """Tell whether a line that changes an attribute can ship as it is."""
    node = statement.node
    if not statement.is_plain_python():
        return False
    if isinstance(node, ast.Delete):
        return True
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):  # setattr
        return has_plain_arguments(judge, statement, node.value)
    if not isinstance(node, ast.Assign | ast.AugAssign):
        return False
    if isinstance(node, ast.Assign) and len(node.targets) > 1:
        return False
    if judge.namespace is None:
        return not any(isinstance(n, ast.Call) for n in ast.walk(node.value))
    try:
        judge.evaluator(statement.index).value(node.value)
    except NotPlain:
        return False
    return True


def _is_own(attribute: str, value: Any) -> bool:
    """Tell whether Python itself put an attribute there."""
    is_special = attribute.startswith("__") and attribute.endswith("__")
    return (
        is_special
        or attribute == "_abc_impl"
        or isinstance(value, MemberDescriptorType)
    )
