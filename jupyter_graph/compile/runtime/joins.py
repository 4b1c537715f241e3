"""Where branches of one event come together again."""

from __future__ import annotations

from typing import Any, Final

from jupyter_graph.compile.runtime.cycles import COUNTS, whole
from jupyter_graph.compile.runtime.event_paths import same_event
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
        """Keep what a branch brings; give the parts it may go on with, else None."""
        if (DONE, self.name) in parts:
            return None
        found = _came(parts, self.name, slots, it)
        if self.mode == "any" or (self.mode == "first" and self.after[0] in slots):
            return self._end(parts, [it])
        if len(found) < len(self.after):
            return None
        return self.all_there(parts)

    def all_there(self, parts: Parts) -> list[Any]:
        came = _in_order(parts[CAME, self.name], self.after)
        return self._end(parts, came if self.mode == "all" else came[:1])

    def _end(self, parts: Parts, found: list[Any]) -> list[Any]:
        parts.pop((CAME, self.name), None)
        parts[DONE, self.name] = True
        return found

    def body(self, parts: list[Any]) -> Any:
        """Return the body that goes on."""
        return parts if self.mode == "all" else parts[0]

    def completed(self, parts: Parts) -> list[Any]:
        """Return the parts, with what stands for those that did not come.

        Raises:
            RunError: one is missing and ``missing`` is ``error``.
        """
        found = parts[CAME, self.name]
        absent = [slot for slot in self.after if slot not in found]
        if self.mode == "all" and self.missing == "error":
            self._end(parts, [])
            raise RunError(
                f"step {self.name!r} joins {', '.join(self.after)}, but nothing came "
                f"from {', '.join(absent)}; say missing='drop' or 'null' to go on"
            )
        if self.mode == "all" and self.missing == "null":
            found |= dict.fromkeys(absent)
        return self.all_there(parts)

    def last(self, parts: Parts) -> Any:
        """Give what came last, where some branches have not come; else ``NOTHING``."""
        found = whole(parts).get((CAME, self.name), {})
        came = [part for part in found.values() if part is not NOTHING]
        return came[-1] if came else NOTHING

    def rest(self, parts: Parts) -> Any:
        """Return what goes on when all branches have ended and some did not come."""
        parts = whole(parts)
        if (CAME, self.name) not in parts:
            return NOTHING
        found = self.completed(parts)
        return _as_event(self, found) if self.of_events else self.body(found)


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
    """Keep a branch's part; give the merged body once all parts are there.

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
        found = merge.take(parts, slots, body)
        return NOTHING if found is None else merge.body(found)
    if _is_alone(merge, expected):
        return body
    found = _parts_of(merge, name, slots, expected, body, body, parts)
    return NOTHING if found is None else merge.merge(found)


def gathered_event(
    merge: Any, name: str, slots: Slots, expected: Slots, event: Any, parts: Parts
) -> Any:
    """As ``gathered``, for events; the first one goes on with the merged body."""
    parts = whole(parts)
    if isinstance(merge, Joined):
        found = merge.take(parts, slots, event)
        return NOTHING if found is None else _as_event(merge, found)
    if _is_alone(merge, expected):
        return event
    part = event if merge.full_event or merge.waiting is None else event.body
    found = _parts_of(merge, name, slots, expected, event, part, parts)
    if found is None:
        return NOTHING
    if merge.full_event:
        return same_event(merge.merge(found), name)
    if merge.waiting is None:
        return _as_event(merge, found)
    event.body = merge.merge(found)
    return event


async def gathered_in_time(
    merge: Joined, name: str, slots: Slots, expected: Slots, it: Any, parts: Parts
) -> Any:
    """As ``gathered``; the first to arrive waits so long for the others."""
    return await _in_time(gathered, merge, name, slots, expected, it, parts)


async def gathered_event_in_time(
    merge: Joined, name: str, slots: Slots, expected: Slots, it: Any, parts: Parts
) -> Any:
    """As ``gathered_in_time``, for events."""
    return await _in_time(gathered_event, merge, name, slots, expected, it, parts)


async def _in_time(
    gather: Any,
    merge: Joined,
    name: str,
    slots: Slots,
    expected: Slots,
    it: Any,
    parts: Parts,
) -> Any:
    import asyncio

    parts = whole(parts)
    is_first = (CAME, name) not in parts and (DONE, name) not in parts
    found = gather(merge, name, slots, expected, it, parts)
    waiting = parts.setdefault((WAITS, name), asyncio.Event())
    if found is not NOTHING:
        waiting.set()
        return found
    if not is_first:
        return NOTHING
    try:
        async with asyncio.timeout(merge.timeout_s):
            await waiting.wait()
        return NOTHING
    except TimeoutError:
        parts[EXPIRED] = True
        return merge.rest(parts)


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
    """Keep a part with its key, or with its event; give all once they are there."""
    wanted = merge.expected or len(expected)
    if merge.waiting is not None:
        asked = it if merge.full_event else part
        came = [part, *[NOTHING] * (len(slots) - 1)]
        found: list[Any] | None = merge.waiting.add(
            merge.get_join_key(asked), came, wanted
        )
        return found
    return _all_of(name, wanted, slots, expected, part, parts)


def _all_of(
    name: str, wanted: int, slots: Slots, expected: Slots, it: Any, parts: Parts
) -> list[Any] | None:
    found = _came(parts, name, slots, it)
    if len(found) < wanted:
        return None
    del parts[CAME, name]
    return _in_order(found, expected)


def _came(parts: Parts, name: str, slots: Slots, it: Any) -> dict[str, Any]:
    """Keep what came from some branches; give all that came there so far."""
    found: dict[str, Any] = parts.setdefault((CAME, name), {})
    found |= dict.fromkeys(slots, NOTHING) | {slots[0]: it}
    return found


def _in_order(found: dict[str, Any], slots: Slots) -> list[Any]:
    """Return the parts in the order of their branches, those from elsewhere last."""
    inside = {slot: found[slot] for slot in slots if slot in found} | found
    return [part for part in inside.values() if part is not NOTHING]
