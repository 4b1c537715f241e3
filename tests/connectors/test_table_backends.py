"""What is special to each kind of table."""

import socket
import stat
import subprocess
import sys
import threading

import pytest

from jupyter_graph.connectors.tables.open_table import open_table
from jupyter_graph.errors import (
    GatewayTimeoutError,
    InternalServerError,
    ServiceUnavailableError,
    SpecError,
    StatusError,
    UnprocessableError,
)


def test_steps_share_a_named_table_in_memory_while_one_holds_it(opened):
    first = opened("memory://here")
    first.put("ann", 1)

    assert opened("memory://here").get("ann") == 1
    assert opened("memory://there").get("ann") is None
    assert opened("memory").get("ann") is None


def test_a_full_table_in_memory_forgets_the_key_not_used_for_longest(opened):
    table = opened("memory", max_keys=2)
    table.put("a", 1)
    table.put("b", 2)
    table.get("a")
    table.update("c", lambda _: 3)

    assert sorted(table.keys()) == ["a", "c"]


def test_a_dict_is_looked_up_as_it_is_now(opened):
    rows = {"ann": {"n": 1}, 7: "seven"}
    table = opened(rows)

    assert table.get("ann") == {"n": 1}
    assert table.get("7") == "seven"
    assert table.get("8") is None
    rows[8] = "eight"
    assert table.get("8") == "eight"
    assert list(table.keys()) == ["ann", "7", "8"]


@pytest.mark.parametrize("column", ["user", None], ids=["a-column", "the-index"])
def test_a_frame_is_looked_up_by_a_column_or_its_index(opened, column):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"user": [1, 2], "age": [31, 42]}, index=["1", "2"])

    table = opened(frame, key_column=column)

    assert table.get("2") == {"user": 2, "age": 42}
    assert type(table.get("2")["age"]) is int


WRONG_ROWS = [
    pytest.param(
        [{"id": 1}, {"id": 1}], "id", "several rows of the key '1'", id="twice"
    ),
    pytest.param([{"no": 1}], "id", "its key in the field 'id'", id="no-key"),
    pytest.param([3], "id", "must be an object", id="no-object"),
]


@pytest.mark.parametrize(("rows", "column", "text"), WRONG_ROWS)
def test_rows_without_keys_of_their_own_are_refused(rows, column, text):
    with pytest.raises(SpecError, match=text):
        open_table(rows, key_column=column)


@pytest.mark.parametrize("call", ["put", "update", "delete"])
def test_given_rows_are_for_lookups_only(opened, call):
    arguments = {"put": ("a", 1), "update": ("a", len), "delete": ("a",)}[call]

    with pytest.raises(SpecError, match="can only be looked up"):
        getattr(opened({}), call)(*arguments)


def test_the_store_lies_in_the_state_folder_closed_to_others(
    opened, monkeypatch, tmp_path
):
    monkeypatch.setenv("JUPYTER_GRAPH_STATE_DIR", str(tmp_path / "state"))

    opened("store").put("ann", 1)

    [*files] = (tmp_path / "state").iterdir()
    assert "tables.sqlite" in {file.name for file in files}
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    assert stat.S_IMODE((tmp_path / "state").stat().st_mode) == 0o700


def test_a_killed_process_loses_nothing_it_has_put(opened, tmp_path):
    where = f"store://{tmp_path / 't.sqlite'}"
    code = (
        "import os, signal;"
        "from jupyter_graph.connectors.tables.open_table import open_table;"
        f"t = open_table({where!r}); t.put('ann', 1); t.update('ann', lambda n: n + 1);"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )

    subprocess.run([sys.executable, "-c", code], check=False)

    assert opened(where).get("ann") == 2


@pytest.mark.parametrize("where", ["store", "sqlite"], indirect=True)
def test_a_file_that_others_keep_locked_is_a_timeout(opened, where):
    busy, other = opened(where), opened(where, timeout_s=0.1)
    other.get("ann")
    refused = []

    def hold(old):
        try:
            other.put("bob", 1)
        except StatusError as error:
            refused.append(error)

    busy.update("ann", hold)

    assert isinstance(refused[0], GatewayTimeoutError)
    assert "table '" in str(refused[0])


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["store", "sqlite"])
def test_a_new_file_may_be_opened_by_several_at_once(opened, tmp_path, kind):
    pytest.importorskip("sqlalchemy")
    together, failed = threading.Barrier(4), []

    def work(tables):
        for table in tables:
            together.wait(10)
            try:
                table.update("ann", lambda n: n + 1, 0)
            except StatusError as error:
                failed.append(error)

    places = [f"{kind}:///{tmp_path}/{n}.db" for n in range(10)]
    sets = [[opened(place) for place in places] for _ in range(4)]
    threads = [threading.Thread(target=work, args=(tables,)) for tables in sets]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(15)

    assert failed == []
    assert [table.get("ann") for table in sets[0]] == [4] * 10


