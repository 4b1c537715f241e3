"""What generated code calls beside the steps themselves."""

from __future__ import annotations

import copy
import logging
from collections.abc import Callable, Mapping
from typing import Any

from jupyter_graph.compile.blame import caught, is_cancelled, is_interrupt
from jupyter_graph.compile.streams import (
    drain,
    drain_async,
    each,
    each_async,
    stream,
    stream_async,
)
from jupyter_graph.errors import RunError, said
from jupyter_graph.types import NOTHING

__all__ = [
    "NOTHING",
    "branches",
    "caught",
    "chosen",
    "drain",
    "drain_async",
    "each",
    "each_async",
    "gathered",
    "gathered_event",
    "get_path",
    "put_path",
    "same_event",
    "stream",
    "stream_async",
    "together",
]

logger = logging.getLogger("jupyter_graph")


# -- paths ----------------------------------------------------------------------


def get_path(body: Any, path: str) -> Any:
    """Give the part of a body at a dotted path, None where there is none.

    Source: MLRun's ``input_path``.

    >>> get_path({"a": {"b": 1}}, "a.b"), get_path({}, "a.b")
    (1, None)
    """
    if not isinstance(body, Mapping):
        raise TypeError(
            f"input_path {path!r} needs a body that is an object, "
            f"got {type(body).__name__}"
        )
    found: Any = body
    for key in path.split("."):
        if not isinstance(found, Mapping):
            return None
        found = found.get(key)
    return found


def put_path(body: Any, path: str, value: Any) -> Any:
    """Put a value into a body at a dotted path; give the body, a new one for None.

    Source: MLRun's ``result_path``.

    >>> put_path({"a": 1}, "b.c", 2)
    {'a': 1, 'b': {'c': 2}}
    """
    if body is None:
        body = {}
    if not isinstance(body, dict):
        raise TypeError(
            f"result_path {path!r} needs a body that is an object, "
            f"got {type(body).__name__}"
        )
    *parents, last = path.split(".")
    place = body
    for key in parents:
        inner = place.get(key)
        if not isinstance(inner, dict):
            inner = place[key] = {}
        place = inner
    place[last] = value
    return body


# -- branches -------------------------------------------------------------------


def deep_twin(it: Any) -> Any:
    """Give a deep copy; what cannot be copied is shared, with a note."""
    return _twin(copy.deepcopy, it)


def shallow_twin(it: Any) -> Any:
    return _twin(copy.copy, it)


def same_twin(it: Any) -> Any:
    return it


def _twin(by: Callable[[Any], Any], it: Any) -> Any:
    try:
        return by(it)
    except Exception as error:
        logger.warning(
            "a body cannot be copied for a branch and is shared: %s", said(error)
        )
        return it


TWINS: Mapping[str, Callable[[Any], Any]] = {
    "deep": deep_twin,
    "shallow": shallow_twin,
    "none": same_twin,
}


def twins_by(
    twin: Callable[[Any], Any], *, of_events: bool
) -> Callable[[Any, int], list[Any]]:
    """Give the function that makes one body (or event) for each of n branches."""

    def event_twin(event: Any) -> Any:
        found = copy.copy(event)  # each branch has its own, even where they share
        found.body = twin(event.body)
        return found

    def twins(it: Any, count: int) -> list[Any]:
        if count == 1:
            return [it]
        if of_events:
            _ = it.id  # made when first read: all branches shall have the same
            return [it, *(event_twin(it) for _ in range(count - 1))]
        return [it, *(twin(it) for _ in range(count - 1))]

    return twins


def branches(places: Any, its: list[Any], *more: Any) -> Any:
    """Run every branch, one after the other; the first answer is the answer.

    A failing branch does not stop its neighbours; the first failure is raised then.
    """
    answer: Any = NOTHING
    failed: BaseException | None = None
    for place, it in zip(places, its, strict=True):
        try:
            found = place(it, *more)
        except BaseException as error:
            if is_interrupt(error):
                raise
            failed = error if failed is None else failed
        else:
            answer = found if answer is NOTHING else answer
    if failed is not None:
        raise failed
    return answer


async def together(places: Any, its: list[Any], *more: Any) -> Any:
    """Run every branch at the same time; answer and failure as in ``branches``."""
    import asyncio

    if len(places) == 1:
        return await places[0](its[0], *more)

    async def safe(place: Any, it: Any) -> tuple[Any, BaseException | None]:
        try:
            return await place(it, *more), None
        except BaseException as error:
            if is_cancelled(error):
                raise
            return NOTHING, error

    pairs = zip(places, its, strict=True)
    tasks = [asyncio.ensure_future(safe(place, it)) for place, it in pairs]
    try:
        results = await asyncio.gather(*tasks)
    except BaseException:
        for task in tasks:
            task.cancel()
        raise
    for _, error in results:
        if error is not None:
            raise error
    return next((found for found, _ in results if found is not NOTHING), NOTHING)


def chosen(outlets: Any, table: Mapping[str, Any], name: str) -> list[Any]:
    """Give the places that ``select_outlets`` named; None and [] mean all."""
    if outlets is None:
        return list(table.values())
    names = [outlets] if isinstance(outlets, str) else list(outlets)
    if not names:
        return list(table.values())
    unknown = [name for name in names if name not in table]
    if unknown:
        raise RunError(
            f"Invalid outlet {unknown[0]!r} for {name!r}. "
            f"Allowed outlets are: {', '.join(sorted(table))}."
        )
    if len(set(names)) != len(names):
        raise RunError(f"step {name!r} names an outlet twice: {', '.join(names)}")
    return [table[name] for name in names]


Parts = dict[Any, dict[str, Any]]
Slots = tuple[str, ...]


def gathered(
    merge: Any, name: str, slots: Slots, expected: Slots, body: Any, parts: Parts
) -> Any:
    """Keep a branch's part; give the merged body once all parts are there.

    Args:
        merge: the step that merges.
        name: its name.
        slots: the branches that this part is of; an error handler's may be several.
        expected: the branches to wait for, in order.
        body: the part.
        parts: what came before, of this event.
    """
    found = _all_of((name, merge.key(body)), merge, slots, expected, body, parts)
    return NOTHING if found is None else merge.merge(found)


def gathered_event(
    merge: Any, name: str, slots: Slots, expected: Slots, event: Any, parts: Parts
) -> Any:
    """As ``gathered``, for events; the first one goes on with the merged body."""
    key = (name, merge.key(event.body))
    found = _all_of(key, merge, slots, expected, event, parts)
    if found is None:
        return NOTHING
    found[0].body = merge.merge([part.body for part in found])
    return found[0]


def _all_of(
    key: Any, merge: Any, slots: Slots, expected: Slots, it: Any, parts: Parts
) -> list[Any] | None:
    found = parts.setdefault(key, {})
    found |= dict.fromkeys(slots, NOTHING) | {slots[0]: it}
    if len(found) < (merge.expected or len(expected)):
        return None
    del parts[key]
    inside = [found[slot] for slot in expected if slot in found]
    return [part for part in inside if part is not NOTHING]


# -- events ---------------------------------------------------------------------


def same_event(given: Any, name: str) -> Any:
    """Give back what a full-event step gave, which must be an event."""
    if hasattr(given, "body"):
        return given
    raise TypeError(
        f"step {name!r} takes the full event and must give an event back, "
        f"got {type(given).__name__!r} object that has no attribute 'body'"
    )
