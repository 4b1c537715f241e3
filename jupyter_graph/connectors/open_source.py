"""From a path, URL, frame or list to the source that reads it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from os import PathLike
from typing import Any

from jupyter_graph.argument_checks import all_known
from jupyter_graph.connectors.dataframes import DataFrameSource
from jupyter_graph.connectors.files.csv_source import CSVSource
from jupyter_graph.connectors.files.jsonlines import JSONLinesSource
from jupyter_graph.connectors.files.parquet_source import ParquetSource
from jupyter_graph.connectors.files.places import place_to_read
from jupyter_graph.connectors.http_source import FORMATS, HTTPSource
from jupyter_graph.connectors.source_base import ByRows, Source
from jupyter_graph.connectors.sql.sql_source import SQLSource
from jupyter_graph.errors import SpecError, did_you_mean, short
from jupyter_graph.http_client.urls import without_password
from jupyter_graph.values.dataframe_rows import is_frame

_SOURCES: dict[str, type[Any]] = {"csv": CSVSource, "parquet": ParquetSource}
BY_SUFFIX = {at: _SOURCES.get(of, JSONLinesSource) for at, of in FORMATS.items()}
"""Suffix of a file to the source that reads it."""
DATABASES = ("mariadb", "mssql", "mysql", "oracle", "postgres", "postgresql", "sqlite")


class RowsSource(ByRows):
    """The rows of a list or of any other iterable.

    Args:
        rows: the rows; a generator can be read only once.

    >>> list(RowsSource([{"a": 1}]))
    [{'a': 1}]
    """

    _place = "the rows"

    def __init__(self, rows: Iterable[Any]) -> None:
        self._rows = rows

    def __iter__(self) -> Iterator[Any]:
        return iter(self._rows)


def open_source(where: Any, **options: Any) -> Source:
    """Return the source that reads a path, a URL, a frame or an iterable of rows.

    ``.csv``, ``.tsv``, ``.parquet``, ``.pq``, ``.jsonl``, ``.ndjson`` and ``.json``
    files, also compressed (``rows.csv.gz``); folders of Parquet files; fsspec URLs of
    all these; ``http://`` and ``https://`` URLs; SQLAlchemy URLs with ``query=`` or
    ``table=``.

    Args:
        where: what to read; a source is given back as it is.
        options: the arguments of the source's class.

    Raises:
        SpecError: nothing reads it, an option is unknown, or there is no such file.

    >>> list(open_source([{"a": 1}, {"a": 2}]))
    [{'a': 1}, {'a': 2}]
    """
    if isinstance(where, str | PathLike):
        return _of_text(where, options)
    if is_frame(where):
        return _built(DataFrameSource, where, options)
    if isinstance(where, Source) and not options:
        return where
    if not isinstance(where, Iterable) or isinstance(where, Mapping | bytes):
        raise SpecError(
            "a source is a path, a URL, a frame or an iterable of rows, got "
            f"{short(where)}"
        )
    return _built(RowsSource, where, options)


def _of_text(where: str | PathLike[str], options: dict[str, Any]) -> Source:
    text = str(where)
    scheme = text.partition("://")[0] if "://" in text else ""
    if scheme in ("http", "https"):
        return _built(HTTPSource, text, options)
    if scheme.partition("+")[0] in DATABASES:
        return _built(SQLSource, text, options)
    place = place_to_read(where)
    if place.is_folder():
        return _built(ParquetSource, where, options)
    if (kind := BY_SUFFIX.get(place.kind)) is None:
        raise SpecError(
            f"{without_password(text)!r}: no source reads {place.kind or 'such'!r} "
            f"files{did_you_mean(place.kind, BY_SUFFIX)} "
            f"(known: {', '.join(sorted(BY_SUFFIX))})"
        )
    if place.kind == ".tsv":
        options = {"delimiter": "\t", **options}
    return _built(kind, where, options)


def _built(kind: type[Any], where: Any, options: dict[str, Any]) -> Source:
    import inspect

    known = [name for name in inspect.signature(kind).parameters if name != "where"]
    all_known(f"{kind.__name__} has no option", options, known)
    source: Source = kind(where, **options)
    return source
