"""One file of promises that every table keeps."""

import datetime
import sys
import threading

import pytest

from jupyter_graph.connectors.tables.open_table import open_table
from jupyter_graph.connectors.tables.table import masked
from jupyter_graph.errors import SpecError
from jupyter_graph.values.equal import same

PLACES = [
    pytest.param("memory", id="memory"),
    pytest.param("memory://shared", id="memory-shared"),
    pytest.param("store", id="store"),
    pytest.param("sqlite", id="sqlite"),
    pytest.param("redis", id="redis", marks=pytest.mark.integration),
    pytest.param(
        "postgresql", id="postgresql", marks=(pytest.mark.integration, pytest.mark.slow)
    ),
]
LASTING = PLACES[2:]


VALUES = [
    pytest.param({"a": [1, 2.5, None, True], "b": {"c": "ä"}}, id="object"),
    pytest.param(7, id="number"),
    pytest.param("text", id="text"),
    pytest.param("", id="no-text"),
    pytest.param(None, id="none"),
    pytest.param([(1, 2), {3: "three"}], id="tuple-and-number-as-key"),
    pytest.param({"$tuple": [1]}, id="looks-like-a-tag"),
]


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("where", PLACES, indirect=True)
def test_what_was_put_comes_back_equal(opened, where, value):
    table = opened(where)

    table.put("ann", value)

    assert table.get("ann", "nothing") == value
    assert type(table.get("ann", "nothing")) is type(value)


@pytest.mark.parametrize("where", PLACES, indirect=True)
def test_a_key_that_is_not_there_gives_the_default(opened, where):
    table = opened(where)

    assert table.get("nobody") is None
    assert table.get("nobody", 5) == 5


@pytest.mark.parametrize("where", PLACES, indirect=True)
def test_a_deleted_key_is_gone_and_may_be_deleted_again(opened, where):
    table = opened(where)
    table.put("ann", 1)

    table.delete("ann")
    table.delete("ann")

    assert table.get("ann") is None


@pytest.mark.parametrize("where", PLACES, indirect=True)
def test_keys_are_all_keys_whatever_their_letters(opened, where):
    table = opened(where)
    keys = {"ann", "Ann", "a b", "ü", "x" * 200, "a*[?]", '["1", "x"]', "a:b#c'\"%"}
    for key in keys:
        table.put(key, 1)
    table.put("ann", 2)

    assert sorted(table.keys()) == sorted(keys)


@pytest.mark.parametrize("where", PLACES, indirect=True)
def test_an_update_makes_the_new_value_of_the_old(opened, where):
    table = opened(where)

    given = [table.update("ann", lambda n: n + 1, 10) for _ in range(3)]

    assert given == [11, 12, 13]
    assert table.get("ann") == 13


@pytest.mark.parametrize("where", PLACES, indirect=True)
def test_an_update_that_fails_changes_nothing_and_goes_out_as_it_is(opened, where):
    table = opened(where)
    table.put("ann", 1)

    with pytest.raises(ZeroDivisionError):
        table.update("ann", lambda n: n / 0)

    assert table.get("ann") == 1
    assert table.update("ann", lambda n: n + 1) == 2


