"""The step that waits for all branches of an event."""

from __future__ import annotations

from typing import Any

from jupyter_graph.errors import SpecError


class Merge:
    """Wait for every upstream branch of an event and give their bodies as a list.

    Body in: anything, once from each step in ``after``. Body out: a list of the
    bodies, in the order of ``after``.

    Args:
        key_path: ``event['k']`` or ``event["a"]["b"]``: only parts that agree on this
            part of the body are merged; by default all parts of one event are.
        full_event: kept for MLRun's documents; only False is taken.
        max_behind: kept for MLRun's documents; no part ever waits behind another
            event's here.
        expected_num_events: how many parts to wait for, by default all of ``after``.
            Where that is one, what comes goes on as it is, not as a list.

    Raises:
        SpecError: an argument has a value that is not available.

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
    ) -> None:
        if full_event:
            raise SpecError("Merge gives bodies, full_event=True is not available")
        if max_behind is not None and max_behind < 1:
            raise SpecError(f"max_behind must be 1 or more, got {max_behind!r}")
        if expected_num_events is not None and expected_num_events < 1:
            raise SpecError(
                f"expected_num_events must be 1 or more, got {expected_num_events!r}"
            )
        self.expected = expected_num_events
        self._keys = _keys_of(key_path) if key_path else None

    def key(self, body: Any) -> Any:
        """Give what parts must agree on to be merged, None for the event itself."""
        if self._keys is None:
            return None
        found = body
        for key in self._keys:
            found = found[key]
        return found

    def merge(self, bodies: list[Any]) -> Any:
        """Give the merged body; a subclass may override it."""
        return bodies


def _keys_of(path: str) -> tuple[Any, ...]:
    import ast

    try:
        node: ast.expr = ast.parse(path, mode="eval").body
    except SyntaxError:
        node = ast.Name("")
    keys: list[Any] = []
    while isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
        keys.insert(0, node.slice.value)
        node = node.value
    if not (isinstance(node, ast.Name) and node.id == "event" and keys):
        raise SpecError(f"key_path must look like event['field'], got {path!r}")
    return tuple(keys)
