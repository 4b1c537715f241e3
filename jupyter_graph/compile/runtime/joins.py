"""Where branches of one event come together again."""

from __future__ import annotations

from typing import Any, Final

from jupyter_graph.compile.runtime.cycles import COUNTS, whole
from jupyter_graph.compile.runtime.event_paths import same_event
from jupyter_graph.compile.runtime.live_branches import LIVE
from jupyter_graph.errors import RunError
from jupyter_graph.spec.model import StepSpec
from jupyter_graph.types import NOTHING

Parts = dict[Any, Any]
"""What one event has left at its merges and joins so far."""

Slots = tuple[str, ...]
CAME: Final = "\0came"
DONE: Final = "\0done"
WAITS: Final = "\0waits"
EXPIRED: Final = "\0expired"


__all__ = [
    "Joined", "forget", "gathered", "gathered_event", "gathered_event_in_time",
    "gathered_in_time",
]  # fmt: skip


class Joined:
    """What the ``join`` of a step means: when it goes on, and with what.

    ``all``: once every branch has come, with the list of their bodies in the order of
    ``after``. ``any``: with the body that comes first. ``first``: with the body of the
    branch that stands first in ``after``, and when that does not come, of the next.
    """

    def __init__(self, step: StepSpec, of_events: bool) -> None:
        self.of_events = of_events
        self.name = step.name
        self.mode = step.join
        self.after = step.after
        self.missing = step.missing
        self.timeout_s = step.join_timeout_s

    def take(self, parts: Parts, slots: Slots, it: Any) -> list[Any] | None:
        """Keep what a branch brings; return the parts it may go on with, else None."""
        if (DONE, self.name) in parts:
            return None  # ``any`` and ``first`` have gone on without this branch
        came = _came(parts, self.name, slots, it)
        if self.mode == "any" or (self.mode == "first" and self.after[0] in slots):
            return self._end(parts, [it])
        if len(came) < len(self.after):
            return None
        return self.all_there(parts)

    def all_there(self, parts: Parts) -> list[Any]:
        """Return the parts that go on once all are there; the join has ended then."""
        came = _in_order(parts[CAME, self.name], self.after)
        return self._end(parts, came if self.mode == "all" else came[:1])

    def _end(self, parts: Parts, going_on: list[Any]) -> list[Any]:
        parts.pop((CAME, self.name), None)
        parts[DONE, self.name] = True
        return going_on

    def body(self, parts: list[Any]) -> Any:
        """Return the body that goes on."""
        return parts if self.mode == "all" else parts[0]

    def completed(self, parts: Parts) -> list[Any]:
        """Return the parts, with what stands for those that did not come.

        Raises:
            RunError: one is missing and ``missing`` is ``error``.
        """
        came = parts[CAME, self.name]
        absent = [slot for slot in self.after if slot not in came]
        if self.mode == "all" and self.missing == "error":
            self._end(parts, [])
            raise RunError(
                f"step {self.name!r} joins {', '.join(self.after)}, but nothing came "
                f"from {', '.join(absent)}; say missing='drop' or 'null' to go on"
            )
        if self.mode == "all" and self.missing == "null":
            came |= dict.fromkeys(absent)
        return self.all_there(parts)

    def last(self, parts: Parts) -> Any:
        """Return what came last, where branches have not come; else ``NOTHING``."""
        came = whole(parts).get((CAME, self.name), {})
        return next(
            (it for it in reversed(came.values()) if it is not NOTHING), NOTHING
        )

    def rest(self, parts: Parts) -> Any:
        """Return what goes on when all branches have ended and some did not come."""
        parts = whole(parts)
        if (CAME, self.name) not in parts:
            return NOTHING
        completed = self.completed(parts)
        return _as_event(self, completed) if self.of_events else self.body(completed)


def forget(parts: Parts, names: Slots) -> None:
    """Forget what an item of a stream left at these steps: the next one is another."""
    parts = whole(parts)
    counts = parts.get(COUNTS, {})
    for name in names:
        for what in (CAME, DONE, WAITS):
            parts.pop((what, name), None)
        counts.pop(name, None)
    parts.pop(EXPIRED, None)


def _as_event(merge: Any, parts: list[Any]) -> Any:
    """Return one event with the merged body of several."""
    event = next(part for part in parts if part is not None)
    bodies = [None if part is None else part.body for part in parts]
    event.body = (
        merge.body(bodies) if isinstance(merge, Joined) else merge.merge(bodies)
    )
    return event


