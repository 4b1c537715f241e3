"""Collect the pieces that the roots need, and everything that keeps them from going."""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator
from functools import partial
from typing import Any

from jupyter_graph.cells.scope.program import Statement
from jupyter_graph.cells.scope.usage import Use
from jupyter_graph.cells.scope.visitor import names_of
from jupyter_graph.cells.shipping.code_in_values import code_in
from jupyter_graph.cells.shipping.fragments import (
    Fragment,
    Place,
    Problem,
    code_fragment,
    import_fragment,
    value_fragment,
)
from jupyter_graph.cells.shipping.kernel_only import KernelOnly
from jupyter_graph.cells.shipping.literal_rules import always_binds
from jupyter_graph.cells.shipping.live_names import BUILTINS, NOTEBOOK_ONLY
from jupyter_graph.cells.shipping.monkeypatches import Monkeypatches
from jupyter_graph.cells.shipping.registrations import registrations
from jupyter_graph.cells.shipping.shipping_analysis import (
    ShippingAnalysis,
    Verdict,
)
from jupyter_graph.cells.slice.dotted_imports import mend_imports
from jupyter_graph.cells.slice.setup_lines import SetupLines
from jupyter_graph.cells.syntax import bound_by
from jupyter_graph.errors import did_you_mean

_MODULE_NAMES = frozenset(
    ("__name__", "__file__", "__doc__", "__builtins__", "__spec__", "__annotations__")
)
_ATOMS = int | float | complex | str | bytes | bool | None


