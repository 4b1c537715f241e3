"""What came out of a parity check, as a person reads it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from jupyter_graph.errors import ParityError

SHOWN = 5
NAMED = 3


@dataclass(frozen=True)
class Difference:
    """One place where the bundle answered differently.

    Attributes:
        number: which event, from 0.
        event_id: its id.
        place: where in the answer, like ``body['score']``.
        notebook: the notebook's value.
        bundle: the bundle's value.
    """

    number: int
    event_id: str
    place: str
    notebook: Any
    bundle: Any


@dataclass(frozen=True)
class NotCompared:
    """One event whose answer says nothing about the bundle.

    Attributes:
        number: which event, from 1.
        event_id: its id.
        reason: why.
    """

    number: int
    event_id: str
    reason: str


@dataclass(frozen=True)
class ParityReport:
    """What came out of a parity check; the text begins with ``parity:``.

    Attributes:
        equal: events with the same answer.
        total: events that were compared.
        left_out: places that differ between two runs of the bundle itself.
        differences: what differs.
        not_compared: events that could not be compared, and why.
        is_skipped: nobody wanted the comparison.
        step: the first step whose result differs, when it could be found.
        causes: what may be the cause of a difference, a line each.

    >>> print(ParityReport(3, 3))
    parity: 3 of 3 events equal
    >>> print(ParityReport(0, 0))
    parity: no recorded events
    """

    equal: int = 0
    total: int = 0
    left_out: tuple[str, ...] = ()
    differences: tuple[Difference, ...] = ()
    not_compared: Sequence[NotCompared] = ()
    is_skipped: bool = False
    step: str | None = None
    causes: tuple[str, ...] = ()

    @property
    def is_equal(self) -> bool:
        """Whether nothing differs."""
        return not self.differences

    def raise_if_different(self) -> None:
        """Raise a ParityError that lists events, step and values, or return quietly."""
        if not self.is_equal:
            raise ParityError(str(self))

    def __str__(self) -> str:
        if self.is_skipped:
            return "parity: not checked"
        return "\n".join([self._head(), *self._lines()])

    def _head(self) -> str:
        if not self.total and not self.not_compared:
            return "parity: no recorded events"
        rest = f", {len(self.not_compared)} not compared" if self.not_compared else ""
        return f"parity: {self.equal} of {self.total} events equal{rest}"

    def _lines(self) -> Iterator[str]:
        by_reason: dict[str, list[NotCompared]] = {}
        for one in self.not_compared:
            by_reason.setdefault(one.reason, []).append(one)
        for reason, events in by_reason.items():
            yield f"  not compared: {_events(events)}: {reason}"
        if self.left_out:
            yield f"  left out, differs from run to run: {', '.join(self.left_out)}"
        for it in self.differences[:SHOWN]:
            yield f"  event {it.number + 1} ({it.event_id}), {it.place}:"
            yield f"    notebook: {_short(it.notebook)}"
            yield f"    bundle:   {_short(it.bundle)}"
        if len(self.differences) > SHOWN:
            yield f"  … and {len(self.differences) - SHOWN} more differences"
        if self.step:
            yield f"  the first step that differs is {self.step!r}"
        if self.causes:
            yield "  the cause may be:"
            yield from (f"    {cause}" for cause in self.causes[:SHOWN])


def _events(events: Sequence[NotCompared]) -> str:
    """Return ``event 3`` or ``4 events (3, 4, 5, …)``."""
    if len(events) == 1:
        return f"event {events[0].number}"
    more = ", …" if len(events) > NAMED else ""
    numbers = ", ".join(str(one.number) for one in events[:NAMED])
    return f"{len(events)} events ({numbers}{more})"


def _short(value: Any) -> str:
    try:
        text = json.dumps(value, ensure_ascii=False)
    except TypeError:
        text = repr(value)
    return text if len(text) <= 200 else f"{text[:197]}…"
