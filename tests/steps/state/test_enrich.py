import math

import pytest

from jupyter_graph import Graph
from jupyter_graph.connectors.tables.open_table import open_table
from jupyter_graph.errors import BadRequestError, SpecError, StepError
from jupyter_graph.event import Event
from jupyter_graph.steps.state.lookup import JoinWithTable, QueryByKey
from jupyter_graph.steps.state.window import Aggregate
from jupyter_graph.types import NOTHING

USERS = {"ann": {"age": 31, "city": "Oslo"}, "bob": {"age": 42}}
ANN, ZOE = {"user": "ann", "n": 1}, {"user": "zoe", "n": 1}


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


@pytest.mark.parametrize("engine", ["sync", "async"])
def test_the_fields_of_the_row_are_added(run_graph, engine):
    graph = Graph("joining", engine=engine)
    arguments = {"table": USERS, "key": "user"}
    graph.to(name="it", class_name="JoinWithTable", class_args=arguments).respond()

    assert run_graph(graph, [ANN, ZOE]) == [{**ANN, "age": 31, "city": "Oslo"}, ZOE]
    assert ANN == {"user": "ann", "n": 1}


def test_an_inner_join_ends_events_without_a_row(run_step):
    answers = run_step("JoinWithTable", [ANN, ZOE], table=USERS, key="user", inner=True)

    assert answers == [{**ANN, "age": 31, "city": "Oslo"}, None]


JOINS = [
    pytest.param({"attributes": ["city", "no"]}, {**ANN, "city": "Oslo"}, id="some"),
    pytest.param({"attributes": []}, ANN, id="none"),
    pytest.param(
        {"attributes": ["age"], "aliases": {"age": "years"}},
        {**ANN, "years": 31},
        id="renamed",
    ),
    pytest.param(
        {"join_function": lambda body, row: (body["n"], row["age"])},
        (1, 31),
        id="function",
    ),
    pytest.param({"join_function": lambda body, row: None}, NOTHING, id="dropped"),
    pytest.param({"key": lambda body: "bob"}, {**ANN, "age": 42}, id="key-function"),
]


@pytest.mark.parametrize(("arguments", "right"), JOINS)
def test_what_is_joined_can_be_chosen(arguments, right):
    assert JoinWithTable(USERS, **{"key": "user", **arguments}).do(ANN) == right


def test_a_row_that_is_no_object_is_the_field_value():
    step = JoinWithTable({"ann": 3}, "user", aliases={"value": "rank"})

    assert step.do(ANN) == {**ANN, "rank": 3}


def test_a_frame_is_looked_up_by_the_column_called_like_the_key():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"user": ["bob", "ann"], "age": [42, 31]})

    assert JoinWithTable(frame, "user").do(ANN) == {**ANN, "age": 31}
    by_name = frame.rename(columns={"user": "name"})
    other = JoinWithTable(by_name, "user", table_key="name", attributes=["age"])
    assert other.do(ANN) == {**ANN, "age": 31}
    indexed = JoinWithTable(by_name.set_index("name"), "user")
    assert indexed.do(ANN) == {**ANN, "age": 31}


def test_a_list_of_rows_is_looked_up_by_its_key():
    rows = [{"user": 1, "age": 42}, {"user": 2, "age": 31}]

    assert JoinWithTable(rows, "user").do({"user": 2}) == {"user": 2, "age": 31}


def test_an_event_is_joined_in_its_body():
    event = Event(dict(ANN), key="bob")

    assert JoinWithTable(USERS, "$key").do(event) is event
    assert event.body == {**ANN, "age": 42}


def test_rows_of_a_database_are_joined(tmp_path):
    sqlalchemy = pytest.importorskip("sqlalchemy")
    url = f"sqlite:///{tmp_path}/x.db"
    engine = sqlalchemy.create_engine(url)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE users (name TEXT, age INT)")
        connection.exec_driver_sql("INSERT INTO users VALUES ('ann', 31)")
    engine.dispose()
    step = JoinWithTable(f"{url}#users", "user", table_key="name", attributes=["age"])

    assert step.do(ANN) == {**ANN, "age": 31}
    step.close()


def test_what_a_target_wrote_is_joined(run_graph, tmp_path):
    where = f"store://{tmp_path}/t.db"
    graph = Graph("both")
    write = {"table": where, "key": "user", "attributes": ["n"]}
    look = {"table": where, "key": "user", "aliases": {"n": "stored"}}
    first = graph.to(name="write", class_name="TableTarget", class_args=write)
    first.to(name="look", class_name="JoinWithTable", class_args=look).respond()

    assert run_graph(graph, [ANN]) == [{**ANN, "stored": 1}]


