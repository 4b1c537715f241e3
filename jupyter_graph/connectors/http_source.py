"""Rows that are read from a URL, as they arrive."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import urlsplit

from jupyter_graph.argument_checks import one_of
from jupyter_graph.connectors.files.compression import unpacked
from jupyter_graph.connectors.files.csv_source import CSVSource
from jupyter_graph.connectors.files.jsonlines import JSONLinesSource
from jupyter_graph.connectors.files.parquet_files import SUFFIXES
from jupyter_graph.connectors.files.parquet_source import ParquetSource
from jupyter_graph.connectors.files.places import Place
from jupyter_graph.connectors.http_arguments import (
    checked_headers,
    checked_url,
    http_client,
)
from jupyter_graph.connectors.source_base import BATCH, check_batches
from jupyter_graph.http_client.client import HttpRequest
from jupyter_graph.http_client.urls import without_password

FORMATS = {
    **dict.fromkeys((".csv", ".tsv"), "csv"),
    **dict.fromkeys((".jsonl", ".ndjson"), "jsonlines"),
    **dict.fromkeys(SUFFIXES, "parquet"),
    ".json": "json",
}
"""Suffix of a file to what is in it."""
_LINES = ("jsonl", "jsonlines", "x-jsonlines", "x-ndjson")
_CONTENT_TYPES = {
    **dict.fromkeys(("application/csv", "text/csv"), "csv"),
    **{f"application/{lines}": "jsonlines" for lines in _LINES},
    "application/json": "json",
    "application/vnd.apache.parquet": "parquet",
}


class HTTPSource:
    """The rows behind an HTTP URL: JSON lines, CSV, Parquet or a JSON list.

    JSON lines and CSV are read as they arrive, with flat memory; Parquet goes to a
    temporary file first; a JSON list is read as a whole.

    Args:
        where: an ``http://`` or ``https://`` URL.
        format: ``csv``, ``jsonlines``, ``parquet`` or ``json``; by default the URL's
            suffix says so, else the content type of the answer.
        headers: sent with the request, not to another host that it redirects to.
        timeout_s: seconds to connect, and to wait for the next bytes.
        retries: further attempts, while no row has been read.
        backoff_s: seconds before the first of them; each next waits twice as long,
            longer where ``Retry-After`` says so, 30 at most.
        columns, types, delimiter: as in ``CSVSource``.

    Raises:
        SpecError: an argument has a wrong value.
        AccessDeniedError: (while reading) the host, or one it redirects to, has a
            link-local, metadata or reserved address.
        OSError: (while reading) the server refuses, is away or stops in the midst.
        ValueError: (while reading) what comes is not in the format.

    >>> str(HTTPSource("https://example.org/rows.csv"))
    'https://example.org/rows.csv'
    """

    def __init__(
        self,
        where: str,
        *,
        format: str | None = None,
        headers: Mapping[str, str] | None = None,
        timeout_s: float = 30.0,
        retries: int = 3,
        backoff_s: float = 0.5,
        columns: Sequence[str] | None = None,
        types: Mapping[str, str] | None = None,
        delimiter: str | None = None,
    ) -> None:
        self._url = checked_url(where)
        if format is not None:
            one_of("format", format, sorted(set(FORMATS.values())))
        place = Place(urlsplit(where)._replace(query="", fragment="").geturl())
        self._packing = place.packing
        self._format = format or FORMATS.get(place.kind)
        if delimiter is None:
            delimiter = "\t" if place.kind == ".tsv" else ","
        self._csv = partial(
            CSVSource, columns=columns, types=types, delimiter=delimiter
        )
        if self._format in (None, "csv"):
            self._csv(_Opened(io.BytesIO(), where))
        self._columns = columns
        self._request = HttpRequest("GET", self._url, checked_headers(headers))
        self._limits = (timeout_s, retries, backoff_s)
        http_client(*self._limits)

    def __str__(self) -> str:
        return without_password(self._url)

    def __iter__(self) -> Iterator[Any]:
        with self._opened() as source:
            yield from source

    def batches(self, size: int = BATCH, *, kind: str = "arrow") -> Iterator[Any]:
        """Return the rows in frames of ``size`` rows, the last one may be shorter."""
        check_batches(size, kind)
        return self._batches(size, kind)

    def _batches(self, size: int, kind: str) -> Iterator[Any]:
        with self._opened() as source:
            yield from source.batches(size, kind=kind)

    @contextmanager
    def _opened(self) -> Iterator[Any]:
        import requests
        import urllib3

        try:
            with closing(http_client(*self._limits)) as client:
                response = client.open(self._request, stream=True)
                with response, self._reading(response) as source:
                    yield source
        except (urllib3.exceptions.HTTPError, requests.RequestException) as error:
            raise OSError(
                f"{self} stopped in the midst of its rows: {error}"
            ) from error

    @contextmanager
    def _reading(self, response: Any) -> Iterator[Any]:
        raw = response.raw
        # urllib3 unpacks Content-Encoding; it would close itself at the last byte,
        # which a BufferedReader takes for an error
        raw.decode_content, raw.auto_close = True, False
        file: Any = io.BufferedReader(raw, 1 << 20)
        # rows.csv.gz sent with Content-Encoding: gzip is packed once, not twice
        is_decoded = "Content-Encoding" in response.headers
        with unpacked(file, "" if is_decoded else self._packing) as plain:
            opened = _Opened(plain, str(self))
            match self._format or self._format_of(response):
                case "csv":
                    yield self._csv(opened)
                case "parquet":
                    with _saved(plain) as place:
                        yield ParquetSource(place, columns=self._columns)
                case format:
                    yield JSONLinesSource(opened, is_list=format == "json")

    def _format_of(self, response: Any) -> str:
        content_type = response.headers.get("Content-Type", "")
        format = _CONTENT_TYPES.get(content_type.partition(";")[0].strip().lower())
        if format is None:
            raise ValueError(
                f"{self} is of type {content_type!r}, which says no format; name it: "
                "format='csv', 'jsonlines', 'parquet' or 'json'"
            )
        return format


class _Opened:
    """An open file as something that can be opened once."""

    def __init__(self, file: BinaryIO, text: str) -> None:
        self._file = file
        self._text = text

    def __str__(self) -> str:
        return self._text

    def reading(self) -> Any:
        return nullcontext(self._file)


@contextmanager
def _saved(file: BinaryIO) -> Iterator[Place]:
    import shutil

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.parquet"
        with path.open("wb") as copy:
            shutil.copyfileobj(file, copy, 1 << 20)
        yield Place(path.as_uri(), path)
