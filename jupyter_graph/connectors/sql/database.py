"""Databases: engines, types of columns, and values as a database takes them."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from types import NoneType
from typing import Any

from jupyter_graph.connectors.extras import needed
from jupyter_graph.connectors.rows import bare, json_text
from jupyter_graph.errors import SpecError, UnprocessableError, short
from jupyter_graph.values.json_form import to_jsonable
from jupyter_graph.values.json_rules import TARGET

WITHOUT_CAPITALS = ("mariadb", "mssql", "mysql", "sqlite")
"""Databases in which ``n`` and ``N`` are one column."""

INT64 = 2**63
_BASES = (int, str, bytes, date, time, Decimal)
_NATIVE = frozenset({NoneType, bool, *_BASES})
_EXACT = frozenset({float, dict, list, datetime})


def engine_of(url: Any, *, password: str | None = None, by: str) -> Any:
    """Return a SQLAlchemy engine that is not connected yet.

    Raises:
        SpecError: the URL is wrong, or SQLAlchemy or the driver is missing.
    """
    sqlalchemy = needed("sqlalchemy", "sql", by)
    from sqlalchemy.exc import ArgumentError, NoSuchModuleError

    if isinstance(url, str):
        url = url.replace("postgres://", "postgresql://", 1)
    try:
        parsed = sqlalchemy.make_url(url)
        if password is not None:
            parsed = parsed.set(password=password)
        engine = sqlalchemy.create_engine(
            parsed, json_serializer=json_text, **_pool(parsed)
        )
    except NoSuchModuleError as error:
        raise SpecError(f"url names no database that is known: {error}") from error
    except ArgumentError as error:
        raise SpecError(
            "url must be SQLAlchemy's, such as 'sqlite:///rows.db' or "
            "'postgresql://user@host/database'"
        ) from error
    except ModuleNotFoundError as missing:
        raise SpecError(
            f"{shown(parsed)} needs {missing.name}: "
            f'pip install "jupyter_graph[sql]" {missing.name}'
        ) from missing
    if engine.dialect.name == "sqlite":
        _begin_at_once(engine)
    return engine


def _pool(url: Any) -> dict[str, Any]:
    from sqlalchemy.pool import StaticPool

    if url.get_backend_name() != "sqlite":
        return {"pool_size": 1, "max_overflow": 31, "pool_pre_ping": True}
    if url.database in (None, "", ":memory:"):
        return {"poolclass": StaticPool, "connect_args": {"check_same_thread": False}}
    return {}


def _begin_at_once(engine: Any) -> None:
    """Let SQLAlchemy begin transactions; Python's driver does so too late.

    Source: https://docs.sqlalchemy.org/en/20/dialects/sqlite.html
    """
    from sqlalchemy import event

    @event.listens_for(engine, "connect")  # type: ignore[untyped-decorator,unused-ignore]
    def connected(connection: Any, _: Any) -> None:
        connection.isolation_level = None

    @event.listens_for(engine, "begin")  # type: ignore[untyped-decorator,unused-ignore]
    def begun(connection: Any) -> None:
        connection.exec_driver_sql("BEGIN")


def shown(url: Any) -> str:
    """Return a database URL without its password."""
    return str(url.render_as_string(hide_password=True))


def value_for(value: Any, column: str = "value") -> Any:
    """Return a value as a database takes it: NaN is NULL, arrays are lists.

    An Enum is its value; drivers differ in what they make of one.

    Raises:
        UnprocessableError: it has no form; ``column`` begins the text.

    >>> value_for(float("nan")), value_for(2.5)
    (None, 2.5)
    """
    kind = type(value)
    if kind in _NATIVE:
        return value
    if kind not in _EXACT:
        value = bare(value)
        kind = type(value)
    if kind is float:
        return None if value != value else value  # NaN
    if isinstance(value, datetime):
        if value != value:  # NaT
            return None
        as_python = getattr(value, "to_pydatetime", None)
        return as_python() if as_python else value
    if kind is dict or kind is list or isinstance(value, _BASES):
        return value
    if isinstance(value, tuple):
        return list(value)
    if isinstance(value, timedelta) and value == value:
        return value.total_seconds()  # columns of older tables hold numbers
    time_kind = getattr(getattr(value, "dtype", None), "kind", "")
    if time_kind in ("m", "M") and value.ndim == 0:  # one of numpy's
        item = value.item()  # a date for days and longer, a number for nanoseconds
        if isinstance(item, int):
            item = _exact_time(value, f"{time_kind}8[us]")
        if item is not None:
            return value_for(item)
    return to_jsonable(value, column, TARGET)


def _exact_time(value: Any, microseconds: str) -> datetime | timedelta | None:
    """Return one of numpy's times as Python's, None where Python has none for it.

    Beyond Python's years, and for a difference without a unit, numpy gives numbers.
    """
    numpy = sys.modules["numpy"]
    unit, _ = numpy.datetime_data(value.dtype)
    try:
        whole = value.astype(microseconds)
    except OverflowError:  # numpy before 2.5 gives some number
        return None
    is_finer = unit in ("ns", "ps", "fs", "as")
    if unit == "generic" or not (is_finer or whole.astype(value.dtype) == value):
        return None
    item = whole.item()
    return None if isinstance(item, int) else item


_JOINED: dict[frozenset[type], type] = {
    frozenset({int, float}): float,
    frozenset({int, Decimal}): Decimal,
    frozenset({date, datetime}): datetime,
    frozenset({dict, list}): dict,
}
"""One kind for what two rows hold in one column."""


class ColumnKinds:
    """The columns of rows so far, and what stands in them.

    >>> kinds = ColumnKinds()
    >>> kinds.add({"amount": 5}, "table"); kinds.add({"amount": 2.5}, "table")
    >>> kinds.types()
    {'amount': Float(precision=53)}
    """

    def __init__(self) -> None:
        self._kinds: dict[str, type] = {}

    def add_all(
        self, rows: Iterable[Mapping[str, Any]], where: object, dialect: str
    ) -> None:
        """Extend the column types by all rows of a body, or by none.

        Raises:
            UnprocessableError: one of them does not fit, or two of the names differ in
                capitals alone and the database takes them for one column.
        """
        before = dict(self._kinds)
        try:
            for row in rows:
                self.add(row, where)
            if dialect in WITHOUT_CAPITALS:
                self._check_capitals(where)
        except BaseException:
            self._kinds = before
            raise

    def _check_capitals(self, where: object) -> None:
        seen: dict[str, str] = {}
        for name in self._kinds:
            if (other := seen.setdefault(name.casefold(), name)) != name:
                raise UnprocessableError(
                    f"{where} cannot have the columns {other!r} and {name!r}, which "
                    "differ in capitals alone"
                )

    def add(self, row: Mapping[str, Any], where: object) -> None:
        """Extend the column types by a row.

        Raises:
            UnprocessableError: a value has no type in common with those before.
        """
        for name, value in row.items():
            known = self._kinds.setdefault(name, NoneType)
            if value is None:
                continue
            kind = _kind(value)
            if kind is int:
                checked_number(value, f"column {name!r} of {where}")
            is_new = known in (NoneType, kind)
            joined = kind if is_new else _JOINED.get(frozenset({known, kind}))
            if joined is None:
                raise UnprocessableError(
                    f"column {name!r} of {where} holds {known.__name__}, "
                    f"got {short(value)}"
                )
            self._kinds[name] = joined

    def types(self) -> dict[str, Any]:
        """Return SQLAlchemy's type for each column; nothing but None is text."""
        import sqlalchemy as sql

        types: dict[type, Any] = {
            bool: sql.Boolean(),
            int: sql.BigInteger(),
            float: sql.Float(53),
            bytes: sql.LargeBinary(),
            datetime: sql.DateTime(timezone=True),
            date: sql.Date(),
            time: sql.Time(),
            Decimal: sql.Numeric(),
            dict: sql.JSON(),
            list: sql.JSON(),
        }
        return {name: types.get(of, sql.Text()) for name, of in self._kinds.items()}


def checked_number(value: Any, where: str) -> Any:
    """Return a value; a whole number must have 64 bits at most.

    Raises:
        UnprocessableError: it has more.
    """
    if type(value) is int and not -INT64 <= value < INT64:
        raise UnprocessableError(f"{where} holds numbers of 64 bits, got {value}")
    return value


def _kind(value: Any) -> type:
    known = (bool, int, float, str, bytes, datetime, date, time, Decimal, dict, list)
    return next((kind for kind in known if isinstance(value, kind)), str)
