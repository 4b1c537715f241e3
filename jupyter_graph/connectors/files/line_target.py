"""Targets that write rows as lines of text."""

from __future__ import annotations

from typing import Any

from jupyter_graph.argument_checks import require
from jupyter_graph.connectors.buffered_target import Buffered
from jupyter_graph.connectors.files.atomic_files import sink_for
from jupyter_graph.connectors.files.places import Where, place_to_write
from jupyter_graph.errors import SpecError


class LinesTarget(Buffered):
    """What CSVTarget and JSONLinesTarget share: a file that grows by whole lines."""

    def __init__(
        self,
        path: Where,
        *,
        append: bool = False,
        max_events: int = 1000,
        flush_every_s: float | None = 3.0,
        name: str = "",
        context: Any = None,
    ) -> None:
        place = place_to_write(path, context)
        require(isinstance(append, bool), "append must be True or False", append)
        if place.path is not None and place.path.is_dir():
            raise SpecError(f"{place} is a folder, {type(self).__name__} needs a file")
        super().__init__(place, name, context, max_events, flush_every_s)
        self._place = place
        self._sink = sink_for(place, append=append)

    def _write(self, items: list[Any]) -> None:
        # Lines are bytes already: what cannot be encoded failed its own event.
        self._sink.write(self._head().encode() + b"".join(items))

    def _head(self) -> str:
        """Return what stands above the rows when the file is new."""
        return ""

    def _settle(self, *, end: bool) -> None:
        if end:
            self._sink.commit()
