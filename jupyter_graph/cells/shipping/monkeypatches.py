"""What was changed on a class, function or module after its definition."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from types import FunctionType, MemberDescriptorType
from typing import Any

from jupyter_graph.cells.scope.program import Statement
from jupyter_graph.cells.scope.usage import Change, Use, chain_of
from jupyter_graph.cells.shipping.class_attributes import class_attributes
from jupyter_graph.cells.shipping.fragments import Fragment, Problem
from jupyter_graph.cells.shipping.kernel_only import KernelOnly
from jupyter_graph.cells.shipping.literal_source import literal
from jupyter_graph.cells.shipping.shipping_analysis import ShippingAnalysis
from jupyter_graph.cells.shipping.unchanged import (
    UNSURE,
    is_data,
    is_unchanged,
    tried,
)
from jupyter_graph.cells.syntax import DEFINITION, FUNCTION

Changes = list[tuple[Statement, Change]]
Patch = Statement | Fragment | Problem
"""A line that ships as it stands, a line that is written anew, or why there is none."""
_MISSING: Any = object()


class Monkeypatches:
    """Finds the lines, and the silent changes, that belong to a definition.

    Args:
        analysis: knows the namespace and the cells.
    """

    def __init__(self, analysis: ShippingAnalysis) -> None:
        self.analysis = analysis
        self.names = analysis.names
        self.program = analysis.program
        self.kernel_only = KernelOnly(analysis)

    def of(self, name: str, fragment: Fragment) -> Iterator[Patch]:
        """Yield what changes a definition or module that a fragment binds to a name."""
        statement, node = fragment.statement, fragment.node
        if statement is None or node is None:
            return
        changes = self.program.changes(name, statement)
        if fragment.kind == "import":
            yield from self._written(name, changes, ("attribute",))
        elif isinstance(node, DEFINITION):
            yield from self._registered(name, changes)
            if isinstance(node, ast.ClassDef) and self._counts_subclasses(name, node):
                yield from self._subclasses(name, statement)
            if statement is self.names.final(name) and name in self.names.values:
                yield from self._live_changes(name, fragment, statement, changes)
            else:
                yield from self._written(name, changes, ("attribute", "item"))

    def _registered(self, name: str, changes: Changes) -> Iterator[Patch]:
        """Take ``@area.register`` functions and ``Base.register(Impl)`` lines."""
        for statement, change in changes:
            node = statement.node
            if change.how != "method" or change.line != _own_line(node, change):
                continue
            if isinstance(node, DEFINITION):
                if node.name != name or node.decorator_list:
                    yield statement
            elif change.chain[-1] == "register" and self.ships(statement):
                yield statement

    def _counts_subclasses(self, name: str, node: ast.ClassDef) -> bool:
        if any(getattr(part, "name", "") == "__init_subclass__" for part in node.body):
            return True
        metaclass = [w.value for w in node.keywords if w.arg == "metaclass"]
        if any(self.names.final(m.id) for m in metaclass if isinstance(m, ast.Name)):
            return True
        # A subclass that no step names matters only to who asks its base for it.
        uses = (use for s in self.program.statements for use in s.names.uses)
        return any(u.name == name and "__subclasses__" in u.chain for u in uses)

    def _subclasses(self, name: str, statement: Statement) -> Iterator[Statement]:
        """Take the subclasses of a class that keeps a list of them."""
        for other in self.program.statements[statement.index + 1 :]:
            node = other.node
            if isinstance(node, ast.ClassDef) and other is self.names.final(node.name):
                bases = {chain_of(base)[0] for base in node.bases}
                before = self.program.before(name, other.index)
                if name in bases and before is statement:
                    yield other

    def _written(
        self, name: str, changes: Changes, kinds: tuple[str, ...]
    ) -> Iterator[Patch]:
        """Take each changing line as it is when it can ship, else say what to do."""
        for statement, change in changes:
            if change.how not in kinds:
                continue
            if self.ships(statement):
                yield statement
                continue
            dotted = ".".join((name, *map(str, change.chain)))
            message = (
                f"this line changes {dotted!r}, which a step needs, with something "
                "that cannot travel as code; put the value into a variable of its own "
                "and let the step use that"
            )
            yield Problem(message, statement.number, change.line)

    def ships(self, statement: Statement) -> bool:
        """Tell whether a line that changes something can ship as it is."""
        node = statement.node
        values = _values_in(node)
        if values is None or not statement.is_plain_python():
            return False
        if not self.names.is_live:
            parts = (part for value in values for part in ast.walk(value))
            is_call = isinstance(node, ast.Expr)
            return is_call or not any(isinstance(part, ast.Call) for part in parts)
        evaluator = self.analysis.evaluator(statement)
        return all(tried(evaluator.value, value) is not UNSURE for value in values)

    def _live_changes(
        self, name: str, fragment: Fragment, defined: Statement, changes: Changes
    ) -> Iterator[Patch]:
        """Yield what makes the definition what the kernel has now."""
        written = [
            (s, c) for s, c in changes if c.how in ("attribute", "item") and c.chain
        ]
        yield from self._defaults(name, fragment, defined)
        named = {str(change.chain[0]) for _, change in written} - {"*"}
        changed = set(self._changed(name, fragment, named))
        for attribute in sorted({*changed, *named}):
            lines = [(s, c) for s, c in written if c.chain[0] in (attribute, "*")]
            ship = all(self.ships(statement) for statement, _ in lines)
            if ship:  # a default argument between them may have read each
                yield from (statement for statement, _ in lines)
            value = vars(self.names.values[name]).get(attribute, _MISSING)
            last, line = defined, fragment.line
            if lines:
                last, line = lines[-1][0], lines[-1][1].line
            is_set = lines and ship and self._sets(name, attribute, value, last)
            if not is_set and attribute in changed:
                yield self._patch(name, attribute, value, (last, line))

    def _defaults(
        self, name: str, fragment: Fragment, defined: Statement
    ) -> Iterator[Patch]:
        """Compare default arguments: the cells may have run in another order."""
        node, live = fragment.node, self.names.values[name]
        if not isinstance(node, FUNCTION) or node.decorator_list:
            return
        defaults = (live.__defaults__ if isinstance(live, FunctionType) else ()) or ()
        evaluator = self.analysis.evaluator(defined)
        for default, value in zip(node.args.defaults, defaults, strict=False):
            if isinstance(default, ast.List | ast.Dict | ast.Set):
                continue  # a store of its own, empty in each process
            expected = tried(evaluator.value, default)
            if expected is not UNSURE and not is_unchanged(value, expected):
                at = (defined, fragment.line)
                yield self._patch(name, "__defaults__", defaults, at)
                return

    def _changed(self, name: str, fragment: Fragment, named: set[str]) -> Iterator[str]:
        """Yield the attributes that are not, or may not be, what the definition sets.

        Args:
            name: the class or function.
            fragment: its definition.
            named: the attributes that some line sets by their name.
        """
        live, node = self.names.values[name], fragment.node
        now = dict(getattr(live, "__dict__", {}))
        known: dict[str, Any] = {}
        if isinstance(node, ast.ClassDef):
            assert fragment.statement is not None
            known = class_attributes(self.analysis, node, fragment.statement)
        is_simple = not getattr(node, "decorator_list", ()) and self._is_simple(live)
        for attribute in sorted({*now, *known}):
            value = now.get(attribute, _MISSING)
            expected = known.get(attribute, _MISSING)
            if attribute not in named:
                is_own = expected is _MISSING and _is_of_python(attribute, value)
                is_compared = is_simple or (is_data(value) and is_data(expected))
                if is_own or expected is UNSURE or not is_compared:
                    continue
            if value is _MISSING or not is_unchanged(value, expected):
                yield attribute

    def _is_simple(self, live: Any) -> bool:
        """Tell whether nobody but the notebook sets attributes of it."""
        if isinstance(live, FunctionType):
            return True
        bases = live.__mro__ if isinstance(live, type) else ()
        modules = {base.__module__ for base in bases}
        is_own = bool(bases) and modules <= {self.names.own_module, "abc", "builtins"}
        return is_own and tuple not in bases  # NamedTuple sets its own

    def _patch(
        self, name: str, attribute: str, value: Any, at: tuple[Statement, int | None]
    ) -> Patch:
        """Write the line that sets an attribute to what it is now."""
        statement, line = at
        others: list[str] = []

        def name_of(thing: Any) -> str | None:
            known = self.kernel_only.known_as(thing)
            others.extend([known] if known else [])
            return known

        text = literal(value, name_of) if value is not _MISSING else None
        if text is None:
            message = (
                f"{name}.{attribute} is no longer what the definition of {name!r} "
                "gives, and cannot travel as code; run this cell again, or keep the "
                "value in a variable of its own"
            )
            return Problem(message, statement.number, line)
        return Fragment(
            kind="text",
            at=(statement.index + 0.5, 0),  # right below the last line that set it
            binds=frozenset(),
            uses=tuple(Use(used, line or 0) for used in (name, *others)),
            cell=statement.number,
            line=line,
            text=f"{name}.{attribute} = {text}",
            note="as it is now",
        )

    def _sets(
        self, name: str, attribute: str, value: Any, statement: Statement
    ) -> bool:
        """Tell whether a line sets an attribute to what it is now."""
        node = statement.node
        if isinstance(node, ast.Delete):
            return value is _MISSING
        targets = list(map(ast.unparse, getattr(node, "targets", ())))
        if not isinstance(node, ast.Assign) or targets != [f"{name}.{attribute}"]:
            return False
        evaluator = self.analysis.evaluator(statement)
        return is_unchanged(value, tried(evaluator.value, node.value))


def _values_in(node: ast.stmt) -> list[ast.expr] | None:
    """Return what a changing line reads; None for a line that cannot ship alone."""
    match node:
        case ast.Delete():
            return []
        case ast.Expr(ast.Call(args=args, keywords=words)):  # setattr
            return [*args, *(word.value for word in words)]
        case ast.AugAssign(value=value) | ast.Assign(targets=[_], value=value):
            return [value]
    return None


def _own_line(node: ast.AST, change: Change) -> int:
    """Return the line of the decorator or call, so that none inside is meant."""
    if isinstance(node, DEFINITION):
        lines = [decorator.lineno for decorator in node.decorator_list]
        return change.line if change.line in lines else -1
    return node.lineno if isinstance(node, ast.Expr) else -1


def _is_of_python(attribute: str, value: Any) -> bool:
    """Tell whether Python itself put an attribute there."""
    is_special = attribute.startswith("__") and attribute.endswith("__")
    is_slot = isinstance(value, MemberDescriptorType)
    return is_special or is_slot or attribute == "_abc_impl"
