"""Counts, times and values of a running graph as short texts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jupyter_graph.picture.layout.measure import clean, cut

Snapshot = Mapping[str, Any]
"""What ``Counters.snapshot()`` returns: ``{"steps": {...}, "edges": {...}}``."""

LONGEST_VALUE = 12


def of_step(counters: Snapshot | None, name: str) -> Mapping[str, Any]:
    """Return what is counted at a step, nothing where nothing is."""
    return ((counters or {}).get("steps") or {}).get(name) or {}


def of_edge(counters: Snapshot | None, source: str, target: str) -> Mapping[str, Any]:
    """Return what is counted on an edge, nothing where nothing is."""
    return ((counters or {}).get("edges") or {}).get(f"{source}\u2192{target}") or {}


def number(count: float) -> str:
    """Write a count short.

    >>> number(999), number(1_204), number(15_300), number(2_500_000)
    ('999', '1,204', '15.3k', '2.5M')
    """
    if count < 10_000:
        return f"{count:,.0f}"
    for size, letter in ((1e9, "G"), (1e6, "M")):
        if count >= size:
            return f"{count / size:.1f}{letter}"
    return f"{count / 1e3:.1f}k"


def duration(ms: float) -> str:
    """Write a duration given in milliseconds with its unit.

    >>> duration(0.0123), duration(0.4), duration(31.2), duration(2500)
    ('12 µs', '0.4 ms', '31 ms', '2.5 s')
    """
    if ms < 0.1:
        return f"{ms * 1000:.0f} µs"
    if ms < 10:
        return f"{ms:.1f} ms"
    return f"{ms:.0f} ms" if ms < 1000 else f"{ms / 1000:.1f} s"


def step_line(counted: Mapping[str, Any]) -> str:
    """Write a step's count and mean time in one line.

    >>> step_line({"count": 30, "mean_ms": 0.4})
    '30 events · 0.4 ms'
    """
    count = counted.get("count") or 0
    if not count:
        return ""
    mean = counted.get("mean_ms")
    events = f"{number(count)} event{'' if count == 1 else 's'}"
    return events if mean is None else f"{events} · {duration(mean)}"


def edge_value(counted: Mapping[str, Any], length: int = LONGEST_VALUE) -> str:
    """Write the last value on an edge in a few signs, without JSON's quotes.

    >>> edge_value({"last": '{"user": "ann", "amount": 12.5}'})
    'user: ann,…'
    """
    last = counted.get("last")
    text = "" if last is None else str(last)[: 8 * length]
    if text[:1] in "{[":
        text = text[1:].replace('"', "").replace("'", "").removesuffix("}")
    return cut(clean_lines(text), length)


def whole_value(counted: Mapping[str, Any], length: int = 2_000) -> str:
    """Write the last value on an edge as it is, on one line."""
    last = counted.get("last")
    return "" if last is None else cut(clean_lines(str(last)[: 4 * length]), length)


def clean_lines(text: str) -> str:
    """Replace signs that cannot be shown, and line breaks by blanks."""
    return clean(" ".join(text.split()))


def count_of(counted: Mapping[str, Any]) -> int:
    """Return the number of events, 0 where nothing is counted."""
    return int(counted.get("count") or 0)


def errors_of(counted: Mapping[str, Any]) -> int:
    """Return the number of errors, 0 where nothing is counted."""
    return int(counted.get("errors") or 0)
