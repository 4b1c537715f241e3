"""What generated code calls beside the steps themselves."""

from __future__ import annotations

import copy
import logging
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from types import TracebackType
from typing import Any, Final

from jupyter_graph.errors import RunError

logger = logging.getLogger("jupyter_graph")

TAG = "__jupyter_graph_step__"


class Nothing:
    """The answer of a part of the graph in which nobody answers."""

    def __repr__(self) -> str:
        return "NOTHING"

    def __bool__(self) -> bool:
        return False


NOTHING: Final = Nothing()


class DeadlineInterrupt(BaseException):
    """Thrown into a step whose time is up; the runner makes a DeadlineError of it."""


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
    try:
        return copy.deepcopy(it)
    except Exception as error:
        logger.warning(
            "a body cannot be copied for a branch and is shared: %s: %s",
            type(error).__name__,
            error,
        )
        return it


def shallow_twin(it: Any) -> Any:
    return copy.copy(it)


def same_twin(it: Any) -> Any:
    return it


TWINS: Mapping[str, Callable[[Any], Any]] = {
    "deep": deep_twin,
    "shallow": shallow_twin,
    "none": same_twin,
}


def twins_by(twin: Callable[[Any], Any]) -> Callable[[Any, int], list[Any]]:
    """Give the function that makes one body (or event) for each of n branches."""

    def twins(it: Any, count: int) -> list[Any]:
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
            failed = failed or error
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


def gathered(
    merge: Any,
    name: str,
    source: str,
    expected: list[str],
    it: Any,
    parts: dict[Any, dict[str, Any]],
) -> Any:
    """Keep a branch's part; give the merged body once all parts are there."""
    is_event = hasattr(it, "path") and hasattr(it, "body")
    key = merge.key(it.body if is_event else it)
    found = parts.setdefault((name, key), {})
    found[source] = it
    if len(found) < (merge.expected or len(expected)):
        return NOTHING
    del parts[name, key]
    ordered = [found[slot] for slot in expected if slot in found]
    if not is_event:
        return merge.merge(ordered)
    ordered[0].body = merge.merge([part.body for part in ordered])
    return ordered[0]


# -- events ---------------------------------------------------------------------


def same_event(given: Any, name: str) -> Any:
    """Give back what a full-event step gave, which must be an event."""
    if hasattr(given, "body"):
        return given
    raise TypeError(
        f"step {name!r} takes the full event and must give an event back, "
        f"got {type(given).__name__!r} object that has no attribute 'body'"
    )


# -- errors ---------------------------------------------------------------------


def caught(error: BaseException, handlers: tuple[str, ...] | list[str] = ()) -> None:
    """Raise again what no error handler may take.

    That is the user's stop, a time limit, a cancelled caller, and the failure of an
    error handler itself.
    """
    if is_interrupt(error):
        raise error
    if handlers and said_by(error) in handlers:
        raise error


def is_interrupt(error: BaseException) -> bool:
    """Tell whether an exception stops the event rather than fails its step."""
    if isinstance(error, DeadlineInterrupt) or is_cancelled(error):
        return True
    return isinstance(error, KeyboardInterrupt) and not _was_raised(error)


def is_cancelled(error: BaseException) -> bool:
    """Tell whether somebody cancelled the task this event runs in."""
    asyncio = sys.modules.get("asyncio")
    if asyncio is None or not isinstance(error, asyncio.CancelledError):
        return False
    try:
        task = asyncio.current_task()
    except RuntimeError:
        return False
    return task is not None and task.cancelling() > 0


def _was_raised(error: BaseException) -> bool:
    """Tell whether code raised it; a signal's exception comes from no instruction."""
    import dis

    frame = error.__traceback__
    if frame is None:
        return True
    while frame.tb_next is not None:
        frame = frame.tb_next
    code = frame.tb_frame.f_code.co_code
    at = frame.tb_lasti
    return 0 <= at < len(code) and dis.opname[code[at]] in ("RAISE_VARARGS", "RERAISE")


def tag(error: BaseException, name: str) -> None:
    """Note the step that failed, where its line cannot be read from the traceback."""
    if not hasattr(error, TAG):
        try:
            setattr(error, TAG, name)
        except AttributeError:
            error.add_note(f"in step {name!r}")


LINES: dict[str, Mapping[int, str]] = {}
"""File name of a generated module to its lines and their steps."""


def said_by(error: BaseException) -> str:
    """Give the name of the step that failed, "" when no step did."""
    tagged = getattr(error, TAG, None)
    if tagged:
        return str(tagged)
    if found := step_at(error.__traceback__):
        return found
    storey_step = getattr(error, "_raised_by_storey_step", None)  # storey's own mark
    return str(getattr(storey_step, "name", ""))


def step_at(traceback: TracebackType | None) -> str:
    """Give the innermost step that a traceback passes through."""
    found = ""
    while traceback is not None:
        lines = LINES.get(traceback.tb_frame.f_code.co_filename)
        if lines is not None:
            found = lines.get(traceback.tb_lineno, found)
        traceback = traceback.tb_next
    return found


# -- streams --------------------------------------------------------------------


def stream(items: Any, name: str) -> Iterator[Any]:
    """Pass a step's items through; a failure in their midst is that step's."""
    try:
        yield from items
    except BaseException as error:
        tag(error, name)
        raise


async def stream_async(items: Any, name: str) -> AsyncIterator[Any]:
    """As ``stream``, for generators and asynchronous generators."""
    try:
        if hasattr(items, "__aiter__"):
            async for item in items:
                yield item
        else:
            for item in items:
                yield item
    except BaseException as error:
        tag(error, name)
        raise


def each(items: Any, place: Any, keeps: bool, event: Any, *more: Any) -> Iterator[Any]:
    """Send each item of a stream on; give what comes out at the end."""
    for item in items:
        found = place(_item(event, item), *more)
        if keeps:
            yield item
        elif found is not NOTHING:
            yield found


async def each_async(
    items: Any, place: Any, keeps: bool, event: Any, *more: Any
) -> AsyncIterator[Any]:
    """As ``each``, for asynchronous graphs."""
    async for item in items:
        found = await place(_item(event, item), *more)
        if keeps:
            yield item
        elif found is not NOTHING:
            yield found


def _item(event: Any, item: Any) -> Any:
    if event is None:
        return item
    twin = copy.copy(event)
    twin.body = item
    return twin


def drain(items: Iterator[Any]) -> Nothing:
    """Run a stream to its end for its effects alone."""
    for _ in items:
        pass
    return NOTHING


async def drain_async(items: AsyncIterator[Any]) -> Nothing:
    """As ``drain``, for asynchronous graphs."""
    async for _ in items:
        pass
    return NOTHING
