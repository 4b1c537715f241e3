"""The step that collects bodies into lists."""

from __future__ import annotations

import copy
import threading
import time
from collections.abc import Mapping
from typing import Any

from jupyter_graph.argument_checks import at_least, is_number, require
from jupyter_graph.connectors.event_key import KeySpec, is_event, key_reader
from jupyter_graph.errors import BadRequestError, SpecError
from jupyter_graph.steps.state.keyed_steps import one_key
from jupyter_graph.types import NOTHING, Clock

SOONEST_S, LATEST_S = 0.01, 1.0


class Batch:
    """Collect bodies and send them on as one list, when it is full or old enough.

    Body in: anything. Body out: a list of 1 to ``max_events`` bodies, oldest first.
    The event that fills a batch goes on with it; the others end here, their callers
    get an empty answer. What is left at the end goes on as a smaller batch. With
    ``full_event=True`` on the step the list holds events.

    Args:
        max_events: bodies in a full batch, 1 or more.
        flush_after_s: seconds after its first body that a batch goes on though it is
            not full, above 0; a tenth of that later at most (and a second).
        key: collect apart by this: a field, a list of fields, a function, or
            ``"$path"`` and other attributes of the event, which need
            ``full_event=True`` on the step. ``key_field`` is MLRun's word for it.
        drop_key_field: leave the field of the key out of the bodies in the batch.
        max_keys: 1 or more; when more keys wait, the batch that waits for longest goes
            on before it is full.
        clock: gives seconds that only grow.

    Raises:
        SpecError: an argument is wrong, or neither ``max_events`` nor
            ``flush_after_s`` is given.
        BadRequestError: (from ``do``) the body has no such key.

    State:
        In memory. A crash loses what waits, an orderly end sends it on. A hot swap
        keeps it while the step's arguments stay, else it is sent on at the end of the
        old step. Each worker makes batches of its own events. Bodies stand in the order
        they came, late ones too.

    Source: https://docs.mlrun.org/en/stable/serving/available-steps.html

    >>> batch = Batch(max_events=2)
    >>> [batch.do(n) for n in range(4)]
    [NOTHING, [0, 1], NOTHING, [2, 3]]
    """

    may_drop = True

    def __init__(
        self,
        max_events: int | None = None,
        *,
        flush_after_s: float | None = None,
        key: KeySpec | None = None,
        key_field: KeySpec | None = None,
        drop_key_field: bool = False,
        max_keys: int | None = None,
        clock: Clock = time.monotonic,
    ) -> None:
        if max_events is None and flush_after_s is None:
            raise SpecError("a Batch needs max_events, flush_after_s or both")
        at_least("max_events", max_events, 1, or_none=True)
        at_least("max_keys", max_keys, 1, or_none=True)
        key = one_key(key, key_field)
        is_field = isinstance(key, str) and not key.startswith("$")
        if drop_key_field and not is_field:
            raise SpecError(
                f"drop_key_field needs a key that is a field's name, got key={key!r}"
            )
        self.max_events = max_events
        self.flush_after_s = flush_after_s
        self.flush_every_s = _every(flush_after_s)
        self._key = key_reader(key) if key is not None else None
        self._dropped = str(key) if drop_key_field else None
        self._max_keys = max_keys
        self._clock = clock
        self._waiting: dict[str, _Waiting] = {}
        self._lock = threading.Lock()

    def do(self, body: Any) -> Any:
        key = self._key(body) if self._key is not None else ""
        kept = body if self._dropped is None else _without(self._dropped, body)
        with self._lock:
            waiting = self._waiting.get(key)
            if waiting is None:
                waiting = self._waiting[key] = _Waiting(self._clock())
            waiting.bodies.append(kept)
            if len(waiting.bodies) == self.max_events:
                del self._waiting[key]
                return waiting.batch()
            # a dict keeps its order: the first key is the one that waits longest
            if self._max_keys is not None and len(self._waiting) > self._max_keys:
                return self._waiting.pop(next(iter(self._waiting))).batch()
        return NOTHING

    def flush(self, *, end: bool) -> list[Any]:
        """Return the batches whose time has come; at the end all of them."""
        after, every = self.flush_after_s, self.flush_every_s
        with self._lock:
            if end or after is None or every is None:
                due = list(self._waiting) if end else []
            else:
                oldest = self._clock() - after + every / 100  # clocks are not exact
                due = [k for k, kept in self._waiting.items() if kept.since <= oldest]
            return [self._waiting.pop(key).bodies for key in due]


class _Waiting:
    """The bodies of one key, and when the first came."""

    __slots__ = ("bodies", "since")

    def __init__(self, since: float) -> None:
        self.since = since
        self.bodies: list[Any] = []

    def batch(self) -> Any:
        last = self.bodies[-1]
        return _copied(last, self.bodies) if is_event(last) else self.bodies


def _every(flush_after_s: Any) -> float | None:
    if flush_after_s is None:
        return None
    is_time = is_number(flush_after_s) and flush_after_s > 0
    require(is_time, "flush_after_s must be a number of seconds above 0", flush_after_s)
    return float(min(max(flush_after_s / 10, SOONEST_S), LATEST_S))


def _without(field: str, item: Any) -> Any:
    body = item.body if is_event(item) else item
    if not isinstance(body, Mapping):
        raise BadRequestError(
            f"the body must be an object with the field {field!r}, "
            f"got {type(body).__name__}"
        )
    rest = {name: value for name, value in body.items() if name != field}
    return rest if body is item else _copied(item, rest)


def _copied(event: Any, body: Any) -> Any:
    """Return an event like this one with another body."""
    event = copy.copy(event)
    event.body = body
    return event
