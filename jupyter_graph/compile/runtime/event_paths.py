"""What steps that take events return, and the parts of a body at dotted paths."""

from __future__ import annotations

from typing import Any

from jupyter_graph.values.dotted_path import get_path, get_path_sync, put_path

__all__ = ["event_or_answer", "get_path", "get_path_sync", "put_path", "same_event"]


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