def test_a_file_that_is_no_store_is_an_error_that_names_it(opened, tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("dear diary " * 100)

    with pytest.raises(InternalServerError, match=r"notes\.txt#rows' failed"):
        opened(f"store://{path}").get("ann")


def test_a_folder_that_cannot_be_made_is_an_error_that_names_it(opened, tmp_path):
    (tmp_path / "file").touch()

    with pytest.raises(ServiceUnavailableError, match="cannot be used"):
        opened(f"store://{tmp_path / 'file' / 'x' / 't.sqlite'}").get("ann")


@pytest.mark.integration
def test_hashes_of_others_are_read_as_rows_of_text(opened, redis_url):
    import redis

    with redis.Redis.from_url(redis_url) as client:
        client.hset("people:ann", mapping={"age": 31})
        client.set("people:bob", "{")
    table = opened(f"{redis_url}#people")

    assert table.get("ann") == {"age": "31"}
    with pytest.raises(
        InternalServerError, match="key 'bob': what is kept there is no"
    ):
        table.get("bob")
    with pytest.raises(InternalServerError, match="refused"):
        table.update("ann", lambda old: old)


def test_a_redis_that_is_not_there_is_said_at_once(opened, unused_port):
    pytest.importorskip("redis")
    table = opened(f"redis://ann:secret@127.0.0.1:{unused_port}")

    with pytest.raises(ServiceUnavailableError, match="cannot be reached") as raised:
        table.get("ann")

    assert "ann:***@127.0.0.1" in str(raised.value)
    assert "secret" not in str(raised.value)


def test_a_redis_that_does_not_answer_is_a_timeout(opened):
    pytest.importorskip("redis")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        table = opened(f"redis://127.0.0.1:{port}", timeout_s=0.1)

        with pytest.raises(GatewayTimeoutError, match=r"did not answer within 0\.1 s"):
            table.get("ann")


@pytest.fixture
def people(tmp_path):
    """A table that somebody else made."""
    sqlalchemy = pytest.importorskip("sqlalchemy")
    url = f"sqlite:///{tmp_path / 'people.db'}"
    engine = sqlalchemy.create_engine(url)
    with engine.begin() as connection:
        for statement in (
            "CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT UNIQUE, age INT)",
            "INSERT INTO people VALUES (1, 'ann', 31), (2, 'bob', 42)",
        ):
            connection.exec_driver_sql(statement)
    engine.dispose()
    return f"{url}#people"


def test_a_table_with_columns_gives_and_takes_rows(opened, people):
    table = opened(people)

    assert table.get("1") == {"id": 1, "name": "ann", "age": 31}
    assert table.get("x") is None
    table.put("2", {"age": 43})
    table.put("3", {"name": "zoe"})
    assert table.update("1", lambda row: {**row, "age": row["age"] + 1})["age"] == 32
    assert table.get("2") == {"id": 2, "name": "bob", "age": 43}
    assert table.get("3") == {"id": 3, "name": "zoe", "age": None}
    table.delete("2")
    assert list(table.keys()) == ["1", "3"]


def test_a_table_with_columns_may_be_looked_up_by_another(opened, people):
    assert opened(people, key_column="name").get("bob")["id"] == 2


WRONG_WRITES = [
    pytest.param(
        "1", {"agee": 1}, UnprocessableError, "did you mean 'age'", id="column"
    ),
    pytest.param("x", {"age": 1}, UnprocessableError, "key 'x' is no", id="key"),
    pytest.param("1", 5, TypeError, "an object is kept there", id="no-object"),
    pytest.param("1", {"name": "bob"}, InternalServerError, "UNIQUE", id="constraint"),
]


@pytest.mark.parametrize(("key", "row", "kind", "text"), WRONG_WRITES)
def test_what_does_not_fit_the_columns_is_refused(opened, people, key, row, kind, text):
    table = opened(people)

    with pytest.raises(kind, match=text):
        table.put(key, row)

    assert table.get("1") == {"id": 1, "name": "ann", "age": 31}


def test_a_key_column_that_is_not_there_is_refused(opened, people):
    with pytest.raises(SpecError, match="has the columns id, name, age"):
        opened(people, key_column="nmae").get("1")


def test_a_database_that_is_not_there_is_said_at_once(opened, tmp_path):
    pytest.importorskip("sqlalchemy")

    with pytest.raises(ServiceUnavailableError, match=r"x/y\.db#rows' cannot be"):
        opened(f"sqlite:///{tmp_path}/x/y.db").get("ann")


@pytest.mark.integration
@pytest.mark.slow
def test_a_postgresql_that_is_not_there_is_said_at_once(
    opened, postgres_url, unused_port
):
    user, _, _ = postgres_url.partition("@")
    table = opened(f"{user}:secret@127.0.0.1:{unused_port}/postgres")

    with pytest.raises(ServiceUnavailableError) as raised:
        table.get("ann")

    assert "secret" not in str(raised.value)


@pytest.mark.integration
@pytest.mark.slow
def test_a_row_that_others_hold_is_a_timeout(opened, postgres_url):
    holder = opened(f"{postgres_url}#held")
    other = opened(f"{postgres_url}#held", timeout_s=0.2)
    holder.put("ann", 1)
    refused = []

    def hold(old):
        try:
            other.update("ann", lambda n: n + 1)
        except StatusError as error:
            refused.append(error)
        return old

    holder.update("ann", hold)

    assert isinstance(refused[0], GatewayTimeoutError)