class DependencyWalk:
    """Follows names from the roots to everything that defines them.

    Args:
        analysis: says what ships as code and what as a value.
        given: environment variables that the function has, whatever the notebook sets.
    """

    def __init__(self, analysis: ShippingAnalysis, given: Collection[str] = ()) -> None:
        self.analysis = analysis
        self.given = given
        self.program = analysis.program
        self.names = analysis.names
        self.kernel_only = KernelOnly(analysis)
        self.monkeypatches = Monkeypatches(analysis)
        self.setup_lines = SetupLines(analysis, self.monkeypatches.ships)
        self.fragments: dict[Hashable, Fragment] = {}
        self.problems: dict[Problem, None] = {}
        self.finals: dict[str, Fragment] = {}
        self._waiting: list[Fragment] = []
        self._soft: list[tuple[Use, float]] = []
        self._chains: dict[str, set[tuple[str, ...]]] = {}

    def collect(self, roots: Iterable[str]) -> None:
        """Follow the roots; afterwards ``fragments`` and ``problems`` are complete."""
        for root in roots:
            self._need(Use(root, 0, depth=1), None, None)
        self._drain()
        self._take_setup_lines()
        # Last, when it is known what else ships: an annotation may bring only code.
        while self._soft:
            use, at = self._soft.pop(0)
            self._follow_softly(use, at)
        mend_imports(self.fragments, self._chains, self.program)
        self._join_copies()

    def _take_setup_lines(self) -> None:
        """Take what sets up the modules of the code; that may bring further modules."""
        known = -1
        while known < len(self.fragments):
            known = len(self.fragments)
            shipped = list(self.fragments.values())
            for line in self.setup_lines.of(shipped, self.given):
                if isinstance(line, Fragment):
                    self._add(("setup", line.at, line.text), partial(_same, line))
                else:
                    self._add_code(line, line.node)
            self._drain()

    def _join_copies(self) -> None:
        """Let names of one object stay names of one object."""
        values = [f for f in self.fragments.values() if f.kind == "value"]
        first: dict[int, Fragment] = {}
        for fragment in sorted(values, key=lambda f: (f.at, min(f.binds))):
            live = self.names.values[min(fragment.binds)]
            other = first.setdefault(id(live), fragment)
            if other is not fragment and not isinstance(live, _ATOMS):
                fragment.kind = "text"
                fragment.text = f"{min(fragment.binds)} = {min(other.binds)}"
                fragment.note = "the same object"
                fragment.needs = [other]

    def _drain(self) -> None:
        while self._waiting:
            self._follow(self._waiting.pop(0))

    def _follow_softly(self, use: Use, at: float) -> None:
        """Take what an annotation names, unless it brings a value or a problem."""
        fragments, problems = dict(self.fragments), dict(self.problems)
        soft = list(self._soft)
        self._need(use, at if use.depth == 0 else None, None)
        self._drain()
        new = [f for key, f in self.fragments.items() if key not in fragments]
        if len(self.problems) > len(problems) or any(f.kind == "value" for f in new):
            self.fragments, self.problems, self._soft = fragments, problems, soft

    def _follow(self, fragment: Fragment) -> None:
        """Need what a piece uses: at its place now, in functions at the end."""
        for use in fragment.uses:
            self._chains.setdefault(use.name, set()).add(use.chain)
            if use.soft:
                self._soft.append((use, fragment.index))
            elif use.depth == 0:
                needed = self._need(use, fragment.index, fragment)
                others = [f for f in needed if f is not fragment]
                fragment.needs += others
                fragment.reads.update((use.name, f) for f in others)
                if use.called:
                    self._follow_call(fragment, needed, use.called, set())
            else:
                self._need(use, None, fragment)
        self._take_changes(fragment)

    def _follow_call(
        self, fragment: Fragment, called: list[Fragment], calls: int, seen: set[str]
    ) -> None:
        """Need now what a function needs that is called while this piece is set up."""
        for target in called:
            for use in target.uses if target.kind == "code" else ():
                is_run = 0 < use.depth <= calls and not use.soft
                if not is_run or use.name in seen:
                    continue
                seen.add(use.name)
                # The value from before that place is gone, so the final one must do.
                before = self.program.before(use.name, fragment.index)
                at = fragment.index if self._ships_as_code(use.name, before) else None
                needed = self._need(use, at, target)
                fragment.needs += [f for f in needed if f not in (fragment, target)]
                if use.called:
                    self._follow_call(fragment, needed, use.called, seen)

    def _ships_as_code(self, name: str, statement: Statement | None) -> bool:
        if statement is None or statement is self.names.final(name):
            return True
        return self.analysis.verdict(name, statement).how != "value"

    def _need(
        self, use: Use, at: float | None, user: Fragment | None
    ) -> list[Fragment]:
        """Return the pieces that bind a name as it is at a place (None: at the end)."""
        pieces = self._find(use, at, user)
        if at is None:
            self.finals.update((use.name, piece) for piece in pieces)
        return pieces

    def _find(
        self, use: Use, at: float | None, user: Fragment | None
    ) -> list[Fragment]:
        """Return the pieces for a use, by how what binds the name ships."""
        name = use.name
        own = user.statement if user is not None else None
        if own is not None and user is not None and user.node is not own.node:
            own = None  # a part of a block does not see the rest of it
        is_own = own is not None and name in own.names.binds and own.index == at
        if is_own and at is not None and self.program.before(name, at) is None:
            return []  # a block that sets the name before it reads it
        statement = self.names.version(name, at)
        if statement is None or not self.names.is_from_cells(name, statement):
            return self._need_outside(use, user)
        verdict = self.analysis.verdict(name, statement)
        if verdict.how == "value":
            return self._need_value(use, statement, verdict, user)
        if verdict.how == "import":
            return self._need_imports(name, statement, verdict.node)
        fragment = self._add_code(statement, verdict.node)
        is_whole = verdict.node is statement.node
        before = self.program.before(name, statement.index)
        if is_whole and before is not None and not always_binds(statement.node, name):
            fragment.needs += self._need(
                Use(name, fragment.line or 0), fragment.index, fragment
            )
        return [fragment]

    def _add_code(self, statement: Statement, node: ast.stmt) -> Fragment:
        def make() -> Fragment:
            for line, text in statement.shell_lines(node):
                self._refuse(
                    f"{text!r} works only in a notebook, and the step needs the code "
                    "around it; write it in Python (`subprocess.run`, `pathlib` …)",
                    (statement.number, line),
                )
            if node is statement.node:
                return code_fragment(statement, node, statement.names.uses)
            lazy = "annotations" in statement.futures
            uses = names_of(node, lazy_annotations=lazy).uses
            return code_fragment(statement, node, uses)

        return self._add(("code", statement.index, id(node)), make)

    def _add(self, key: Hashable, make: Callable[[], Fragment]) -> Fragment:
        if key not in self.fragments:
            fragment = make()
            self.fragments[key] = fragment
            self._waiting.append(fragment)
        return self.fragments[key]

    def _need_imports(
        self, name: str, statement: Statement, node: Any
    ) -> list[Fragment]:
        """Take the alias that binds the name; of ``import a.b`` all that were run."""
        imports = []
        for other, other_node in self._import_statements(name, statement, node):
            for alias in other_node.names:
                if bound_by(alias) in (name, "*"):
                    key = ("import", ast.dump(alias), getattr(other_node, "module", ""))
                    make = partial(import_fragment, other, other_node, alias, name)
                    imports.append(self._add((*key, name), make))
        return imports

    def _import_statements(
        self, name: str, statement: Statement, node: Any
    ) -> Iterator[tuple[Statement, Any]]:
        # `import a.b` and `import a.c` both bind `a`: each adds a submodule to it.
        yield statement, node
        if not isinstance(node, ast.Import) or _renames(node, name):
            return
        for other in self.program.all_of(name):
            for part in other.names.binds[name]:
                same = isinstance(part, ast.Import) and not _renames(part, name)
                if part is not node and same:
                    yield other, part

    def _need_value(
        self, use: Use, statement: Statement, verdict: Verdict, user: Fragment | None
    ) -> list[Fragment]:
        """Take a name that ships as a value, or as other code that gives it."""
        name, node = use.name, verdict.node
        at = (statement.number, node.lineno)
        if statement is not self.names.final(name):
            now = self.names.final(name)
            place = f"cell {now.number}, line {now.line}" if now else "a later cell"
            return self._refuse(
                f"{_user(user)} uses {name!r} as it was before {place} set it again, "
                "and that value is gone; give one of the two another name",
                _place_of(use, user),
            )
        if not self.names.is_live:
            return self._refuse(
                f"the value of {name!r} is known only to a kernel that has run this "
                "line; work from the running notebook",
                at,
            )
        if name not in self.names.values:
            return self._refuse(
                f"this line sets {name!r}, but the kernel has no such name; run the "
                "cell again",
                at,
            )
        if (code := self.kernel_only.as_code(name, statement)) is not None:
            return [self._add(("text", name), lambda: code)]
        if registered := registrations(self.analysis, name, statement):
            return [self._add_code(part, part.node) for part in registered][:1]
        key = ("value", name)
        fragment = self._add(key, partial(value_fragment, statement, name, node))
        self._need_code_in(name, fragment)
        return [fragment]

    def _need_code_in(self, name: str, fragment: Fragment) -> None:
        """Take the notebook's functions and classes that a value holds."""
        for code in code_in(self.names.values[name], self.names.own_module):
            own = code.__qualname__
            if self.names.values.get(own) is code:
                needed = self._need(Use(own, fragment.line or 0), None, fragment)
                fragment.needs += [one for one in needed if one is not fragment]
                continue
            if own in self.names.values:
                self._refuse(
                    f"{name!r} holds {own!r} as it was before its cell ran again; make "
                    "the value anew",
                    (fragment.cell, fragment.line),
                )

    def _need_outside(self, use: Use, user: Fragment | None) -> list[Fragment]:
        """Take a name that no cell binds."""
        name = use.name
        if name in _MODULE_NAMES or self._is_set_by_a_function(name):
            return []
        statement = user.statement if user is not None else None
        if statement is not None and use.line in statement.parsed.shell_lines:
            return []  # its own problem names the line
        if self.kernel_only.is_builtin(name):
            return []
        if name in NOTEBOOK_ONLY or (
            name not in self.program.bindings and _is_output(name)
        ):
            return self._refuse(
                f"{name!r} exists only in a notebook; take it out of the step, or log "
                "with `context.logger`",
                _place_of(use, user),
            )
        if name not in self.names.values:
            return self._refuse(self._undefined(name), _place_of(use, user))
        fragment = self.kernel_only.fragment(name)
        if fragment is None:
            return self._refuse(
                f"{name!r} is in the kernel, but no cell defines it and its source "
                "is not known; define it in a cell",
                _place_of(use, user),
            )
        return [self._add(("outside", name), lambda: fragment)]

    def _is_set_by_a_function(self, name: str) -> bool:
        if name in self.names.values:
            return False
        return any(name in s.names.rebinds() for s in self.program.statements)

    def _undefined(self, name: str) -> str:
        """Return what to say of a name that nothing defines, with a near one."""
        bound = self.program.bindings
        builtin = {n for n in {*self.names.values, *BUILTINS} if n.islower()}
        deleted = self.program.deleted(name)
        if deleted is not None:
            hint = f": cell {deleted.number}, line {deleted.line} deletes it"
        else:
            hint = did_you_mean(name, sorted({*bound, *builtin} - {name}))
        broken = "".join(f"\n    ({error})" for error in self.program.broken)
        return f"name {name!r} is not defined{hint}{broken}"

    def _refuse(self, message: str, at: Place) -> list[Fragment]:
        """Note a problem, once; no piece stands for what is refused."""
        self.problems.setdefault(Problem(message, *at))
        return []

    def _take_changes(self, fragment: Fragment) -> None:
        """Take the pieces that change what this one defines."""
        for name in sorted(fragment.binds):
            for patch in self.monkeypatches.of(name, fragment):
                if isinstance(patch, Problem):
                    self.problems.setdefault(patch)
                elif isinstance(patch, Fragment):
                    self._add(("patch", patch.text), partial(_same, patch))
                else:
                    self._add_code(patch, patch.node)


def _same(fragment: Fragment) -> Fragment:
    return fragment


def _place_of(use: Use, user: Fragment | None) -> Place:
    return (user.cell, use.line) if user is not None else (None, None)


def _renames(node: ast.Import, name: str) -> bool:
    return any(alias.asname == name for alias in node.names)


def _user(user: Fragment | None) -> str:
    names = sorted(user.binds) if user is not None else []
    return repr(names[0]) if names else "the step"


def _is_output(name: str) -> bool:
    """Tell whether a name is one of IPython's for past inputs and outputs."""
    digits = name.removeprefix("_i").lstrip("_")
    return name.startswith("_") and (not digits or digits.isdigit() or name == "_i")
