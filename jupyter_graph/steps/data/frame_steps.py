"""Records and tables: a list of objects as a pandas DataFrame, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from jupyter_graph.argument_checks import require
from jupyter_graph.values.dataframe_rows import is_pandas
from jupyter_graph.values.whole_numbers import exact_columns, frame_of_rows


class ToDataFrame:
    """Make a pandas DataFrame of a list of records.

    Body in:   ``[{"a": 1, "b": 2}, ...]`` (one row each), rows as lists, one record
    of plain values (a row), or columns ``{"a": [1, ...], "b": [2, ...]}``
    Body out:  a ``pandas.DataFrame``

    Args:
        index: the column, or columns, that become the index; rows are numbered from 0
            without.
        columns: the columns to take, in this order; for rows that are lists, their
            names. A name that no record has becomes a column of missing values.

    Raises:
        SpecError: an argument is not made of names.
        TypeError: (from ``do``) the body is neither a list nor an object.
        KeyError: (from ``do``) no column is named as the index.

    Source: storey's step of this name, https://storey.readthedocs.io

    >>> ToDataFrame(index="id").do([{"id": 7, "x": 1.5}, {"id": 8, "x": 2.5}])
          x
    id
    7   1.5
    8   2.5
    """

    def __init__(
        self,
        index: str | Sequence[str] | None = None,
        columns: Sequence[str] | None = None,
    ) -> None:
        self.index = names_of(index, "index", one=True)
        self.columns = names_of(columns, "columns")

    def do(self, body: Any) -> Any:
        import pandas as pd

        if not isinstance(body, list | tuple | Mapping):
            raise TypeError(
                "ToDataFrame needs a list of records or an object of columns, "
                f"got {type(body).__name__}"
            )
        if isinstance(body, Mapping):
            plain = all(pd.api.types.is_scalar(value) for value in body.values())
            body = [dict(body)] if plain and body else dict(body)
        is_records = bool(body) and all(isinstance(row, Mapping) for row in body)
        if isinstance(body, Mapping):
            frame = pd.DataFrame(body, columns=self.columns)
            lists = {name: body.get(name) for name in frame.columns}
            frame = exact_columns(frame, {n: _listed(it) for n, it in lists.items()})
        elif not is_records:
            frame = pd.DataFrame(body, columns=self.columns)
            rows = [row for row in body if isinstance(row, list | tuple)]
            frame = exact_columns(frame, dict(enumerate(map(list, zip(*rows)))))  # noqa: B905 - rows of a frame
        else:
            frame = frame_of_rows(body)
            frame = (
                frame if self.columns is None else frame.reindex(columns=self.columns)
            )
        if self.index is None:
            return frame
        return frame.set_index(self.index[0] if len(self.index) == 1 else self.index)


def _listed(values: Any) -> list[Any]:
    return list(values) if isinstance(values, list | tuple) else []


class FromDataFrame:
    """Make a list of records of a pandas DataFrame.

    Body in:   a ``pandas.DataFrame``
    Body out:  ``[{"a": 1, "b": 2}, ...]``, one record a row, in order; numbers are
    Python's, missing values stay as they are

    Args:
        index: the key under which each record holds its row's index; without, an
            index that has a name is held under it and another is left out.
        columns: the columns to take, in this order, by default all.

    Raises:
        SpecError: an argument is not made of names.
        TypeError: (from ``do``) the body is no DataFrame.
        KeyError: (from ``do``) there is no such column.
        ValueError: (from ``do``) two columns have one name.

    >>> import pandas as pd
    >>> FromDataFrame().do(pd.DataFrame({"a": [1, 2], "b": ["x", "y"]}))
    [{'a': 1, 'b': 'x'}, {'a': 2, 'b': 'y'}]
    """

    def __init__(
        self, index: str | None = None, columns: Sequence[str] | None = None
    ) -> None:
        require(isinstance(index, str | None), "index must be a name", index)
        self.index = index
        self.columns = names_of(columns, "columns")

    def do(self, body: Any) -> list[dict[str, Any]]:
        if not is_pandas(body):
            raise TypeError(
                f"FromDataFrame needs a DataFrame, got {type(body).__name__}"
            )
        frame = body if self.columns is None else body[self.columns]
        if self.index is not None:
            frame = frame.rename_axis(index=self.index)
        if frame.index.nlevels > 1 or frame.index.name is not None:
            frame = frame.reset_index()
        if not frame.columns.is_unique:
            twice = frame.columns[frame.columns.duplicated()][0]
            raise ValueError(f"the DataFrame has two columns named {twice!r}")
        records: list[dict[str, Any]] = frame.to_dict(orient="records")
        return records or [{} for _ in range(len(frame))]


def names_of(value: Any, what: str, *, one: bool = False) -> list[str] | None:
    """Return names as a list; with ``one``, a single text counts as a list of it.

    Raises:
        SpecError: it is anything else.
    """
    if value is None:
        return None
    if one and isinstance(value, str):
        return [value]
    is_list = isinstance(value, Sequence) and not isinstance(value, str | bytes)
    is_list = is_list and len(value) > 0
    has_names = is_list and all(isinstance(name, str) for name in value)
    require(has_names, f"{what} must be a list of names", value)
    return list(value)
