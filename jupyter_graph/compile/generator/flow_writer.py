"""The walk along a flow: a step, and how it goes on after it."""

from __future__ import annotations

from jupyter_graph.compile.generator.branch_writer import (
    DEEPEST,
    BranchWriter,
    Following,
)
from jupyter_graph.compile.generator.code_buffer import Position
from jupyter_graph.compile.generator.handler_writer import HandlerWriter
from jupyter_graph.compile.generator.inlining import Inlining
from jupyter_graph.compile.generator.module_names import Writer
from jupyter_graph.compile.generator.step_writer import StepWriter
from jupyter_graph.compile.generator.stream_writer import StreamWriter
from jupyter_graph.spec.model import DEFAULT_ITERATIONS


class FlowWriter:
    """Writes steps in the order in which an event comes to them.

    Each kind of step has a writer of its own. Those of streams, branches and handlers
    come back here for what follows, so they are given the methods they need.

    Args:
        parts: what its writers share.

    Attributes:
        streams: writes what comes after steps that give several results.
        handlers: writes error handlers.
    """

    def __init__(self, parts: Writer) -> None:
        facts, code = self._facts, self._code = parts.facts, parts.code
        self._functions = parts.functions
        shared = (facts, code, parts.names, parts.functions)
        self._steps = StepWriter(*shared)
        self.streams = StreamWriter(*shared, self._go_on_as_body)
        self.handlers = HandlerWriter(*shared, self._steps, self.go_on)
        self._branches = BranchWriter(
            *shared, self._steps, Inlining(facts), self.in_line
        )

    def in_line(self, following: Following | None) -> None:
        """Write a step, and all that follows it at the same place of the text."""
        while following is not None:
            following = self._step(*following)

    def go_on(self, name: str, at: Position, stands_for: str | None = None) -> None:
        """Write all that comes after a step (or first), whose result was made here.

        Args:
            name: the step, or ``START``.
            at: where.
            stands_for: for an error handler, the step that failed.
        """
        self.in_line(self._after(name, at, stands_for=stands_for))

    def onwards(self, name: str, at: Position, stands_for: str | None = None) -> None:
        """Write what comes after a step whose result was made in another function."""
        self.in_line(self._onwards(name, at, stands_for=stands_for))

    def _go_on_as_body(self, name: str, at: Position) -> None:
        self.in_line(self._after(name, at, as_stream=False))

    def _step(self, name: str, at: Position) -> Following | None:
        """Write a step; return the one that follows in line."""
        facts = self._facts
        step, code = facts.steps[name], facts.codes[name]
        is_counted = name in facts.counted
        # Asking a choice is part of the step where its error handler must see it fail.
        picks = bool(
            step.on_error and code.selects and facts.next[name] and not code.is_stream
        )

        def own_part(inner: Position) -> None:
            if is_counted:
                limit = step.max_iterations or facts.graph.max_iterations
                event = ", event" if facts.takes_event else ""
                call = f"counted(parts, {name!r}, {limit or DEFAULT_ITERATIONS}{event})"
                self._code.line(inner, call, name)
            self._steps.write(name, inner)
            if picks:
                self._branches.pick(name, inner)

        if facts.is_called(name) or picks or is_counted:
            falls = not (code.selects or code.is_stream)
            self.handlers.guard(step, own_part, at, falls=falls)
        return self._after(name, at, picked=picks)

    def _after(
        self,
        name: str,
        at: Position,
        *,
        picked: bool = False,
        stands_for: str | None = None,
        as_stream: bool = True,
    ) -> Following | None:
        """Write what becomes of a step's result; return the step that follows in line.

        Args:
            name: the step, or ``START``.
            at: where.
            picked: its places are in ``targets`` already.
            stands_for: for an error handler, the step that failed.
            as_stream: it may have given a stream.
        """
        code = self._facts.codes.get(name)
        if code is not None:
            if code.collects:
                self.streams.keep_item(name, at)
            if code.is_stream and as_stream:
                self.streams.go_on(name, at)
                return None
            if code.gives_events and self._facts.gives_list(name):
                if not self.streams.gather_list(name, at):
                    return None
            elif code.gives_events:
                self.streams.several(name, at)
        if name == self._facts.responder:
            if not self._facts.next[name]:
                self._code.line(at, f"return {self._code.value}")
                return None
            self._code.line(at, f"answer = twin({self._code.value})", name)
            at = at.after_answer()
            if not picked:
                behind = self._functions.want(
                    "after", name, *filter(None, [stands_for])
                )
                self._code.finish(behind, f"{self._code.it}{self._code.more}", at)
                return None
        return self._onwards(name, at, picked=picked, stands_for=stands_for)

    def _onwards(
        self,
        name: str,
        at: Position,
        *,
        picked: bool = False,
        stands_for: str | None = None,
    ) -> Following | None:
        """Write how one body goes on after a step; return what follows in line."""
        targets, branches = self._facts.next[name], self._branches
        code = self._facts.codes.get(name)
        if not targets:
            self._code.leave(at)
        elif code is not None and code.selects:
            is_written = not (picked or at.answered)
            if is_written and branches.is_written_choice(name, at):
                return branches.choice(name, at)
            if not picked:
                branches.pick(name, at)
            branches.call_all("targets", "len(targets)", name, at)
        elif len(targets) == 1:
            [target] = targets
            is_here = at.depth <= DEEPEST and not at.answered
            if is_here and branches.inlining.is_inline(target):
                return Following(target, at)
            place = self._functions.towards(name, target, stands_for)
            self._code.finish(place, f"{self._code.it}{self._code.more}", at)
        elif (merged := branches.merged(name, at)) is not None:
            merge, chains = merged
            branches.fan_out(merge, chains, at)
            return Following(merge, at)
        else:
            places = [self._functions.towards(name, one, stands_for) for one in targets]
            branches.call_all(f"({', '.join(places)})", len(targets), name, at)
        return None
