"""Parts of a body at dotted paths, and what steps that take events return."""

from __future__ import annotations

from typing import Any

from jupyter_graph.values.dotted_path import get_path, get_path_sync, put_path

__all__ = ["event_or_answer", "get_path", "get_path_sync", "put_path", "same_event"]

# -- paths ----------------------------------------------------------------------


def get_path(body: Any, path: str) -> Any:
    """Return the part of a body at a dotted path, None where there is none.

    Source: MLRun's ``input_path``.

    Raises:
        TypeError: the body, or what the path leads through, is a number or the like,
            which has no parts.

    >>> get_path({"a": {"b": 1}}, "a.b"), get_path({}, "a.b"), get_path([1], "a")
    (1, None, None)
    """
    if not hasattr(body, "__getitem__"):
        raise TypeError(_only_objects("input_path", path, body))
    part: Any = body
    for key in path.split("."):
        if isinstance(part, Mapping):
            part = part.get(key)
        elif part is None or hasattr(part, "__contains__"):
            return None
        else:
            kind = type(part).__name__
            raise TypeError(
                f"input_path {path!r} leads through {part!r}: "
                f"argument of type {kind!r} is not iterable"
            )
    return part


def get_path_sync(body: Any, path: str) -> Any:
    """As ``get_path``, but nothing is found in a number, as in MLRun's sync engine.

    >>> get_path_sync({"a": 5}, "a.b")
    """
    if not hasattr(body, "__getitem__"):
        raise TypeError(_only_objects("input_path", path, body))
    part: Any = body
    for key in path.split("."):
        if not isinstance(part, Mapping):
            return None
        part = part.get(key)
    return part


def put_path(body: Any, path: str, value: Any) -> Any:
    """Put a value into a body at a dotted path; return the body, a new one for None.

    Source: MLRun's ``result_path``.

    Raises:
        TypeError: the body, or what the path leads through, is no object.

    >>> put_path({"a": 1}, "b.c", 2)
    {'a': 1, 'b': {'c': 2}}
    """
    if body is None:
        body = {}
    if not isinstance(body, dict):
        raise TypeError(_only_objects("result_path", path, body))
    *parents, last = path.split(".")
    place = body
    for key in parents:
        inner = place.get(key)
        if inner is None:
            inner = place[key] = {}
        elif not isinstance(inner, dict):
            raise TypeError(
                f"result_path {path!r}: argument of type {type(inner).__name__!r} at "
                f"{key!r} is no object and does not support item assignment"
            )
        place = inner
    place[last] = value
    return body


NO_ITEMS: dict[type, str] = {
    list: "list indices must be integers or slices, not str",
    str: "'str' object does not support item assignment",
}
"""Python's own message where a body that is no object gets a key."""


def _only_objects(parameter: str, path: str, body: Any) -> str:
    what = f"{parameter} {path!r}: the parameter supports only dict-like event bodies"
    reason = NO_ITEMS.get(type(body), f"got {type(body).__name__}")
    return f"{what}; {reason}"


# -- events ---------------------------------------------------------------------


def same_event(given: Any, name: str) -> Any:
    """Return what a full-event step gave; raise a TypeError where it is no event."""
    if hasattr(given, "body"):
        return given
    raise TypeError(
        f"step {name!r} takes the full event and must give an event back, "
        f"got {type(given).__name__!r} object that has no attribute 'body'"
    )


def event_or_answer(given: Any, event: Any) -> Any:
    """Return the event that the last step of MLRun's sync engine gave.

    It may give the answer itself there, which becomes the event's body.
    """
    if hasattr(given, "body"):
        return given
    event.body = given
    return event
