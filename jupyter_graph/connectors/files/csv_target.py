"""CSV files: rows of text with a line of names above them."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from jupyter_graph.argument_checks import require
from jupyter_graph.connectors.files.line_target import LinesTarget
from jupyter_graph.connectors.files.places import Where
from jupyter_graph.connectors.rows import (
    Row,
    bare,
    checked_columns,
    checked_text,
    json_text,
    not_a_text,
    rows_of,
)
from jupyter_graph.errors import UnprocessableError
from jupyter_graph.types import Body
from jupyter_graph.values.json_form import to_jsonable
from jupyter_graph.values.json_rules import TARGET
from jupyter_graph.values.whole_texts import is_whole

_AS_IT_IS = frozenset({str, int, bool})


class CSVTarget(LinesTarget):
    """Store each row as a line of a CSV file.

    Body in: a dict, a list of dicts, a frame, or with ``columns`` one row's values as
    a list. Body out: the same.

    None and NaN become empty, datetimes ISO 8601, dicts and lists JSON. The file is
    written beside its place (``.NAME.….part``) and replaces the old one, in one move,
    when the runner closes; with ``append`` whole lines stand in it after each flush.

    Args:
        path: a path or fsspec URL; ``.gz``, ``.bz2``, ``.xz``, ``.zst`` compress,
            ``{worker}`` becomes the worker's number.
        columns: what to store, in this order; other keys are left out. By default the
            keys of the first row (or the header of a file to append to), and a row
            with another key is refused.
        header: write the names above the rows.
        append: keep what the file holds, and add to it.
        delimiter: one character between the values.
        max_events: rows to keep in memory at most.
        flush_every_s: seconds until kept rows are written.

    Raises:
        SpecError: an argument has a wrong value, or the path is a folder.
        BadRequestError: (from ``do``) the body is no row.
        UnprocessableError: (from ``do``) a row has a key that is no column.
        OSError: (from ``do`` and ``flush``) the file cannot be written.

    State: rows not yet written are in memory, a restart loses them and leaves the
        ``.part`` file behind. A swap to other arguments begins the file anew. Several
        workers need ``{worker}`` in the path or ``append``. Late events come last.

    Source: https://www.rfc-editor.org/rfc/rfc4180

    >>> import tempfile, pathlib
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "out.csv"
    >>> target = CSVTarget(path)
    >>> target.do({"user": "ada", "amount": 5})
    {'user': 'ada', 'amount': 5}
    >>> target.close(); path.read_text().split()
    ['user,amount', 'ada,5']
    """

    def __init__(
        self,
        path: Where,
        columns: Sequence[str] | None = None,
        header: bool = True,
        *,
        append: bool = False,
        delimiter: str = ",",
        max_events: int = 1000,
        flush_every_s: float | None = 3.0,
        name: str = "",
        context: Any = None,
    ) -> None:
        self._chosen = checked_columns(columns)
        require(isinstance(header, bool), "header must be True or False", header)
        self._header = header
        self._delimiter = checked_delimiter(delimiter)
        super().__init__(
            path,
            append=append,
            max_events=max_events,
            flush_every_s=flush_every_s,
            name=name,
            context=context,
        )
        self._columns: list[str] = []  # of the first row, when it has come
        self._known: frozenset[str] = frozenset()

    def _take(self, body: Body) -> list[bytes]:
        before = self._columns, self._known
        try:
            rows = list(self._rows(body))
            lines = self._lines(map(cell, self._values(row)) for row in rows)
            return [self._encoded(*pair) for pair in zip(lines, rows, strict=True)]
        except BaseException:
            # A body that is refused says nothing about the columns of others.
            self._columns, self._known = before
            raise

    def _encoded(self, line: str, row: Row) -> bytes:
        try:
            return line.encode()
        except UnicodeEncodeError:
            names = (name for name in self._columns if not is_whole(f"{row.get(name)}"))
            where = f"column {next(names, self._columns[0])!r} of {self._where}"
            raise not_a_text(where) from None

    def _lines(self, rows: Iterable[Iterable[Any]]) -> Iterator[str]:
        text = io.StringIO()
        write = csv.writer(text, delimiter=self._delimiter, lineterminator="\n")
        for row in rows:
            write.writerow(row)
            yield text.getvalue()
            text.seek(0)
            text.truncate()

    def _rows(self, body: Body) -> Iterable[Row]:
        is_list = isinstance(body, list | tuple) and len(body) > 0
        if not is_list or self._chosen is None or isinstance(body[0], Mapping):
            return rows_of(body, self._where)
        is_many = all(isinstance(values, list | tuple) for values in body)
        lists, names = (body if is_many else [body]), self._chosen
        for values in lists:
            if len(values) != len(names):
                raise UnprocessableError(
                    f"a row of {self._where} has {len(names)} values, got {len(values)}"
                )
        return [dict(zip(names, values, strict=True)) for values in lists]

    def _values(self, row: Row) -> list[Any]:
        if not self._columns:
            self._fix_columns(row)
        if self._chosen is None and not self._known.issuperset(row):
            extra = sorted(map(str, row.keys() - self._known))
            raise UnprocessableError(
                f"{self._where} has the columns {self._columns}, and none for "
                f"{extra[0]!r}; name all of them in columns="
            )
        return [row.get(name) for name in self._columns]

    def _fix_columns(self, row: Row) -> None:
        """Fix the columns, with the first row."""
        there = self._names_there()
        columns = self._chosen or there or list(row)
        if not columns:
            raise UnprocessableError(f"the first row of {self._where} has no columns")
        for name in columns:
            checked_text(name, f"the name of a column of {self._where}")
        if there and there != columns:
            raise UnprocessableError(
                f"{self._where} has the columns {there}, not {columns}"
            )
        self._columns, self._known = columns, frozenset(columns)

    def _names_there(self) -> list[str] | None:
        """Return the names above the rows of a file to append to."""
        if not self._header or not self._sink.has_content():
            return None
        with self._place.reading() as file:
            lines = io.TextIOWrapper(file, encoding="utf-8", newline="")
            names = next(csv.reader(lines, delimiter=self._delimiter), None)
            lines.detach()
        return names

    def _head(self) -> str:
        columns = self._columns or self._chosen
        if not self._header or columns is None or self._sink.has_content():
            return ""
        return next(self._lines([map(bare, columns)]))


def cell(value: Any) -> Any:
    """Return what stands in a CSV cell for a value.

    >>> [cell(value) for value in ("a", None, float("nan"), {"b": [1]})]
    ['a', '', '', '{"b": [1]}']
    """
    if type(value) in _AS_IT_IS:
        return value
    value = bare(value)
    if isinstance(value, float | str | int):  # text holds infinity, JSON does not
        return "" if value != value else value
    if isinstance(value, Decimal) and value.is_infinite():
        return Decimal.__str__(value)
    if (form := to_jsonable(value, "a cell", TARGET)) is None:
        return ""
    return json_text(form) if isinstance(form, dict | list) else form


def checked_delimiter(delimiter: Any) -> str:
    """Return a delimiter.

    Raises:
        SpecError: it is not one character of one byte, or one that cells need.
    """
    is_one = isinstance(delimiter, str) and len(delimiter.encode()) == 1
    is_right = is_one and delimiter not in '"\r\n'
    require(is_right, "delimiter must be one character", delimiter)
    return str(delimiter)