def gathered(
    merge: Any, name: str, slots: Slots, expected: Slots, body: Any, parts: Parts
) -> Any:
    """Keep a branch's part; return the merged body once all parts are there.

    Args:
        merge: the step that merges, or what joins.
        name: its name.
        slots: the branches that this part is of; an error handler's may be several.
        expected: the branches to wait for, in order.
        body: the part.
        parts: what came before, of this event.
    """
    parts = whole(parts)
    if isinstance(merge, Joined):
        joined = merge.take(parts, slots, body)
        return NOTHING if joined is None else merge.body(joined)
    if _is_alone(merge, expected):
        return body
    bodies = _parts_of(merge, name, slots, expected, body, body, parts)
    return NOTHING if bodies is None else merge.merge(bodies)


def gathered_event(
    merge: Any, name: str, slots: Slots, expected: Slots, event: Any, parts: Parts
) -> Any:
    """As ``gathered``, for events; the first one goes on with the merged body."""
    parts = whole(parts)
    if isinstance(merge, Joined):
        joined = merge.take(parts, slots, event)
        return NOTHING if joined is None else _as_event(merge, joined)
    if _is_alone(merge, expected):
        return event
    part = event if merge.full_event or merge.waiting is None else event.body
    together = _parts_of(merge, name, slots, expected, event, part, parts)
    if together is None:
        return NOTHING
    if merge.full_event:
        return same_event(merge.merge(together), name)
    if merge.waiting is None:
        return _as_event(merge, together)
    event.body = merge.merge(together)
    return event


def _in_time(gather: Any) -> Any:
    """Return ``gather`` with a deadline: the first to arrive waits for the others."""

    async def gather_in_time(
        merge: Joined, name: str, slots: Slots, expected: Slots, it: Any, parts: Parts
    ) -> Any:
        import asyncio

        parts = whole(parts)
        is_first = (CAME, name) not in parts and (DONE, name) not in parts
        going_on = gather(merge, name, slots, expected, it, parts)
        waiting = parts.setdefault((WAITS, name), asyncio.Event())
        if going_on is not NOTHING:
            waiting.set()
            return going_on
        if not is_first:
            return NOTHING  # the branch that came first has the clock
        live = parts.get(LIVE)
        try:
            if live is not None:
                live.wait(name, waiting)
            async with asyncio.timeout(merge.timeout_s):
                await waiting.wait()
        except TimeoutError:
            parts[EXPIRED] = True
        finally:
            if live is not None:
                live.go_on(name)
        return merge.rest(parts)  # nothing, where all have come

    return gather_in_time


gathered_in_time = _in_time(gathered)
gathered_event_in_time = _in_time(gathered_event)


def _is_alone(merge: Any, expected: Slots) -> bool:
    """Tell whether a merge has nothing to wait for: what comes goes on as it is."""
    return bool((merge.expected or len(expected)) == 1)


def _parts_of(
    merge: Any,
    name: str,
    slots: Slots,
    expected: Slots,
    it: Any,
    part: Any,
    parts: Parts,
) -> list[Any] | None:
    """Keep a part with its key, or with its event; return all once they are there."""
    wanted = merge.expected or len(expected)
    if merge.waiting is not None:  # parts of different events with the same key
        key = merge.get_join_key(it if merge.full_event else part)
        own = [part, *[NOTHING] * (len(slots) - 1)]
        with_key: list[Any] | None = merge.waiting.add(key, own, wanted)
        return with_key
    came = _came(parts, name, slots, part)
    if len(came) < wanted:
        return None
    del parts[CAME, name]
    return _in_order(came, expected)


def _came(parts: Parts, name: str, slots: Slots, it: Any) -> dict[str, Any]:
    """Keep what came from some branches; return all that came there so far.

    An error handler's part may stand for several branches: it counts for each of them
    and goes on once.
    """
    came: dict[str, Any] = parts.setdefault((CAME, name), {})
    came |= dict.fromkeys(slots, NOTHING) | {slots[0]: it}
    return came


def _in_order(came: dict[str, Any], slots: Slots) -> list[Any]:
    """Return the parts in the order of their branches, those from elsewhere last."""
    ordered = {slot: came[slot] for slot in slots if slot in came} | came
    return [part for part in ordered.values() if part is not NOTHING]
