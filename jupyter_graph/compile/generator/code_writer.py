"""What all writers of generated code share: the graph's facts, lines, functions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from jupyter_graph.compile.generator.identifiers import identifiers
from jupyter_graph.compile.generator.inlining import Shapes
from jupyter_graph.compile.generator.stream_nesting import check_joins, stream_of, ways
from jupyter_graph.compile.step_code import StepCode
from jupyter_graph.spec.model import START_WORD, GraphSpec, StepSpec
from jupyter_graph.spec.topology import (
    back_edges,
    edges,
    followers,
    order,
    reached,
    responder_of,
    steps_in_cycles,
)

DEEPEST = 8  # Python nests at most 20 blocks; further in, a place is a function

Next = tuple[str, bool] | None
"""The step that follows in line, and whether another one before it has answered."""


@dataclass
class Writer:
    """Writes lines, and knows what stands where; its heirs know what to write.

    Attributes:
        graph: the graph.
        codes: the code of each of its steps.
        on_loop: all functions are coroutines, even where no step needs it.
        text: the lines written so far.
        lines: line number to the step that stands there.
        todo: the functions that are called and not yet written.
        tables: the lines after all functions.
    """

    graph: GraphSpec
    codes: Mapping[str, StepCode]
    on_loop: bool = False
    text: list[str] = field(default_factory=list)
    lines: dict[int, str] = field(default_factory=dict)
    calls: dict[str, str] = field(default_factory=dict)
    selectors: dict[str, str] = field(default_factory=dict)
    holders: dict[str, str] = field(default_factory=dict)
    joins: dict[str, StepSpec] = field(default_factory=dict)
    resumes: dict[str, str] = field(default_factory=dict)
    todo: list[tuple[str, ...]] = field(default_factory=list)
    tables: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.steps = {step.name: step for step in self.graph.top_steps()}
        self.next = dict(followers(self.graph))
        self.upstream: dict[str, list[str]] = {name: [] for name in self.steps}
        for edge in edges(self.graph):
            if edge.kind == "flow" and edge.target in self.steps:
                self.upstream[edge.target].append(edge.source)
        self.responder = responder_of(self.graph)
        self.answers_early = bool(self.responder and self.next.get(self.responder))
        self.names = dict(zip(self.steps, identifiers(self.steps), strict=True))
        self.takes_event = any(self.codes[name].takes_event for name in self.steps)
        self.it = "event" if self.takes_event else "body"
        self.value = "event.body" if self.takes_event else "body"
        codes = [self.codes[name] for name in self.steps]
        self.back = back_edges(self.graph) if self.graph.allow_cyclic else frozenset()
        self.shapes = Shapes(
            self.steps, self.codes, self.next, self.upstream, self.responder, self.back
        )
        self.counted = steps_in_cycles(self.graph) if self.back else frozenset()
        self.order = order(self.graph)
        self.joined = [name for name in self.order if self.steps[name].join]
        self.ways = ways(self.steps, self.codes, self.next)
        check_joins(self.steps, self.ways)
        remembers = any(code.merges or code.collects for code in codes)
        self.has_parts = bool(remembers or self.back or self.joined)
        self.more = ", parts" if self.has_parts else ""
        # one loop, one colour: a coroutine anywhere makes every function one
        self.is_async = self.on_loop or any(c.is_async or c.is_awaited for c in codes)
        self.functions: dict[tuple[str, ...], str] = {}

    # -- what the heirs write -----------------------------------------------------

    def _in_line(self, following: Next, depth: int) -> None:
        """Write a step, and those that follow it in line."""
        raise NotImplementedError

    def _after(
        self,
        name: str,
        targets: tuple[str, ...],
        depth: int,
        *,
        answered: bool = False,
        keep: bool = True,
        picked: bool = False,
        stands_for: str | None = None,
        as_stream: bool = True,
    ) -> Next:
        """Write how it goes on after a step; give the one that follows in line."""
        raise NotImplementedError

    # -- what they share ---------------------------------------------------------

    def _go_on(
        self, name: str, targets: tuple[str, ...], depth: int, **options: Any
    ) -> None:
        """Write all that comes after a step."""
        self._in_line(self._after(name, targets, depth, **options), depth)

    # -- functions and lines --------------------------------------------------------

    @property
    def _await(self) -> str:
        return "await " if self.is_async else ""

    def _landed(self, call: str) -> str:
        """Return a call whose answer may be an event on its way back, taken there."""
        landed = "await landed_async" if self.is_async else "landed"
        return f"{landed}({call}{self.more})" if self.back else call

    @property
    def _event(self) -> str:
        return "event" if self.takes_event else "None"

    def _define(self, name: str, *, parts: bool = True) -> None:
        colour = "async def" if self.is_async else "def"
        self._line(0, f"{colour} {name}({self.it}{self.more if parts else ''}):")

    def _want(self, *key: str) -> str:
        """Return the name of a function, which is written when its turn comes."""
        if key in self.functions:
            return self.functions[key]
        kind, name, *more = key
        parts = [self.names[name], *(self.names.get(one, START_WORD) for one in more)]
        word = "at" if kind == "from" else kind
        found = f"{word}_{'_'.join(parts)}"
        while found in self.functions.values():  # "a" from "b_c", "a_b" from "c"
            found += "_"
        self.functions[key] = found
        self.todo.append(key)
        return found

    def _call(self, function: str) -> str:
        return f"{self._await}{function}({self.it}{self.more})"

    def _target(self, source: str, target: str, stands_for: str | None = None) -> str:
        """Return the function that takes an event from one step on to another."""
        if self.shapes.waits(target):
            slots = self._slots(source, target, stands_for)
            place = self._want("from", target, *slots)
        else:
            place = self._want("at", target)
        if (source, target) not in self.back:
            return place
        leap = f"back_{place.removeprefix('at_')}"
        line = f"{leap} = Leap.to({place}, is_async={self.is_async})"
        if line not in self.tables:
            self.tables.append(line)
        return leap

    def _slots(self, source: str, merge: str, stands_for: str | None) -> list[str]:
        """Return the branches of a merge that end where this source reaches it.

        An error handler stands for all that would have come after the failed step.
        """
        if stands_for is None:
            return [source]
        reached = self._reached(stands_for)
        return [name for name in self.steps[merge].after if name in reached] or [source]

    def _reached(self, first: str) -> set[str]:
        """Return a step and all that comes after it."""
        return reached(first, self.next)

    def _join(self, name: str) -> str:
        holder = f"{self.names[name]}_join"
        self.joins[holder] = self.steps[name]
        return holder

    def _outlets(self, name: str, targets: tuple[str, ...]) -> str:
        """Want the table of a choice's outlets; give its identifier."""
        ident = self.names[name]
        if name not in self.selectors.values():
            self.selectors[f"{ident}_select"] = name
            rows = ", ".join(f"{t!r}: {self._target(name, t)}" for t in targets)
            self.tables.append(f"{ident}_outlets = {{{rows}}}")
        return ident

    def _inside(self, stream: str) -> list[str]:
        """Return the steps that wait or count for each item of a stream anew."""
        return [
            name
            for name in self.steps
            if stream_of(name, self.ways) == stream
            and (self.shapes.waits(name) or name in self.counted)
        ]

    def _each_place(self, stream: str) -> str:
        """Return the function that takes an item of a stream."""
        return self._want("item" if self._inside(stream) else "after", stream)

    def _leave(self, depth: int, answered: bool) -> None:
        """Write that nothing goes on here."""
        self._line(depth, f"return {'answer' if answered else 'NOTHING'}")

    def _finish(self, call: str, depth: int, answered: bool, origin: str = "") -> None:
        if answered:
            self._line(depth, self._landed(call), origin)
            self._line(depth, "return answer")
        else:
            self._line(depth, f"return {call}", origin)

    def _line(self, depth: int, text: str, step: str = "") -> None:
        self.text.append("    " * depth + text)
        if step:
            self.lines[len(self.text)] = step
