"""Lines of generated code, and the statements that all parts of it have."""

from __future__ import annotations

from typing import NamedTuple

from jupyter_graph.compile.generator.graph_facts import GraphFacts

INDENT = "    "


class Position(NamedTuple):
    """Where a line is written.

    Attributes:
        depth: how many blocks it stands in.
        answered: a step before it has answered; the answer is in ``answer``.
    """

    depth: int
    answered: bool = False

    def inner(self, levels: int = 1) -> Position:
        """Return the position one block (or several) further in."""
        return Position(self.depth + levels, self.answered)

    def after_answer(self, answered: bool = True) -> Position:
        """Return the position behind a step that answers."""
        return Position(self.depth, self.answered or answered)


TOP = Position(0)
BODY = Position(1)
"""The first level inside a function."""


class CodeBuffer:
    """The text of a module as it is written; it knows in which form the graph needs it.

    Args:
        facts: whether functions are coroutines, and what they take.

    Attributes:
        text: the lines written so far.
        steps: line number to the step that stands there.
        it: what a function takes: ``body`` or ``event``.
        value: the body in it: ``body`` or ``event.body``.
        event: the event, ``None`` where functions take bodies.
        more: what functions take beside it, with the comma before.
    """

    def __init__(self, facts: GraphFacts) -> None:
        self.text: list[str] = []
        self.steps: dict[int, str] = {}
        self.it = "event" if facts.takes_event else "body"
        self.value = "event.body" if facts.takes_event else "body"
        self.event = "event" if facts.takes_event else "None"
        self.more = ", parts" if facts.has_parts else ""
        self._is_async = facts.is_async
        self._may_leap = bool(facts.back)

    def line(self, at: Position, text: str, step: str = "") -> None:
        """Write a line; an error raised in it is the error of this step."""
        self.text.append(INDENT * at.depth + text)
        if step:
            self.steps[len(self.text)] = step

    def define(self, name: str, *, parts: bool = True) -> None:
        """Write the first line of a function: ``async def run(event, parts):``."""
        colour = "async def" if self._is_async else "def"
        self.line(TOP, f"{colour} {name}({self.it}{self.more if parts else ''}):")

    def leave(self, at: Position) -> None:
        """Write that nothing goes on here."""
        self.line(at, f"return {'answer' if at.answered else 'NOTHING'}")

    def leave_if_dropped(self, call: str, name: str, at: Position) -> None:
        """Write a call, and that the event ends here where the step drops it."""
        # found = gate(body)
        # if found is NOTHING:
        #     return NOTHING
        self.line(at, f"found = {call}", name)
        self.line(at, "if found is NOTHING:")
        self.leave(at.inner())

    def finish(self, function: str, args: str, at: Position, step: str = "") -> None:
        """Write a call that is the end of a function; an earlier answer holds.

        Args:
            function: what is called; in coroutines it must be awaited.
            args: what it is called with, as text.
            at: where.
            step: whose failure it is when the call itself fails.
        """
        if at.answered:
            self.beside(function, args, at, step)
            self.line(at, "return answer")
        else:
            awaited = "await " if self._is_async else ""
            self.line(at, f"return {awaited}{function}({args})", step)

    def beside(self, function: str, args: str, at: Position, step: str = "") -> None:
        """Write a call that goes on beside an answer that is there."""
        call = f"{self.helper('beside')}(noted, {function}, {args})"
        self.line(at, call, step)

    def helper(self, name: str) -> str:
        """Return a helper's name, awaited and ``_async`` in coroutines."""
        return f"await {name}_async" if self._is_async else name

    def stream_helper(self, name: str) -> str:
        """Return the name of a helper that returns a stream, which is not awaited."""
        return f"{name}_async" if self._is_async else name

    def call(self, function: str) -> str:
        """Return the call of another function: ``await at_b(body, parts)``."""
        awaited = "await " if self._is_async else ""
        return f"{awaited}{function}({self.it}{self.more})"

    def landed(self, call: str) -> str:
        """Return a call whose answer may be an event on its way back, taken there.

        In a graph with cycles a function gives a ``Leap`` instead of calling an earlier
        one: ``landed(at_b(body, parts), parts)`` goes round until there is an answer.
        """
        return f"{self.helper('landed')}({call}{self.more})" if self._may_leap else call
