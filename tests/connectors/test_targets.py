import pytest

from jupyter_graph import Graph
from jupyter_graph.connectors.table_target import TableTarget
from jupyter_graph.connectors.tables.open_table import open_table
from jupyter_graph.errors import BadRequestError, SpecError
from jupyter_graph.event import Event

BODY = {"id": "a", "price": 3, "note": "x"}


@pytest.fixture
def where(tmp_path):
    return f"store://{tmp_path}/t.db#rows"


@pytest.mark.parametrize("engine", ["sync", "async"])
def test_a_body_is_written_and_goes_on(run_graph, where, engine):
    graph = Graph("writing", engine=engine)
    arguments = {"table": where, "key": "id"}
    graph.to(name="it", class_name="TableTarget", class_args=arguments).respond()

    assert run_graph(graph, [BODY]) == [BODY]
    assert open_table(where).get("a") == BODY


WRITES = [
    pytest.param({}, {"id": "a", "price": 4}, id="replaced"),
    pytest.param({"merge": True}, {**BODY, "price": 4}, id="merged"),
    pytest.param({"attributes": ["price", "no"]}, {"price": 4}, id="some-fields"),
]


@pytest.mark.parametrize(("arguments", "right"), WRITES)
def test_a_second_body_of_a_key(where, arguments, right):
    table = open_table(where)
    table.put("a", BODY)

    target = TableTarget(where, "id", **arguments)
    target.do({"id": "a", "price": 4})
    target.close()

    assert table.get("a") == right


def test_any_body_may_be_written_under_a_key_of_the_event(where):
    target = TableTarget(where, "$key")
    event = Event([1, 2], key="k")

    assert target.do(event) is event
    assert open_table(where).get("k") == [1, 2]


def test_a_run_that_only_compares_writes_nothing(where):
    class Parity:
        is_parity = True

    TableTarget(where, "id", context=Parity()).do(BODY)

    assert list(open_table(where).keys()) == []


WRONG = [
    pytest.param({"table": {}}, "can only be looked up", id="dict"),
    pytest.param({"table": "x"}, "there is no table 'x'", id="table"),
    pytest.param({"attributes": "price"}, "list of fields", id="attributes"),
    pytest.param({"key": None}, "key must be", id="key"),
    pytest.param({"timeout_s": 0}, "above 0 seconds", id="timeout"),
]


@pytest.mark.parametrize(("arguments", "text"), WRONG)
def test_a_wrong_argument_is_refused(where, arguments, text):
    with pytest.raises(SpecError, match=text):
        TableTarget(**{"table": where, "key": "id", **arguments})


def test_a_body_without_fields_cannot_be_merged(where):
    target = TableTarget(where, lambda body: "k", merge=True)

    with pytest.raises(BadRequestError, match="must be an object"):
        target.do([1])
