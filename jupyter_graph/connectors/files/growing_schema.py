"""The columns of a table that grows: which there are, and what fits in them."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from numbers import Real
from typing import Any

from jupyter_graph.connectors.rows import Row, checked_text, not_a_text
from jupyter_graph.errors import UnprocessableError, short
from jupyter_graph.values.dataframe_rows import (
    is_pandas,
    refuse_same_names,
    table_of,
)
from jupyter_graph.values.whole_texts import broken_text, is_whole

INT64 = 2**63
_SIMPLE = (Real, str, bytes)  # each such type always is the same Arrow type


class GrowingSchema:
    """Arrow types of columns, learned from rows until they are fixed.

    Args:
        where: the table as messages show it.
        columns: the columns, None: those of the rows.
        types: types that are known from the start.

    Raises:
        UnprocessableError: (from ``check``) a row does not fit.
    """

    def __init__(
        self,
        where: object,
        columns: Sequence[str] | None,
        types: Mapping[str, Any],
    ) -> None:
        import pyarrow

        self._arrow = pyarrow
        self._where = where
        self._chosen = None if columns is None else frozenset(columns)
        self._types: dict[str, Any] = {
            name: types.get(name, pyarrow.null()) for name in columns or types
        }
        self._stated = frozenset(types)
        self._fits: dict[str, set[type]] = {}
        self._before: tuple[dict[str, Any], dict[str, set[type]]] | None = None
        self.is_fixed = False

    def begin(self) -> None:
        """Begin with the rows of a body, which are all learned from, or none."""
        self._before = None

    def undo(self) -> None:
        """Forget what was learned since ``begin``."""
        if self._before is not None:
            self._types, self._fits = self._before

    def _note(self) -> None:
        """Note what is known, before the first row of a body adds to it."""
        if self._before is None:
            fits = {name: set(types) for name, types in self._fits.items()}
            self._before = dict(self._types), fits

    def check_row(self, row: Row) -> None:
        """Extend the schema by a row; raise where it does not fit."""
        fits = self._fits
        for name, value in row.items():
            # the path of most rows: a type that was seen in this column always fits,
            # and Arrow is not asked again
            kind = type(value)
            if (
                kind not in fits.get(name, ())
                # Of texts and numbers not every one fits where others do.
                or (kind is str and not value.isascii() and not is_whole(value))
                or (kind is int and not -INT64 <= value < INT64)
            ):
                self._learn(name, value)

    def check_table(self, table: Any) -> None:
        """As ``check_row``, for all columns of an Arrow table."""
        self._note()
        for field in table.schema:
            if self._is_wanted(field.name):
                self._merge(field.name, field.type, f"values of type {field.type}")

    def fix(self) -> Any:
        """Return the schema; from now on only what fits it is taken.

        A column that held nothing but None so far is text.
        """
        if not self.is_fixed:
            self.is_fixed = True
            for name, known in self._types.items():
                if self._arrow.types.is_null(known):
                    self._types[name] = self._arrow.string()
            self._fits.clear()
        return self._arrow.schema(list(self._types.items()))

    def take(self, schema: Any) -> None:
        """Fix the schema to that of a file."""
        self._types = {field.name: field.type for field in schema}
        self.fix()

    def cast(self, table: Any) -> Any:
        """Return an Arrow table with exactly these columns.

        Raises:
            UnprocessableError: a value does not fit the type of its column.
        """
        schema = self.fix()
        arrays = []
        for field in schema:
            if field.name not in table.column_names:
                arrays.append(self._arrow.nulls(table.num_rows, field.type))
                continue
            try:
                arrays.append(table[field.name].cast(field.type))
            except self._arrow.ArrowException as error:
                raise UnprocessableError(
                    f"column {field.name!r} of {self._where} holds {field.type}: "
                    f"{error}"
                ) from error
        return self._arrow.table(arrays, schema=schema)

    def _is_wanted(self, name: str) -> bool:
        return self._chosen is None or name in self._chosen

    def _learn(self, name: str, value: Any) -> None:
        self._note()
        if not self._is_wanted(name):
            self._fits.setdefault(name, set()).add(type(value))
            return
        try:
            kind = self._arrow.scalar(value).type
        except (self._arrow.ArrowException, ValueError, TypeError, OverflowError) as no:
            raise UnprocessableError(
                f"{self._where} cannot hold {name!r}: {short(value)} ({no})"
            ) from no
        if isinstance(value, dict | list) and (broken := broken_text(value, name)):
            raise not_a_text(f"{broken} of {self._where}")
        self._merge(name, kind, short(value))
        self._try(name, value)
        # of other types (lists, decimals, times) each value may be another Arrow type,
        # and not every number fits a narrow column
        known = self._types[name]
        is_narrow = self._arrow.types.is_integer(known) and str(known) != "int64"
        if value is None or (isinstance(value, _SIMPLE) and not is_narrow):
            self._fits.setdefault(name, set()).add(type(value))

    def _try(self, name: str, value: Any) -> None:
        """Refuse a value that a type which does not change any more cannot hold."""
        known = self._types[name]
        if not (self.is_fixed or name in self._stated):
            return
        try:
            self._arrow.scalar(value, type=known)
        except (self._arrow.ArrowException, ValueError, TypeError, OverflowError) as no:
            raise UnprocessableError(
                f"column {name!r} of {self._where} holds {known}, got {short(value)} "
                f"({no})"
            ) from no

    def _merge(self, name: str, kind: Any, shown: str) -> None:
        if not isinstance(name, str) or not name:
            raise UnprocessableError(f"a column needs a text as its name, got {name!r}")
        checked_text(name, f"the name of a column of {self._where}")
        if _has_empty_struct(kind):
            raise UnprocessableError(
                f"{name!r} holds an empty dict inside, which Parquet cannot: {shown}"
            )
        if (known := self._types.get(name)) is None:
            if self.is_fixed:
                raise UnprocessableError(
                    f"{self._where} has no column {name!r}; its columns are "
                    f"{list(self._types)}, name all of them in columns="
                )
            self._types[name] = kind
            return
        # before the first rows are written a column may widen, int to float; after that
        # the file's type stands
        is_free = not self.is_fixed and name not in self._stated
        merged = self._merged(known, kind) if is_free else known
        if merged is None or not (is_free or self._takes(known, kind)):
            raise UnprocessableError(
                f"column {name!r} of {self._where} holds {known}, got {shown}; "
                "types={COLUMN: TYPE} says the type from the start"
            )
        self._types[name] = merged

    def _merged(self, known: Any, kind: Any) -> Any:
        """Return the type that holds both, None when there is none."""
        if known == kind:
            return known
        pair = [self._arrow.schema([("it", one)]) for one in (known, kind)]
        try:
            return self._arrow.unify_schemas(pair, promote_options="permissive")[0].type
        except self._arrow.ArrowException:
            return None

    def _takes(self, known: Any, kind: Any) -> bool:
        """Tell whether a fixed type takes values of another type of its family."""
        of = self._arrow.types
        if of.is_null(kind) or self._merged(known, kind) == known:
            return True
        if of.is_timestamp(known) and of.is_timestamp(kind):
            return bool(known.tz == kind.tz)
        if of.is_floating(known):
            return bool(of.is_floating(kind) or of.is_integer(kind))
        return bool(of.is_integer(known) and of.is_integer(kind))


def own_copy(frame: Any) -> Any:
    """Return a frame as an Arrow table that later steps cannot change.

    Categories become their values.

    Raises:
        UnprocessableError: the values of a column have no type in common.
    """
    import pyarrow

    try:
        table = table_of(copy.deepcopy(frame) if is_pandas(frame) else frame)
    except (pyarrow.ArrowException, TypeError, ValueError) as error:
        raise UnprocessableError(f"the frame is no table: {error}") from error
    refuse_same_names(table.column_names)
    for at, field in enumerate(table.schema):
        if pyarrow.types.is_dictionary(field.type):
            values = table.column(at).cast(field.type.value_type)
            table = table.set_column(at, field.name, values)
    return table


def _has_empty_struct(kind: Any) -> bool:
    import pyarrow

    if pyarrow.types.is_struct(kind) and kind.num_fields == 0:
        return True
    inner = (kind.field(at).type for at in range(kind.num_fields))
    return any(_has_empty_struct(each) for each in inner)
