"""What all targets share: rows kept back for a while, then written together."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Sequence
from typing import Any

from jupyter_graph.argument_checks import is_count, is_positive, require
from jupyter_graph.errors import StatusError, said
from jupyter_graph.types import Body


class Refused(Exception):
    """Some items of a batch will never be stored; the others are.

    Args:
        causes: the position of each such item, and why.
    """

    def __init__(self, causes: dict[int, Exception]) -> None:
        super().__init__(causes)
        self.causes = causes


class Buffered:
    """A target: ``do`` takes a body's rows and gives the body back.

    Rows are kept until there are ``max_events``, or ``flush_every_s`` seconds went by,
    or the runner closes. A subclass says what a body's items are (``_take``), and how
    some of them are written (``_write``) and made whole (``_settle``).

    Promise: at least once. When a write fails, the event that caused it fails and its
    rows are taken back; rows of earlier events stay for the next attempt. Safe from
    several threads.

    Args:
        where: the place as messages show it.
        name: the step.
        context: the step's context; in a parity run nothing is written.
        max_events: items to keep at most, 1 or more.
        flush_every_s: seconds until kept items are written, None: not by time.

    Raises:
        SpecError: a number is out of range.
    """

    def __init__(
        self,
        where: object,
        name: str,
        context: Any,
        max_events: int,
        flush_every_s: float | None,
    ) -> None:
        require(is_count(max_events), "max_events must be 1 or more", max_events)
        require(
            flush_every_s is None or is_positive(flush_every_s),
            "flush_every_s must be seconds above 0, or None for no flushing by time",
            flush_every_s,
        )
        self.flush_every_s = flush_every_s
        self._where = where
        self._name = name or type(self).__name__
        self._begin = f"step {self._name!r} cannot write {where}"
        self._context = context
        self._is_parity = bool(getattr(context, "is_parity", False))
        self._max = max_events
        self._waiting: list[Any] = []
        self._flushed_at = time.monotonic()
        self._refusals: deque[str] = deque()
        self._lock = threading.Lock()

    def do(self, body: Body) -> Body:
        """Take the rows of a body and give the body back."""
        if self._is_parity:
            return body
        try:
            with self._lock:
                items = self._take(body)
                # rows from here on belong to this event: only they are taken back when
                # it fails
                own = len(self._waiting)
                self._waiting.extend(items)
                if self._is_full():
                    self._write_waiting(own)
        finally:
            self._report()
        return body

    def flush(self, *, end: bool) -> list[Any]:
        """Write what is kept, when its time has come; at the ``end`` make it whole."""
        try:
            with self._lock:
                if self._is_parity or not (end or self._is_due()):
                    return []
                self._flushed_at = time.monotonic()
                self._write_waiting()
                try:
                    self._settle(end=end)
                except Exception as error:
                    raise self._failure(error) from error
        finally:
            self._report()
        return []

    def _report(self) -> None:
        """Report what was refused, without the lock: it may write an event here."""
        while self._refusals and hasattr(self._context, "push_error"):
            self._context.push_error(None, self._refusals.popleft(), source=self._name)

    def _is_due(self) -> bool:
        """Tell whether the time has come; a runner asks as often as any step wants."""
        if self.flush_every_s is None:
            return False
        # a tenth early, else a tick that comes a little too soon doubles the time
        return time.monotonic() - self._flushed_at >= 0.9 * self.flush_every_s

    def close(self) -> None:
        """Write all and close files and connections; harmless twice."""
        try:
            self.flush(end=True)
        finally:
            self._disconnect()

    # -- what a subclass says -----------------------------------------------------

    def _take(self, body: Body) -> Sequence[Any]:
        raise NotImplementedError

    def _write(self, items: list[Any]) -> None:
        raise NotImplementedError

    def _settle(self, *, end: bool) -> None:
        """Put what was written in its place."""

    def _disconnect(self) -> None:
        """Close connections."""

    # -- writing ------------------------------------------------------------------

    def _is_full(self) -> bool:
        return len(self._waiting) >= self._max

    def _write_waiting(self, own: int | None = None) -> None:
        waiting, done = self._waiting, 0
        refused: dict[int, Exception] = {}
        try:
            while done < len(waiting):
                items = waiting[done : done + self._max]
                try:
                    self._write(items)
                except Refused as some:
                    refused |= {done + at: why for at, why in some.causes.items()}
                done += len(items)
        except Exception as error:
            # this event's rows go with its error; earlier ones stay for the next
            # attempt
            if own is not None:
                del waiting[max(own, done) :]
            del waiting[:done]
            raise self._failure(error) from error
        waiting.clear()
        if refused:
            self._tell(refused, own)

    def _tell(self, refused: dict[int, Exception], own: int | None) -> None:
        """Raise for the event at hand, report for those that are long answered."""
        mine = [why for at, why in refused.items() if own is not None and at >= own]
        others = [why for at, why in refused.items() if own is None or at < own]
        self._refusals += [
            f"{self._where} refused a row: {said(why)}" for why in others
        ]
        if mine:
            raise self._failure(mine[0]) from mine[0]
        if others and own is None:
            rows = f"{len(others)} of its rows were refused, the first one"
            raise OSError(f"{self._begin}: {rows}: {said(others[0])}") from others[0]

    def _failure(self, error: Exception) -> Exception:
        """Return the error that names the step and the place."""
        text = f"{self._begin}: {said(error)}"
        if isinstance(error, StatusError):
            return type(error)(text, status_code=error.status_code)
        return OSError(text)
