"""Tables of SQL databases: SQLite, and PostgreSQL where it is installed."""

import datetime
import decimal
import getpass
import math
import os
import shutil
import subprocess
import tempfile
import uuid
from concurrent.futures import ThreadPoolExecutor
from enum import Enum
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from jupyter_graph import Graph
from jupyter_graph.connectors.sql.database import value_for
from jupyter_graph.connectors.sql.sql_source import SQLSource
from jupyter_graph.connectors.sql.sql_target import SQLTarget
from jupyter_graph.errors import BadRequestError, SpecError, UnprocessableError
from jupyter_graph.run.context import Context

sqlalchemy = pytest.importorskip("sqlalchemy")
ROWS = [{"user": "ada", "amount": 5}, {"user": "bob", "amount": 2}]


def postgres_program(name):
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return str(found[-1]) if found else shutil.which(name)


@pytest.fixture(scope="session")
def postgres():
    """Give the URL of a PostgreSQL server of our own, on a socket in a folder."""
    pytest.importorskip("psycopg")
    initdb, control = postgres_program("initdb"), postgres_program("pg_ctl")
    if not initdb or not control:
        pytest.skip("PostgreSQL is not installed")
    is_root = hasattr(os, "geteuid") and os.geteuid() == 0
    user = "postgres" if is_root else getpass.getuser()
    by = {"user": user} if is_root else {}
    with tempfile.TemporaryDirectory(prefix="pg") as folder:
        if is_root:
            shutil.chown(folder, user)
        data = f"{folder}/data"

        def run(*command):
            quiet = subprocess.DEVNULL
            subprocess.run(command, check=True, stdout=quiet, cwd=folder, **by)

        run(initdb, "-D", data, "-U", "me", "-A", "trust", "-N")
        options = f"-k {folder} -c listen_addresses='' -c fsync=off"
        run(control, "-D", data, "-o", options, "-l", f"{folder}/log", "-w", "start")
        try:
            yield f"postgresql+psycopg://me@/postgres?host={folder}"
        finally:
            run(control, "-D", data, "-m", "immediate", "-w", "stop")


@pytest.fixture(
    params=["sqlite", pytest.param("postgres", marks=pytest.mark.integration)]
)
def url(request, tmp_path):
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/rows.db"
    return request.getfixturevalue("postgres")


@pytest.fixture
def table():
    return f"t_{uuid.uuid4().hex[:8]}"


def store(target, *bodies):
    for body in bodies:
        target.do(body)
    target.close()


def execute(url, *statements):
    engine = sqlalchemy.create_engine(url)
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(sqlalchemy.text(statement))
    engine.dispose()


def rows_in(url, table, order="amount"):
    query = f"SELECT * FROM {table} ORDER BY {order}"
    return list(SQLSource(url, query=query))


@pytest.mark.parametrize(
    "bodies",
    [
        pytest.param(ROWS, id="rows"),
        pytest.param([ROWS], id="a-list"),
        pytest.param([pd.DataFrame(ROWS)], id="a-frame"),
    ],
)
def test_rows_come_back(url, table, bodies):
    store(SQLTarget(url, table), *bodies)

    assert rows_in(url, table) == ROWS[::-1]


def test_a_target_gives_its_bodies_back(url, table, open_runner):
    graph = Graph("g")
    graph.to("SQLTarget", name="save", url=url, table=table).respond()
    runner = open_runner(graph)
    answers = [runner.run(row) for row in ROWS]
    runner.close()

    assert answers == ROWS
    assert list(SQLSource(url, table=table)) == ROWS


def test_values_of_many_types_come_back(url, table):
    row = {
        "i": 2**40,
        "f": 0.1,
        "t": "ä'\"; DROP TABLE x",
        "b": True,
        "at": datetime.datetime(2026, 1, 2, 3, tzinfo=datetime.UTC),
        "day": datetime.date(2026, 1, 2),
        "deep": {"x": [1, None]},
        "none": None,
        "nan": math.nan,
        "raw": b"\x00",
        "stamp": pd.Timestamp("2026-01-02"),
    }
    store(SQLTarget(url, table), row)
    [found] = SQLSource(url, table=table)

    assert found["i"] == 2**40
    assert found["f"] == 0.1
    assert found["t"] == row["t"]
    assert found["raw"] == b"\x00"
    assert found["none"] is None
    assert found["nan"] is None
    if url.startswith("postgres"):
        assert found["deep"] == row["deep"]
        assert found["at"] == row["at"]


