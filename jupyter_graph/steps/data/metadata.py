"""The step that takes an event's id and key from its body.

Source: MLRun's step of this name,
https://docs.mlrun.org/en/stable/feature-store/transformations.html
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from jupyter_graph.argument_checks import require


class SetEventMetadata:
    """Set an event's id and key from its body.

    Body in, body out: an object, unchanged. What is found becomes text; where there is
    nothing, the id or key is the text ``"None"``, as in MLRun.

    Args:
        id_path: dotted path of the id in the body, ``"user.id"``.
        key_path: dotted path of the key.
        random_id: give the event a random id of 32 hex digits; ``id_path`` then means
            nothing.

    Raises:
        SpecError: a path is no text.

    >>> from types import SimpleNamespace
    >>> event = SimpleNamespace(body={"my": {"id": 7}}, id="", key=None)
    >>> SetEventMetadata(id_path="my.id").do_event(event).id
    '7'
    """

    def __init__(
        self,
        id_path: str | None = None,
        key_path: str | None = None,
        random_id: bool | None = None,
    ) -> None:
        self.id_path = _keys(id_path, "id_path")
        self.key_path = _keys(key_path, "key_path")
        self.random_id = bool(random_id)

    def do_event(self, event: Any) -> Any:
        if self.key_path:
            event.key = str(_at(event.body, self.key_path))
        if self.random_id:
            event.id = uuid.uuid4().hex
        elif self.id_path:
            event.id = str(_at(event.body, self.id_path))
        return event


def _keys(path: Any, what: str) -> tuple[str, ...]:
    if path is None or path == "":
        return ()
    rule = f"SetEventMetadata: {what} must be a dotted path such as 'user.id'"
    require(isinstance(path, str), rule, path)
    return tuple(path.split("."))


def _at(body: Any, keys: tuple[str, ...]) -> Any:
    for key in keys:
        if isinstance(body, Mapping):
            body = body.get(key)
        else:  # an object of a class; never Python's own attributes
            body = None if key.startswith("_") else getattr(body, key, None)
    return body
