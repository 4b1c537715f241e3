"""The names of a generated module: its globals, and the functions it calls."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from jupyter_graph.compile.generator.code_buffer import CodeBuffer
from jupyter_graph.compile.generator.graph_facts import GraphFacts
from jupyter_graph.compile.runtime.prelude import HELPERS
from jupyter_graph.spec.model import START_WORD, StepSpec

TAKEN = frozenset(HELPERS) | {
    "body", "event", "items", "found", "whole", "parts", "answer", "error", "failed",
    "leads", "noted", "picked", "targets", "twin", "twins", "run", "begin", "len",
    "type", "BaseException", "__builtins__",
}  # fmt: skip
"""What generated code calls or assigns beside the steps: no step may be called so."""

GENERATED = ("at_", "after_", "back_", "item_", "rest_", "end_", "later_", "settle_")
"""What the names of generated functions begin with."""

FunctionKey = tuple[str, ...]
"""Kind of a function, the step it is about, and for ``from`` the branches it ends."""


@dataclass(eq=False)
class Globals:
    """What must be bound in the module before it runs: calls, choices, merges, joins.

    Attributes:
        steps: the steps by name.
        calls: identifier to the step it calls.
        selectors: identifier to the step whose ``select_outlets`` it is.
        holders: identifier to the step whose instance merges or collects.
        joins: identifier to the step that joins its branches.
    """

    steps: Mapping[str, StepSpec]
    calls: dict[str, str] = field(default_factory=dict)
    selectors: dict[str, str] = field(default_factory=dict)
    holders: dict[str, str] = field(default_factory=dict)
    joins: dict[str, StepSpec] = field(default_factory=dict)

    @cached_property
    def idents(self) -> dict[str, str]:
        """Each step's name to its identifier."""
        return dict(zip(self.steps, identifiers(self.steps), strict=True))

    def call(self, name: str) -> str:
        """Return the identifier that calls a step."""
        ident = self.idents[name]
        self.calls[ident] = name
        return ident

    def holder(self, name: str, what: str) -> str:
        """Return the identifier of a step's instance, as ``merge`` or ``collect``."""
        ident = f"{self.idents[name]}_{what}"
        self.holders[ident] = name
        return ident

    def join(self, name: str) -> str:
        """Return the identifier of what joins the branches of a step."""
        ident = f"{self.idents[name]}_join"
        self.joins[ident] = self.steps[name]
        return ident


@dataclass(eq=False)
class Functions:
    """The functions of the module, named when first called and written later.

    Attributes:
        facts: the graph.
        names: the identifiers of its steps.
        todo: the functions that are called and not yet written.
        tables: the lines after all functions, which need them.
        leaps: the globals that lead back, and the step that each leads to.
        needs_leading: whether some branches run beside the answer, which asks for the
            table ``leads``.
    """

    facts: GraphFacts
    names: Globals
    todo: list[FunctionKey] = field(default_factory=list)
    tables: list[str] = field(default_factory=list)
    leaps: dict[str, str] = field(default_factory=dict)
    needs_leading: bool = False
    _known: dict[FunctionKey, str] = field(default_factory=dict)

    def want(self, *key: str) -> str:
        """Return the name of a function, which is written when its turn comes.

        The kinds are ``at`` (a step and what follows), ``after`` (what follows only),
        ``from`` (a branch reaches a merge), ``item``, ``later``, ``rest``, ``end`` and
        ``settle``.
        """
        if key in self._known:
            return self._known[key]
        kind, name, *more = key
        idents = self.names.idents
        parts = [
            idents.get(name, START_WORD),
            *(idents.get(one, START_WORD) for one in more),
        ]
        function = f"{'at' if kind == 'from' else kind}_{'_'.join(parts)}"
        while function in self._known.values():  # "a" from "b_c", "a_b" from "c"
            function += "_"
        self._known[key] = function
        self.todo.append(key)
        return function

    def towards(self, source: str, target: str, stands_for: str | None = None) -> str:
        """Return the function that takes an event from one step to the next.

        Where the edge leads back, it is a global that makes a leap of the event:
        ``back_a = Leap.to(at_a, is_async=False)``.
        """
        slots = self._slots(source, target, stands_for)
        key = ("from", target, *slots) if self.facts.waits(target) else ("at", target)
        function = self.want(*key)
        if (source, target) not in self.facts.back:
            return function
        leap = f"back_{function.removeprefix('at_')}"
        line = f"{leap} = Leap.to({function}, is_async={self.facts.is_async})"
        if line not in self.tables:
            self.tables.append(line)
            self.leaps[leap] = target
        return leap

    def leading(self) -> list[str]:
        """Return the functions on the way to the step that answers, those so far."""
        places = {
            function: step
            for (kind, step, *_), function in self._known.items()
            if kind in ("at", "from")
        }
        return [
            function
            for function, step in {**places, **self.leaps}.items()
            if step in self.facts.leads
        ]

    def _slots(self, source: str, merge: str, stands_for: str | None) -> list[str]:
        """Return the branches of a merge that end where this source reaches it.

        An error handler stands for all that would have come after the failed step.
        """
        if stands_for is None:
            return [source]
        reached = self.facts.reached(stands_for)
        after = self.facts.steps[merge].after
        return [name for name in after if name in reached] or [source]

    def outlets(self, name: str) -> str:
        """Return the identifier of a choice, whose outlets become a table."""
        # pick_outlets = {'left': at_left, 'right': at_right}
        ident = self.names.idents[name]
        if name not in self.names.selectors.values():
            self.names.selectors[f"{ident}_select"] = name
            targets = self.facts.next[name]
            rows = ", ".join(f"{t!r}: {self.towards(name, t)}" for t in targets)
            self.tables.append(f"{ident}_outlets = {{{rows}}}")
        return ident

    def per_item(self, stream: str) -> str:
        """Return the function that takes an item of a stream."""
        return self.want("item" if self.facts.per_item(stream) else "after", stream)


@dataclass(eq=False)
class Writer:
    """What every writer of a part of the module has.

    Attributes:
        facts: the graph.
        code: what is written to.
        names: the globals of the module.
        functions: the functions of the module.
    """

    facts: GraphFacts
    code: CodeBuffer
    names: Globals
    functions: Functions


def identifiers(names: Mapping[str, StepSpec]) -> Iterator[str]:
    """Yield a readable, unique identifier for each step's name."""
    taken = set(TAKEN)
    for name in names:
        ident = re.sub(r"\W", "_", name)
        is_fit = ident.isidentifier() and not keyword.iskeyword(ident)
        if not is_fit or ident.startswith(GENERATED):
            ident = f"step_{ident}"
        while taken & _derived(ident):
            ident = f"{ident}_"
        taken |= _derived(ident)
        yield ident


def _derived(name: str) -> set[str]:
    ends = ("", "_select", "_merge", "_join", "_collect", "_outlets", "_part")
    return {f"{name}{end}" for end in ends}