def test_numpys_numbers_and_days_have_the_columns_of_pythons(url, table):
    row = {
        "amount": np.float64("inf"),
        "f32": np.float32("-inf"),
        "plain": math.inf,
        "day": np.datetime64("2026-01-02"),
        "month": np.datetime64("2026-01"),
        "at": np.datetime64("2026-01-02T03:04:05", "ns"),
    }
    store(SQLTarget(url, table), row)
    engine = sqlalchemy.create_engine(url)
    columns = sqlalchemy.inspect(engine).get_columns(table)
    engine.dispose()
    kinds = {column["name"]: column["type"].python_type for column in columns}
    [found] = SQLSource(url, table=table)

    assert [found[key] for key in ("amount", "f32", "plain")] == [
        math.inf, -math.inf, math.inf,
    ]  # fmt: skip
    assert kinds == {
        **dict.fromkeys(("amount", "f32", "plain"), float),
        **dict.fromkeys(("day", "month"), datetime.date),
        "at": datetime.datetime,
    }
    assert value_for(row["day"]) == datetime.date(2026, 1, 2)


def test_enums_are_their_values_whatever_the_driver_makes_of_them(url, table):
    class Status(str, Enum):  # noqa: UP042 - its str() is its name
        OPEN = "open"

    class Level(int, Enum):
        LOW = 1

    store(SQLTarget(url, table), {"status": Status.OPEN, "level": Level.LOW})

    assert list(SQLSource(url, table=table)) == [{"status": "open", "level": 1}]


def test_deep_values_are_json_text_in_a_table_without_json(url, table):
    execute(url, f"CREATE TABLE {table} (a TEXT)")
    store(SQLTarget(url, table), {"a": {"b": [1]}})

    assert list(SQLSource(url, table=table)) == [{"a": '{"b": [1]}'}]


def test_a_key_that_is_no_column_is_refused_alone(url, table):
    execute(url, f"CREATE TABLE {table} (amount INTEGER)")
    target = SQLTarget(url, table)
    target.do({"amount": 1})
    with pytest.raises(UnprocessableError, match="has no column 'user'"):
        target.do(ROWS)
    store(target, {"amount": 2})

    assert rows_in(url, table) == [{"amount": 1}, {"amount": 2}]


def test_chosen_columns_are_stored(url, table):
    store(SQLTarget(url, table, columns=["amount"]), *ROWS, {"other": 1})

    assert len(rows_in(url, table)) == 3
    assert list(rows_in(url, table)[0]) == ["amount"]


def test_rows_that_the_database_refuses_are_taken_out(url, table):
    execute(url, f"CREATE TABLE {table} (amount INTEGER NOT NULL UNIQUE)")
    told = []
    context = Context(name="save", push=lambda *said: told.append(said[1]))
    target = SQLTarget(url, table, batch=4, context=context)
    target.do({"amount": 1})
    target.do({"amount": 1})
    target.do({"amount": 2})
    with pytest.raises(OSError, match=r"step 'SQLTarget' cannot write table"):
        target.do({"amount": None})
    target.close()

    assert rows_in(url, table) == [{"amount": 1}, {"amount": 2}]
    assert len(told) == 1


def test_values_without_a_type_in_common_are_refused(url, table):
    target = SQLTarget(url, table)
    target.do({"amount": 1})
    with pytest.raises(UnprocessableError, match="holds int, got 'x'"):
        target.do({"amount": "x"})
    store(target, {"amount": 2.5})

    assert rows_in(url, table) == [{"amount": 1.0}, {"amount": 2.5}]


def test_a_row_replaces_the_one_with_its_key(url, table):
    store(SQLTarget(url, table, key=["user"]), *ROWS)
    store(SQLTarget(url, table, key=["user"]), {"user": "ada", "amount": 9}, ROWS[1])

    assert rows_in(url, table) == [ROWS[1], {"user": "ada", "amount": 9}]


def test_append_is_the_rule_for_tables(url, table):
    store(SQLTarget(url, table), ROWS[0])
    store(SQLTarget(url, table), ROWS[1])

    assert rows_in(url, table) == ROWS[::-1]


def test_a_replacing_target_is_all_or_nothing(url, table):
    store(SQLTarget(url, table), *ROWS)
    target = SQLTarget(url, table, append=False, batch=1)
    target.do({"user": "eve", "amount": 7})
    target.do({"user": "fay", "amount": 8})

    assert rows_in(url, table) == ROWS[::-1]
    target.flush(end=True)
    store(target, {"user": "gil", "amount": 9})
    assert [row["amount"] for row in rows_in(url, table)] == [7, 8, 9]


def test_a_missing_table_is_created_only_when_asked(url, table):
    target = SQLTarget(url, table, create=False)
    with pytest.raises(OSError, match="no such table, and create is False"):
        target.do(ROWS[0])
    target.close()


def test_a_table_that_vanishes_loses_no_row(url, table):
    target = SQLTarget(url, table, batch=2)
    store(target, *ROWS)
    execute(url, f"ALTER TABLE {table} RENAME TO {table}_away")
    target.do(ROWS[0])
    with pytest.raises(OSError, match="cannot write"):
        target.do(ROWS[1])
    execute(url, f"ALTER TABLE {table}_away RENAME TO {table}")
    target.close()

    assert [row["amount"] for row in rows_in(url, table)] == [2, 5, 5]


@pytest.mark.slow
def test_many_threads_lose_nothing(url, table):
    target = SQLTarget(url, table, batch=13)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(target.do, ({"amount": number} for number in range(500))))
    target.close()

    assert [row["amount"] for row in rows_in(url, table)] == list(range(500))


