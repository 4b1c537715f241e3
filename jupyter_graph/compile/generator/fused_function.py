"""Straight-line code for a graph of stateless steps: one step a line.

A chain becomes one function. Where a graph branches, joins or goes on after an
error, the place gets a function of its own, ``at_<step>``, which gives the answer
or ``NOTHING``. The failing step is found from the line in the traceback, so the good
path pays nothing for it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from jupyter_graph.compile.generator.branch_writer import BranchWriter
from jupyter_graph.compile.generator.code_writer import DEEPEST, Next
from jupyter_graph.compile.generator.handler_writer import HandlerWriter
from jupyter_graph.compile.generator.stream_writer import StreamWriter
from jupyter_graph.compile.step_code import StepCode
from jupyter_graph.spec.model import (
    DEFAULT_ITERATIONS,
    START,
    GraphSpec,
    StepSpec,
)


@dataclass(frozen=True, slots=True)
class Fused:
    """The generated module of one graph.

    Attributes:
        source: its text; ``run`` is the entry.
        lines: line number to the name of the step that stands there.
        calls: identifier in the source to the name of the step it calls.
        selectors: identifier to the step whose ``select_outlets`` it is.
        holders: identifier to the step whose instance merges branches or collects
            streams.
        joins: identifier to the step that joins its branches.
        resumes: step to the function that takes on what it gives later.
        is_async: ``run`` must be awaited.
        takes_event: ``run`` takes an event, not a body.
        has_parts: the other functions also take what an event left at merges, joins,
            cycles and collectors, a dict.
    """

    source: str
    lines: Mapping[int, str]
    calls: Mapping[str, str]
    selectors: Mapping[str, str]
    holders: Mapping[str, str]
    joins: Mapping[str, StepSpec]
    resumes: Mapping[str, str]
    is_async: bool
    takes_event: bool
    has_parts: bool


def fuse(
    graph: GraphSpec, codes: Mapping[str, StepCode], *, on_loop: bool = False
) -> Fused:
    """Generate the code of a graph; the graph obeys the rules of ``spec.validate``.

    Args:
        graph: the graph.
        codes: the code of each of its steps.
        on_loop: make coroutines of its functions, even where no step needs it.
    """
    return _Generator(graph, codes, on_loop).generate()


class _Generator(BranchWriter, StreamWriter, HandlerWriter):
    """Writes the whole."""

    # -- the whole --------------------------------------------------------------

    def generate(self) -> Fused:
        firsts = self.next[START]
        ends = bool(self.back or self.joined)
        self._define("run", parts=False)
        if self.has_parts:
            self._line(1, "parts = {}")
        if ends:
            self._ended_run()
            self.text += ["", ""]
            self._define("begin")
        self._scope(lambda depth: self._go_on(START, firsts, depth), START)
        for name in self.steps:
            if self.codes[name].keeps and self.next[name]:
                is_more = self.back or set(self.joined) & self._reached(name)
                self.resumes[name] = self._want("later" if is_more else "after", name)
        while self.todo:
            self._function(self.todo.pop(0))
        self.text += ["", *self.tables] if self.tables else []
        return Fused(
            source="\n".join(self.text) + "\n",
            lines=self.lines,
            calls=self.calls,
            selectors=self.selectors,
            holders=self.holders,
            joins=self.joins,
            resumes=self.resumes,
            is_async=self.is_async,
            takes_event=self.takes_event,
            has_parts=self.has_parts,
        )

    def _ended_run(self) -> None:
        """Write what stands around all of a graph with cycles or joins."""
        self._ended("begin", self.joined)

    def _ended(
        self, function: str, joined: list[str], forgets: Sequence[str] = ()
    ) -> None:
        """Write a call, and what goes on at joins that some branches did not reach."""
        call = self._landed(self._call(function))
        if not joined and not forgets:
            self._line(1, f"return {call}")
            return
        self._line(1, f"answer = {call}")
        for name in joined:
            self._line(1, f"{self.it} = {self._join(name)}.last(parts)")
            self._line(1, f"if {self.it} is not NOTHING:")
            call = self._landed(self._call(self._want("rest", name)))
            self._line(2, f"answer = first_of(answer, {call})")
        if forgets:
            self._line(1, f"forget(parts, {tuple(forgets)!r})")
        self._line(1, "return answer")

    # -- functions --------------------------------------------------------------

    def _function(self, key: tuple[str, ...]) -> None:
        kind, name, *more = key
        self.text += ["", ""]
        self._define(self.functions[key])
        if kind == "at":
            self._scope(lambda depth: self._from(name, depth), name)
        elif kind == "after":
            self._scope(
                lambda depth: self._go_on(name, self.next[name], depth, keep=False),
                name,
            )
        elif kind == "item":
            inner = self._inside(name)
            joined = [one for one in self.joined if one in inner]
            self._ended(self._want("after", name), joined, inner)
        elif kind == "later":  # an event of its own, whose joins end with it
            joined = [one for one in self.joined if one in self._reached(name)]
            self._ended(self._want("after", name), joined)
        elif kind in ("rest", "end"):
            write = self._rest if kind == "rest" else self._end
            self._scope(lambda depth: write(name, depth), name)
        else:
            self._arrival(name, tuple(more))

    def _arrival(self, merge: str, slots: tuple[str, ...]) -> None:
        """A branch reaches a merge or a join: wait until all have."""
        ident, step = self.names[merge], self.steps[merge]
        if step.join:
            holder = self._join(merge)
        else:
            holder = f"{ident}_merge"
            self.holders[holder] = merge
        gather = "gathered_event" if self.takes_event else "gathered"
        if step.join_timeout_s is not None:
            gather = f"await {gather}_in_time"
        text = (
            f"{self.it} = {gather}({holder}, {merge!r}, {slots!r}, "
            f"{step.after or (START,)!r}, {self.it}, parts)"
        )
        self._guarded(step, 1, lambda depth: self._line(depth, text, merge))
        self._line(1, f"if {self.it} is NOTHING:")
        self._line(2, "return NOTHING")
        self._line(1, f"return {self._call(self._want('at', merge))}")

    def _rest(self, name: str, depth: int) -> None:
        """A join goes on without the branches that did not come."""
        text = f"{self.it} = {self._join(name)}.rest(parts)"
        self._guarded(
            self.steps[name], depth, lambda inner: self._line(inner, text, name)
        )
        self._line(depth, f"return {self._call(self._want('at', name))}")

    # -- the inside of a function -----------------------------------------------

    def _from(self, name: str, depth: int) -> None:
        """Write a step and what follows it in line."""
        self._in_line(self._step(name, depth), depth)

    def _in_line(self, following: Next, depth: int) -> None:
        while following is not None:
            name, answered = following
            following = self._step(name, depth, answered=answered)

    def _step(self, name: str, depth: int, *, answered: bool = False) -> Next:
        step, code, targets = self.steps[name], self.codes[name], self.next[name]
        picks = bool(step.on_error and code.selects and targets and not code.is_stream)

        def own_part(inner: int) -> None:
            if name in self.counted:
                limit = step.max_iterations or self.graph.max_iterations
                limit = limit or DEFAULT_ITERATIONS
                more = ", event" if self.takes_event else ""
                self._line(inner, f"counted(parts, {name!r}, {limit}{more})", name)
            self._run_step(name, inner, answered=answered)
            if picks:
                self._pick(name, targets, inner)

        falls = not (code.selects or code.is_stream)
        is_part = bool(self._has_call(name) or picks or name in self.counted)
        if is_part:
            self._guarded(step, depth, own_part, answered=answered, falls=falls)
        return self._after(name, targets, depth, answered=answered, picked=picks)

    def _is_over(
        self, code: StepCode, depth: int, answered: bool, as_stream: bool
    ) -> bool:
        """Write what is no single body on its way; tell whether that is all."""
        name = code.step.name
        if code.collects:
            self._collect(name, depth, answered=answered)
        if code.is_stream and as_stream:
            self._stream_on(name, depth, answered=answered)
            return True
        if code.gives_events:
            self._several_on(name, depth, answered)
        return False

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
        code = self.codes.get(name)
        if (
            code is not None
            and keep
            and self._is_over(code, depth, answered, as_stream)
        ):
            return None
        if name == self.responder and keep:
            if not targets:
                self._line(depth, f"return {self.value}")
                return None
            self._line(depth, f"answer = twin({self.value})", name)
            answered = True
        if not targets:
            self._leave(depth, answered)
        elif self._is_written_choice(name, depth, picked=picked):
            return self._choice(name, targets, depth, answered)
        elif code is not None and code.selects:
            if not picked:
                self._pick(name, targets, depth)
            twins = f"twins({self.it}, len(targets))"
            self._branch("targets", twins, depth, answered, name)
        elif len(targets) == 1:
            [target] = targets
            if depth <= DEEPEST and self._is_inline(target):
                return target, answered
            place = self._target(name, target, stands_for)
            self._finish(self._call(place), depth, answered)
        elif (merged := self._merged(name, depth)) is not None:
            merge, chains = merged
            return self._fan_out(merge, chains, depth), answered
        else:
            places = [self._target(name, target, stands_for) for target in targets]
            twins = f"twins({self.it}, {len(targets)})"
            self._branch(f"({', '.join(places)})", twins, depth, answered, name)
        return None
