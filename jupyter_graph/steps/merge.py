"""The step that waits for all branches of an event, or for parts that share a key."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from jupyter_graph.argument_checks import at_least, telling
from jupyter_graph.errors import SpecError
from jupyter_graph.spec.expressions import compile_expression
from jupyter_graph.types import NOTHING


class Merge:
    """Wait for every upstream branch and give their bodies as a list.

    Body in: anything, once from each step in ``after``. Body out: a list of the
    bodies, in the order of ``after``. With ``key_path`` parts are merged that agree on
    their key, of one event or of several: then the list is in the order they came, the
    event that completes it goes on, and the callers of the others got an empty answer.

    A subclass may override ``get_join_key(part)`` and ``merge_function(last, parts)``.

    Args:
        key_path: the part of the body that parts must agree on, ``event['k']``; of the
            event with ``full_event``: ``event.id``, ``event.body['k']``. By default all
            parts of one event are merged.
        full_event: the methods that a subclass overrides get events, not bodies.
        max_behind: with a key, how many keys may wait for their other parts; the oldest
            is dropped then, and reported to ``push_error``. By default 64.
        expected_num_events: how many parts to wait for, by default all of ``after``.
            Where that is one, what comes goes on as it is, not as a list.

    Raises:
        SpecError: an argument has a value that is not available.

    State: with a key, the parts that wait, in memory; they are kept over a hot swap,
    and lost with a restart. Each worker has its own.

    Source: MLRun, https://docs.mlrun.org/en/stable/serving/serving-graph.html

    >>> Merge().merge([{"a": 1}, {"b": 2}])
    [{'a': 1}, {'b': 2}]
    """

    waits_for_branches = True

    def __init__(
        self,
        key_path: str | None = None,
        *,
        full_event: bool | None = None,
        max_behind: int | None = None,
        expected_num_events: int | None = None,
        context: Any = None,
    ) -> None:
        counts = {"max_behind": max_behind, "expected_num_events": expected_num_events}
        for argument, count in counts.items():
            at_least(argument, count, 1, or_none=True)
        self.expected = expected_num_events
        self.full_event = bool(full_event)
        self._key = _key_of(key_path) if key_path else None
        has_key = key_path or type(self).get_join_key is not Merge.get_join_key
        self.waiting = Waiting(max_behind or 64, context) if has_key else None

    def get_join_key(self, part: Any) -> Any:
        """Return what parts must agree on to be merged, None for the event itself."""
        return None if self._key is None else self._key(part)

    def merge_function(self, last: Any, parts: list[Any]) -> Any:
        """Return the merged body; the merged event with ``full_event``."""
        if not self.full_event:
            return parts
        last.body = [part.body for part in parts]
        return last

    def merge(self, parts: list[Any]) -> Any:
        """Return what all parts together become."""
        return self.merge_function(parts[-1], parts)


class Waiting:
    """Parts that wait for others with their key; bounded, safe from several threads.

    >>> waiting = Waiting(2, None)
    >>> waiting.add("k", [1], 2), waiting.add("k", [2], 2)
    (None, [1, 2])
    """

    def __init__(self, limit: int, context: Any) -> None:
        self._limit = limit
        self._context = context
        self._parts: OrderedDict[Any, list[Any]] = OrderedDict()
        self._lock = threading.Lock()

    def add(self, key: Any, came: list[Any], expected: int) -> list[Any] | None:
        """Keep parts; return all of their key once enough have arrived.

        Args:
            key: their key.
            came: a part, and ``NOTHING`` for each further branch that it stands for.
            expected: how many parts there are.
        """
        dropped = None
        with self._lock:
            parts = self._parts.setdefault(key, [])
            parts += came
            if len(parts) >= expected:
                del self._parts[key]
                return [part for part in parts if part is not NOTHING]
            # the key that waits longest goes; it is reported without the lock, since an
            # error handler may send an event here
            if len(self._parts) > self._limit:
                dropped = self._parts.popitem(last=False)
        if dropped is not None and self._context is not None:
            text = f"missing parts for event key {dropped[0]!r} after a long wait"
            self._context.push_error(dropped[1][0], f"{text}, dropped")
        return None


def _key_of(path: str) -> Callable[[Any], Any]:
    with telling(f"key_path must look like event['field'], got {path!r}", SpecError):
        return compile_expression(path)
