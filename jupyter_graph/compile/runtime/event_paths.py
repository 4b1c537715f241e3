"""What steps that take events return, and the parts of a body at dotted paths."""

from __future__ import annotations

from typing import Any

from jupyter_graph.values.dotted_path import get_path, get_path_sync, put_path

__all__ = ["event_or_answer", "get_path", "get_path_sync", "put_path", "same_event"]


def same_event(given: Any, name: str, event: Any = None) -> Any:
    """Return the event that a full-event step gave.

    A ``Response`` becomes the body of its event, as that of a step which takes bodies.

    Args:
        given: what it gave.
        name: its name.
        event: the event it took, where that is known.

    Raises:
        TypeError: it gave neither.
    """
    if given is event and event is not None:
        return event
    if hasattr(given, "body"):
        return with_response(given, event) if is_response(given) else given
    raise TypeError(
        f"step {name!r} takes the full event and must give an event back, "
        f"got {type(given).__name__!r} object that has no attribute 'body'"
    )


def event_or_answer(given: Any, event: Any) -> Any:
    """Return the event that the last step of MLRun's sync engine gave.

    It may give the answer itself there, which becomes the event's body.
    """
    if hasattr(given, "body") and not is_response(given):
        return given
    event.body = given
    return event


def is_response(given: Any) -> bool:
    """Tell whether a step answers with a status of its own."""
    return hasattr(given, "status_code") and not hasattr(given, "path")


def with_response(response: Any, event: Any) -> Any:
    """Return the event with a response as its body; without an event, the response."""
    if event is None:
        return response
    event.body = response
    return event