def in_threads(work, count=4):
    threads = [threading.Thread(target=work) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(15)


@pytest.mark.slow
@pytest.mark.parametrize("where", PLACES, indirect=True)
def test_updates_from_several_threads_all_count(opened, where):
    table = opened(where)

    def work():
        for _ in range(25):
            table.update("ann", lambda n: n + 1, 0)

    in_threads(work)

    assert table.get("ann") == 100


@pytest.mark.slow
@pytest.mark.parametrize("where", LASTING, indirect=True)
def test_updates_through_several_connections_all_count(opened, where):
    tables = [opened(where) for _ in range(4)]
    waiting = list(tables)

    def work():
        table = waiting.pop()
        for _ in range(25):
            table.update("ann", lambda n: n + 1, 0)

    in_threads(work)

    assert tables[0].get("ann") == 100


@pytest.mark.parametrize("where", LASTING, indirect=True)
def test_values_outlive_the_table(opened, where):
    first = opened(where)
    first.put("ann", {"n": 1})
    first.close()
    first.close()

    assert opened(where).get("ann") == {"n": 1}


@pytest.mark.parametrize("where", LASTING, indirect=True)
def test_tables_of_other_names_are_apart(opened, where):
    other = where.partition("#")[0] + "#other"
    opened(where).put("ann", 1)
    table = opened(other)
    table.put("bob", 2)

    assert table.get("ann") is None
    assert list(table.keys()) == ["bob"]
    table.delete("bob")


@pytest.mark.parametrize("where", LASTING, indirect=True)
def test_what_json_cannot_hold_is_refused_by_name(opened, where):
    table = opened(where)

    with pytest.raises(TypeError, match=r"'ann': a object at \['x'\] cannot be"):
        table.put("ann", {"x": object()})
    with pytest.raises(TypeError, match="holds itself"):
        table.update("ann", lambda old: (loop := [], loop.append(loop))[0])

    assert table.get("ann") is None


@pytest.mark.parametrize("where", LASTING, indirect=True)
def test_times_and_numpy_values_come_back_with_their_types(opened, where):
    numpy = pytest.importorskip("numpy")
    table = opened(where)
    value = {
        "day": datetime.date(2024, 5, 1),
        "n": numpy.int64(3),
        "v": numpy.array([1.5]),
    }

    table.put("ann", value)

    assert same(table.get("ann"), value)


@pytest.mark.parametrize("where", LASTING, indirect=True)
def test_a_run_that_only_compares_writes_nothing(opened, where):
    class Parity:
        is_parity = True

    below = opened(where)
    below.put("ann", 1)
    below.put("bob", 1)

    scratch = opened(where, context=Parity())
    scratch.delete("bob")
    assert scratch.update("ann", lambda n: n + 1) == 2
    scratch.put("zoe", 1)

    assert sorted(scratch.keys()) == ["ann", "zoe"]
    assert (scratch.get("ann"), scratch.get("bob")) == (2, None)
    assert sorted(below.keys()) == ["ann", "bob"]
    assert below.get("ann") == 1


WRONG_PLACES = [
    pytest.param("memroy", "there is no table 'memroy'; it is 'memory'", id="typo"),
    pytest.param(5, "a table is 'memory'", id="number"),
    pytest.param("memory://", "'memory://NAME'", id="no-name"),
    pytest.param("memory#x", "'memory://NAME'", id="memory-fragment"),
    pytest.param("store:x", "'store:///path/file'", id="store"),
    pytest.param("store#a b", "made of letters", id="table-name"),
    pytest.param("nosuchdb://h/x", "'nosuchdb' is neither", id="database"),
    pytest.param("sqlite://", "has no file", id="sqlite-in-memory"),
    pytest.param("redis://h:port", "table 'redis://h:port'", id="redis-port"),
]


@pytest.mark.parametrize(("where", "text"), WRONG_PLACES)
def test_a_place_that_is_none_is_refused(where, text):
    pytest.importorskip("sqlalchemy")
    pytest.importorskip("redis")

    with pytest.raises(SpecError, match=text):
        open_table(where)


def test_max_keys_is_for_memory_only():
    with pytest.raises(SpecError, match="max_keys is for tables in memory"):
        open_table("store", max_keys=3)


@pytest.mark.parametrize(
    ("where", "package", "extra"),
    [("redis://h", "redis", "redis"), ("sqlite:///x", "sqlalchemy", "sql")],
)
def test_a_missing_package_is_said_with_the_line_to_type(
    monkeypatch, where, package, extra
):
    monkeypatch.setitem(sys.modules, package, None)

    with pytest.raises(SpecError) as raised:
        open_table(where)

    assert raised.value.text().endswith(f'pip install "jupyter_graph[{extra}]"')


def test_no_password_is_shown():
    shown = masked("postgresql://ann:s3cret@host/db?password=s3cret#t")

    assert shown == "postgresql://ann:***@host/db"


def test_a_password_with_a_tab_in_it_is_hidden_too():
    assert masked("redis://ann:s3\tcret@host/0") == "redis://ann:***@host/0"
    assert masked("redis://ann:s3cret@[host/0") == "redis://***@[host/0"