def test_a_cached_row_is_known_until_its_time_is_over(tmp_path):
    clock, table = Clock(), open_table(f"store://{tmp_path}/t.db")
    table.put("ann", {"age": 31})
    step = JoinWithTable(table, "user", cache_s=10, clock=clock, max_cached=1)

    assert step.do(ANN)["age"] == 31
    table.put("ann", {"age": 32})
    clock.now += 9
    assert step.do(ANN)["age"] == 31
    clock.now += 2
    assert step.do(ANN)["age"] == 32
    table.put("ann", {"age": 33})
    step.do(ZOE)  # takes the only place
    assert step.do(ANN)["age"] == 33
    step.close()


WRONG = [
    pytest.param({"table": "memory"}, "'memory://NAME'", id="empty"),
    pytest.param({"table": USERS, "attributes": "age"}, "list of names", id="names"),
    pytest.param({"table": USERS, "aliases": {"a": 1}}, "aliases must be", id="alias"),
    pytest.param({"table": USERS, "join_function": 1}, "join_function", id="function"),
    pytest.param({"table": USERS, "cache_s": -1}, "0 seconds or more", id="cache"),
    pytest.param({"table": USERS, "max_cached": 0}, "max_cached", id="cached"),
    pytest.param({"table": USERS, "table_key": "x"}, "looked up by its", id="column"),
    pytest.param({"table": USERS, "key": ""}, "key must be", id="key"),
]


@pytest.mark.parametrize(("arguments", "text"), WRONG)
def test_a_wrong_argument_is_refused(arguments, text):
    with pytest.raises(SpecError, match=text):
        JoinWithTable(**{"key": "user", **arguments})


def test_a_body_that_cannot_be_joined_is_the_callers_fault(run_step):
    with pytest.raises(StepError) as raised:
        run_step("JoinWithTable", [[1]], table=USERS, key="user")

    assert isinstance(raised.value.__cause__, BadRequestError)


PRICE = {
    "column": "price",
    "operations": ["sum", "count"],
    "windows": ["1h", "3h"],
    "period": "10m",
}


@pytest.fixture
def prices(tmp_path):
    """A table with the windows and a row of ann."""
    where = f"store://{tmp_path}/t.db#prices"
    step = Aggregate(PRICE, key="user", time_field="at", table=where)
    for minutes in (0, 30, 100):
        step.do({"user": "ann", "price": 2.0, "at": minutes * 60})
    step.close()
    open_table(where).put("ann", {"city": "Oslo", "x_sum_1h": "a field"})
    return where


QUERIES = [
    pytest.param("price_sum_1h", 100, 2.0, id="now"),
    pytest.param("price_sum_3h", 100, 6.0, id="the-longer-one"),
    pytest.param("price_count_2h", 100, 3, id="a-window-between"),
    pytest.param("price_sum_1h", 35, 4.0, id="before"),
    pytest.param("price_count_1h", 200, 0, id="later"),
    pytest.param("price_max_1h", 100, 2.0, id="another-operation"),
    pytest.param("city", 100, "Oslo", id="a-field"),
    pytest.param("x_sum_1h", 100, "a field", id="a-field-that-looks-like-a-window"),
    pytest.param("nothing", 100, None, id="unknown"),
]


@pytest.mark.parametrize(("feature", "minutes", "right"), QUERIES)
def test_features_are_read_by_name(prices, feature, minutes, right):
    step = QueryByKey([feature], prices, key="user", clock=lambda: minutes * 60.0)

    assert step.do({"user": "ann"}) == {"user": "ann", feature: right}
    step.close()


def test_an_empty_window_is_nan_and_an_unknown_key_is_none(prices):
    step = QueryByKey(["price_sum_1h"], prices, key_field="user", time_field="at")

    assert math.isnan(step.do({"user": "ann", "at": 1e6})["price_sum_1h"])
    assert step.do({"user": "zoe", "at": 0})["price_sum_1h"] is None
    step.close()


def test_fields_of_the_body_stay_and_features_have_aliases(prices):
    arguments = {"key": "user", "aliases": {"city": "town"}}
    step = QueryByKey(["city"], prices, **arguments)

    assert step.do({"user": "ann", "town": "here"})["town"] == "here"
    assert step.do({"user": "ann"}) == {"user": "ann", "town": "Oslo"}
    step.close()


def test_features_reach_the_answer_of_a_graph(run_step, prices):
    arguments = {"features": ["price_sum_3h"], "table": prices, "key": "user"}

    [answer] = run_step(
        "QueryByKey", [{"user": "ann", "at": 6000}], time_field="at", **arguments
    )

    assert answer["price_sum_3h"] == 6.0


def test_a_window_that_the_period_does_not_divide_is_said(prices):
    step = QueryByKey(["price_sum_15m"], prices, key="user")

    with pytest.raises(SpecError, match="periods of 600 s; its window must be"):
        step.do({"user": "ann"})
    step.close()


@pytest.mark.parametrize("features", ["city", [], [1]], ids=["text", "none", "number"])
def test_features_that_are_no_names_are_refused(features):
    with pytest.raises(SpecError, match="features must be a list"):
        QueryByKey(features, "store")
