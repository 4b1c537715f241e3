"""Steps that carry a state of the user's own from one event to the next."""

from __future__ import annotations

import copy
import inspect
import threading
from collections.abc import Callable
from typing import Any

from jupyter_graph.argument_checks import at_least
from jupyter_graph.connectors.event_key import KeySpec, body_of, is_event, key_reader
from jupyter_graph.connectors.tables.table import MISSING, TIMEOUT_S
from jupyter_graph.errors import SpecError
from jupyter_graph.steps.state.keyed_steps import state_table
from jupyter_graph.types import NOTHING

ALL = "all"
"""The key of the one state of a step without a key."""


class MapWithState:
    """Map each body with a function that also sees, and changes, a state.

    Body in: anything. Body out: the first of the two values that ``fn`` gives.

    Args:
        initial_state: what ``fn`` gets the first time, each key a copy of its own.
        fn: called as ``fn(body, state)``, gives ``(body, state)``; the event in place
            of the body on a step with ``full_event=True``. With a table that others
            write to it may be called again for the same body, with a newer state.
        key: a state of its own for each value of this field (see ``Batch``); None:
            one state for all events.
        group_by_key: MLRun's word for ``key="$key"``.
        table: where states are kept, see ``connectors.tables.open_table``.
        max_keys: 1 or more, for ``memory``: with more keys, the one not seen for
            longest is forgotten.
        timeout_s: seconds that a table may take, above 0.

    Raises:
        SpecError: an argument is wrong, or a package is missing.
        BadRequestError: (from ``do``) the body has no such key.
        TypeError: (from ``do``) ``fn`` does not give a pair, or a state that the table
            cannot keep.
        StatusError: (from ``do``) the table failed, see ``Table``.

    State:
        In the table; when ``fn`` raises, the state stays as it was (unless ``fn``
        changed it in place, in memory). In ``memory`` a restart loses it, a hot swap
        keeps it while the step's arguments stay, and each worker has its own. Other
        tables outlive restart, swap and redeploy, and workers share them: one change
        of a key at a time. States are JSON there. The table's name is the step's
        unless ``#NAME`` says it. Events count in the order they come, late or not.

    Source: https://docs.mlrun.org/en/stable/serving/available-steps.html

    >>> def count(body, seen):
    ...     return {**body, "seen": seen + 1}, seen + 1
    >>> step = MapWithState(0, count, key="user")
    >>> [step.do({"user": user})["seen"] for user in ("ann", "bob", "ann")]
    [1, 1, 2]
    """

    def __init__(
        self,
        initial_state: Any,
        fn: Callable[[Any, Any], tuple[Any, Any]],
        *,
        key: KeySpec | None = None,
        group_by_key: bool = False,
        table: Any = "memory",
        max_keys: int | None = None,
        timeout_s: float = TIMEOUT_S,
        name: str = "states",
        context: Any = None,
    ) -> None:
        if group_by_key and key not in (None, "$key"):
            raise SpecError(f"group_by_key means key='$key', got key={key!r} as well")
        at_least("max_keys", max_keys, 1, or_none=True)
        self._fn = _function(fn)
        self._initial = copy.deepcopy(initial_state)
        key = "$key" if group_by_key else key
        self._key = key_reader(key) if key is not None else None
        self.table = state_table(table, name, max_keys, timeout_s, context)

    def do(self, body: Any) -> Any:
        key = self._key(body) if self._key is not None else ALL
        given: Any = None

        def change(state: Any) -> Any:
            nonlocal given
            # a copy for each key, so that ``fn`` may change the state in place
            if state is MISSING:
                state = copy.deepcopy(self._initial)
            given, state = _pair(self._fn(body, state))
            return state

        self.table.update(key, change, MISSING)
        return given

    def close(self) -> None:
        self.table.close()


class Reduce:
    """Fold all bodies into one value, which goes on at the end.

    Body in: anything. Body out: at the end of the graph one body, the value; with
    ``running`` the value so far for each body instead.

    Args:
        initial_value: the value before the first body.
        fn: called as ``fn(value, body)``, gives the next value.
        running: send the value on with each event; nothing more comes at the end.

    Raises:
        SpecError: ``fn`` is no plain function of two arguments.

    State:
        In memory: the value; when ``fn`` raises it stays as it was (unless ``fn``
        changed it in place). A restart begins anew, a hot swap keeps it while the
        step's arguments stay, each worker folds its own events. Bodies count in the
        order they come, late or not.

    Source: https://docs.mlrun.org/en/stable/serving/available-steps.html

    >>> step = Reduce(0, lambda total, body: total + body)
    >>> [step.do(n) for n in (1, 2)], step.flush(end=True)
    ([NOTHING, NOTHING], [3])
    >>> step = Reduce(0, lambda total, body: total + body, running=True)
    >>> [step.do(n) for n in (1, 2, 3)]
    [1, 3, 6]
    """

    may_drop = True

    def __init__(
        self,
        initial_value: Any,
        fn: Callable[[Any, Any], Any],
        *,
        running: bool = False,
    ) -> None:
        self._fn = _function(fn)
        self._value = copy.deepcopy(initial_value)
        self.running = running
        self._lock = threading.Lock()

    def do(self, body: Any) -> Any:
        with self._lock:
            # under the lock: a fold depends on the value before, so events take turns
            value = self._value = self._fn(self._value, body)
        if not self.running:
            return NOTHING
        if is_event(body) and not is_event(value):
            body.body = value
            return body
        return value

    def flush(self, *, end: bool) -> list[Any]:
        """Return the value at the end, unless each event was answered with it."""
        if not end or self.running:
            return []
        with self._lock:
            return [body_of(self._value)]


def _function(fn: Any) -> Callable[..., Any]:
    if not callable(fn) or inspect.isclass(fn):
        raise SpecError(f"fn must be a function of 2 arguments, got {fn!r}")
    if inspect.iscoroutinefunction(fn) or inspect.isgeneratorfunction(fn):
        raise SpecError(
            f"fn must be a plain function, {fn!r} is a coroutine or a generator; do "
            "what waits in a step of its own"
        )
    try:
        inspect.signature(fn).bind(None, None)
    except TypeError:
        raise SpecError(
            f"fn must take 2 arguments, {fn!r} takes {inspect.signature(fn)}"
        ) from None
    except ValueError:
        pass  # a function of C's that does not tell
    return fn  # type: ignore[no-any-return]


def _pair(given: Any) -> tuple[Any, Any]:
    if isinstance(given, tuple | list) and len(given) == 2:
        return given[0], given[1]
    raise TypeError(f"fn must give a pair, (body, state), got {given!r:.80}")