def test_several_targets_may_create_one_table(url, table):
    targets = [SQLTarget(url, table) for _ in range(4)]
    for number, target in enumerate(targets):
        target.do({"amount": number})
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda target: target.close(), targets))

    assert [row["amount"] for row in rows_in(url, table)] == [0, 1, 2, 3]


def test_a_parity_run_writes_nothing(tmp_path):
    context = Context(is_parity=True)
    store(SQLTarget(f"sqlite:///{tmp_path}/rows.db", "t", context=context), *ROWS)

    assert not list(tmp_path.iterdir())


def test_a_failure_shows_no_password():
    target = SQLTarget("postgresql+psycopg://ada:secret@127.0.0.1:9/x", "t")
    with pytest.raises(OSError, match=r"ada:\*\*\*@127") as caught:
        target.do(ROWS[0])

    assert "secret" not in str(caught.value)


def test_a_password_may_be_a_secret(tmp_path):
    context = Context(secrets={"PASSWORD": "s3cret"})
    options = {"password_secret": "PASSWORD", "context": context}
    target = SQLTarget("postgresql+psycopg://ada@127.0.0.1:9/x", "t", **options)

    assert target._engine.url.password == "s3cret"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        pytest.param({"url": "rows.db"}, "url must be SQLAlchemy's", id="url"),
        pytest.param({"url": "nope://x"}, "no database that is known", id="database"),
        pytest.param({"url": "oracle://x/y"}, "pip install", id="driver"),
        pytest.param({"table": ""}, "table must be a name", id="table"),
        pytest.param({"batch": 0}, "batch must be 1", id="batch"),
        pytest.param({"create": 1}, "create must be", id="create"),
        pytest.param({"key": "user"}, "key must be a list", id="key"),
    ],
)
def test_wrong_arguments_are_refused(options, message):
    with pytest.raises(SpecError, match=message):
        SQLTarget(**{"url": "sqlite://", "table": "t", **options})


def test_a_body_that_is_no_row_is_the_callers_fault():
    with pytest.raises(BadRequestError, match="takes a dict"):
        SQLTarget("sqlite://", "t").do(3)


def test_a_source_takes_parameters_columns_and_batches(url, table):
    store(SQLTarget(url, table), [{"amount": n, "x": "y"} for n in range(25)])
    query = f"SELECT amount FROM {table} WHERE amount < :limit ORDER BY amount"
    source = SQLSource(url, query=query, params={"limit": 12}, chunk_rows=5)
    batches = list(source.batches(10, kind="pandas"))

    assert [len(batch) for batch in batches] == [10, 2]
    assert next(iter(SQLSource(url, table=table, columns=["x"]))) == {"x": "y"}


def test_numbers_of_a_database_keep_their_digits(url, table):
    store(SQLTarget(url, table), *ROWS)
    [row] = SQLSource(url, query="SELECT CAST('2.50' AS NUMERIC(10, 2)) AS price")

    assert row["price"] in (decimal.Decimal("2.50"), 2.5)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        pytest.param({}, SpecError, "either query= or table=", id="nothing"),
        pytest.param({"query": "x", "columns": ["a"]}, SpecError, "go with", id="both"),
        pytest.param({"table": "t"}, OSError, "table 't' of sqlite://", id="gone"),
        pytest.param({"query": "SELECT 1 AS a, 2 AS a"}, ValueError, "AS", id="twice"),
    ],
)
def test_a_source_says_what_is_wrong(options, error, message):
    with pytest.raises(error, match=message):
        list(SQLSource("sqlite://", **options))


def test_a_missing_sqlite_file_is_refused_and_not_made(tmp_path):
    with pytest.raises(SpecError, match="there is no file"):
        SQLSource(f"sqlite:///{tmp_path}/rows.db", table="t")

    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("value", "stored"),
    [
        pytest.param(np.datetime64(10**6, "Y"), "1001970", id="a-far-year"),
        pytest.param(np.timedelta64(10**6, "Y"), "P1000000Y", id="a-long-time"),
        pytest.param(np.timedelta64(1500, "ms"), 1.5, id="seconds"),
        pytest.param(
            np.datetime64("2024-01-01"), datetime.date(2024, 1, 1), id="a-day"
        ),
        pytest.param(
            np.datetime64("2024-01-01T00:00:00.000001", "ns"),
            datetime.datetime(2024, 1, 1, 0, 0, 0, 1),
            id="nanoseconds",
        ),
    ],
)
def test_a_time_of_numpys_is_stored_as_the_time_that_it_is(value, stored):
    assert value_for(value) == stored


@pytest.mark.filterwarnings("ignore:The 'generic' unit:DeprecationWarning")
def test_a_value_without_a_form_is_refused_with_its_column():
    with pytest.raises(UnprocessableError, match="column 'wait': a numpy duration"):
        value_for(np.timedelta64(2), "column 'wait'")
