"""What one event did: each step's input, output and time."""

from __future__ import annotations

import copy
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from jupyter_graph.errors import said

LONGEST_TEXT = 200
LARGEST_COPY_BYTES = 1_000_000


@dataclass(frozen=True, slots=True)
class Summary:
    """A value at one moment: short text, type, size and, when small, a deep copy."""

    text: str
    type: str
    size: int | None = None
    value: Any = None

    def __str__(self) -> str:
        return self.text


def summarise(value: Any) -> Summary:
    """Return the summary of a value; later changes of the value do not reach it.

    >>> summarise([1, 2, 3])
    Summary(text='[1, 2, 3]', type='list', size=3, value=[1, 2, 3])
    """
    # A trace must not fail the event: repr, len and deepcopy may all raise. Here is no
    # suppress(): it costs more than what it guards, twice for each step of an event.
    try:
        text = repr(value)
    except Exception as error:
        text = f"<{type(value).__name__}: {said(error)}>"
    try:
        size = None if isinstance(value, type) else len(value)
    except Exception:
        size = None
    short = text if len(text) <= LONGEST_TEXT else f"{text[: LONGEST_TEXT - 1]}…"
    return Summary(short, type(value).__name__, size, _small_copy(value, len(text)))


def _small_copy(value: Any, text_size: int) -> Any:
    nbytes = getattr(value, "nbytes", None)
    size = nbytes if isinstance(nbytes, int) else max(text_size, sys.getsizeof(value))
    if size > LARGEST_COPY_BYTES or hasattr(value, "__next__"):
        return None
    try:
        return copy.deepcopy(value)
    except Exception:
        return None


@dataclass(slots=True)
class TraceRow:
    """One step's part in one event."""

    step: str
    input: Summary
    upstream: tuple[str, ...]
    output: Summary | None = None
    duration_s: float = 0.0
    error: str | None = None
    value: Any = None


@dataclass(slots=True)
class Trace:
    """The rows of one event, in the order in which the steps began."""

    rows: list[TraceRow] = field(default_factory=list)

    def __iter__(self) -> Iterator[TraceRow]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, at: int) -> TraceRow:
        return self.rows[at]

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        return {"text/plain": str(self)}

    def __str__(self) -> str:
        if not self.rows:
            return "nothing was traced"
        width = max(len(row.step) for row in self.rows)
        return "\n".join(
            f"{row.step:<{width}}  {row.duration_s * 1e3:8.3f} ms  "
            f"{row.input.text}  →  {row.error or row.output}"
            for row in self.rows
        )
