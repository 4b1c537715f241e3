"""Lists that show themselves as a table, in a notebook and in a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from html import escape
from operator import attrgetter
from typing import Any, Generic, TypeVar

Row = TypeVar("Row")
LONGEST_CELL = 80


class Table(list[Row], Generic[Row]):
    """A list of records that shows itself as a table.

    Args:
        rows: the records.
        columns: heading → function that returns the cell of a record.
        empty: what stands there instead of a table with no rows.

    >>> Table([1, 20], {"n": str, "square": lambda n: n * n})
    n   square
    1   1
    20  400
    """

    def __init__(
        self,
        rows: Iterable[Row],
        columns: Mapping[str, Callable[[Row], Any]],
        *,
        empty: str = "nothing yet",
    ) -> None:
        super().__init__(rows)
        self.columns = dict(columns)
        self.empty = empty

    def _cells(self) -> list[list[str]]:
        return [[_text(get(row)) for get in self.columns.values()] for row in self]

    def __repr__(self) -> str:
        if not self:
            return self.empty
        lines = [list(self.columns), *self._cells()]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        return "\n".join(
            "  ".join(
                text.ljust(width) for text, width in zip(line, widths, strict=True)
            ).rstrip()
            for line in lines
        )

    def _repr_html_(self) -> str:
        if not self:
            return f"<p>{escape(self.empty)}</p>"
        head = "".join(f"<th>{escape(name)}</th>" for name in self.columns)
        body = "".join(
            "<tr>" + "".join(f"<td>{escape(text)}</td>" for text in line) + "</tr>"
            for line in self._cells()
        )
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def attributes(*names: str) -> dict[str, Callable[[Any], Any]]:
    """Return the columns that show these attributes of a record."""
    return {name: attrgetter(name) for name in names}


def _text(value: Any) -> str:
    if value is None:
        return ""
    text = (value if isinstance(value, str) else repr(value)).replace("\n", " ")
    return text if len(text) <= LONGEST_CELL else text[: LONGEST_CELL - 1] + "…"
