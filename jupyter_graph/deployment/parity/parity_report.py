"""What came out of a parity check, as a person reads it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from jupyter_graph.errors import ParityError

SHOWN = 5


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
class ParityReport:
    """What came out of a parity check; the text begins with ``parity:``.

    Attributes:
        equal: events with the same answer.
        total: events that were replayed.
        left_out: places that differ between two runs in the notebook itself.
        differences: what differs.
        unsent: events whose body has no form on the wire.
        is_skipped: nobody wanted the comparison.
        step: the first step whose result differs, when it could be found.
        lines: what ran in the notebook beside the code and does not ship.

    >>> print(ParityReport(3, 3))
    parity: 3 of 3 events equal
    >>> print(ParityReport(0, 0))
    parity: no recorded events
    """

    equal: int = 0
    total: int = 0
    left_out: tuple[str, ...] = ()
    differences: tuple[Difference, ...] = ()
    unsent: tuple[str, ...] = ()
    is_skipped: bool = False
    step: str | None = None
    lines: tuple[str, ...] = ()

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
        head = f"parity: {self.equal} of {self.total} events equal"
        lines = [head if self.total else "parity: no recorded events"]
        lines += [f"  left out, cannot be sent: {text}" for text in self.unsent]
        if self.left_out:
            listed = ", ".join(self.left_out)
            lines.append(f"  left out, differs from run to run: {listed}")
        for one in self.differences[:SHOWN]:
            lines.append(f"  event {one.number + 1} ({one.event_id}), {one.place}:")
            lines.append(f"    notebook: {_short(one.notebook)}")
            lines.append(f"    bundle:   {_short(one.bundle)}")
        if len(self.differences) > SHOWN:
            lines.append(f"  … and {len(self.differences) - SHOWN} more differences")
        if self.step:
            lines.append(f"  the first step that differs is {self.step!r}")
        if self.differences and self.lines:
            lines.append("  these lines ran in the notebook and do not ship:")
            lines += [f"    {line}" for line in self.lines[:SHOWN]]
        return "\n".join(lines)


def _short(value: Any) -> str:
    try:
        text = json.dumps(value, ensure_ascii=False)
    except TypeError:
        text = repr(value)
    return text if len(text) <= 200 else f"{text[:197]}…"
