"""JSON lines: one JSON value a line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, BinaryIO

from jupyter_graph.connectors.files.line_target import LinesTarget
from jupyter_graph.connectors.files.places import Where, place_to_read
from jupyter_graph.connectors.rows import json_texts
from jupyter_graph.connectors.source_base import ByRows, Readable
from jupyter_graph.errors import short
from jupyter_graph.types import Body


class JSONLinesTarget(LinesTarget):
    r"""Store each body as a line of JSON.

    Body in: anything that JSON can hold; a list is a batch of bodies, a frame a batch
    of rows. Body out: the same. Datetimes become ISO 8601, NaN null, bytes base64.

    The file is written beside its place (``.NAME.….part``) and replaces the old one,
    in one move, when the runner closes; with ``append`` whole lines stand in it after
    each flush.

    Args:
        path: a path or fsspec URL; ``.gz``, ``.bz2``, ``.xz``, ``.zst`` compress,
            ``{worker}`` becomes the worker's number.
        append: keep what the file holds, and add to it.
        max_events: bodies to keep in memory at most.
        flush_every_s: seconds until kept bodies are written.

    Raises:
        SpecError: an argument has a wrong value, or the path is a folder.
        UnprocessableError: (from ``do``) a value has no form in JSON.
        OSError: (from ``do`` and ``flush``) the file cannot be written.

    State: lines not yet written are in memory, a restart loses them and leaves the
        ``.part`` file behind. A swap to other arguments begins the file anew. Several
        workers need ``{worker}`` in the path or ``append``. Late events come last.

    Source: https://jsonlines.org

    >>> import tempfile, pathlib
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "out.jsonl"
    >>> target = JSONLinesTarget(path)
    >>> target.do([{"a": 1}, {"a": None}])
    [{'a': 1}, {'a': None}]
    >>> target.close(); path.read_text()
    '{"a": 1}\n{"a": null}\n'
    """

    def _take(self, body: Body) -> list[bytes]:
        return [line.encode() for line in json_texts(body, self._where, "\n")]


class JSONLinesSource(ByRows):
    r"""The values of a JSON lines file, one by one, with flat memory.

    A ``.json`` file that begins with ``[`` is read as one list, all of it in memory.

    Args:
        where: a path or fsspec URL; ``.gz``, ``.bz2``, ``.xz``, ``.zst`` and ``.zip``
            are unpacked.
        is_list: the file is one JSON list; by default its suffix and start say so.

    Raises:
        SpecError: there is no such file.
        ValueError: (while reading) a line is no JSON; the text names the line.

    Source: https://jsonlines.org

    >>> import tempfile, pathlib
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "in.jsonl"
    >>> _ = path.write_text('{"a": 1}\n\n[2]\n')
    >>> list(JSONLinesSource(path))
    [{'a': 1}, [2]]
    """

    def __init__(self, where: Where | Readable, *, is_list: bool | None = None) -> None:
        self._place = where if isinstance(where, Readable) else place_to_read(where)
        self._is_list = is_list
        self._may_be_list = getattr(self._place, "kind", "") == ".json"

    def __iter__(self) -> Iterator[Any]:
        with self._place.reading() as file:
            yield from self._values(file)

    def _values(self, file: BinaryIO) -> Iterator[Any]:
        sniff = self._is_list is None and self._may_be_list
        for number, line in enumerate(file, start=1):
            if not (text := line.strip()):
                continue
            if self._is_list or (sniff and text.startswith(b"[")):
                yield from self._list(line + file.read())
                return
            sniff = False
            try:
                value = json.loads(text)
            except ValueError as error:
                raise ValueError(
                    f"{self}, line {number} is no JSON: {error}, in "
                    f"{short(text.decode(errors='replace'))}"
                ) from error
            yield value

    def _list(self, data: bytes) -> list[Any]:
        try:
            values = json.loads(data)
        except ValueError as error:
            raise ValueError(f"{self} is no JSON list: {error}") from error
        if not isinstance(values, list):
            raise TypeError(f"{self} must hold a JSON list, got {short(values)}")
        return values
