from pathlib import Path

import pytest

from jupyter_graph import Graph, Runner
from jupyter_graph.errors import MagicError, SpecError, StepError
from jupyter_graph.session.session import graph_name_of

RISKY = "def risky(body):\n    return 1 / body"


def test_a_run_gives_an_answer_and_is_remembered(session, define):
    define("def double(body): return body['x'] * 2")
    answer = session.run({"x": 2}, path="/a", headers={"X-A": "1"})
    [record] = session.events()

    assert (answer.body, answer.value, answer.status_code) == (4, 4, 200)
    assert (record.body, record.path, record.headers) == ({"x": 2}, "/a", {"X-A": "1"})
    assert (record.status, record.attempts, record.error) == (200, 1, None)
    assert record.event_id == answer.event_id
    assert record.time.tzinfo is not None


def test_a_failed_event_raises_and_is_remembered(session, define):
    define(RISKY)

    with pytest.raises(StepError) as caught:
        session.run(0)

    [record] = session.events()
    assert (record.step, record.status, record.error) == ("risky", 500, caught.value)
    assert caught.value.event_id == record.event_id
    assert session.run(0, silent=True).status_code == 500


def test_what_a_step_does_to_the_body_reaches_neither_caller_nor_record(
    session, define
):
    define("def spoil(body):\n    body['x'] = 0\n    return body")
    sent = {"x": 1}
    session.run(sent)

    assert sent == {"x": 1}
    assert session.events()[0].body == {"x": 1}
    assert session.replay().body == {"x": 0}


def test_each_body_is_one_event(session, define):
    define(RISKY)

    assert [answer.body for answer in session.run_each([1, 2])] == [1.0, 0.5]
    with pytest.raises(StepError):
        session.run_each([1, 0, 4])
    assert len(session.events()) == 4
    assert len(session.run_each([0, 0], silent=True)) == 2


def test_a_replay_may_begin_later_and_with_another_body(session, define):
    define("def add(body): return body + 1")
    define("def double(body): return body * 2")
    session.run(1)

    assert session.replay("last", body=4).body == 10
    assert session.replay("-2", from_step="double").body == 4
    assert session.replay(from_step="double", body=7).body == 14


def test_a_replay_of_an_event_that_never_reached_the_step_is_refused(session, define):
    define(RISKY)
    define("def later(body): return body")
    session.run(0, silent=True)

    with pytest.raises(MagicError, match="what step 'later' received"):
        session.replay(from_step="later")


def test_only_events_through_the_whole_graph_are_inputs_for_parity(session, define):
    define("def add(body): return body + 1")
    define("def double(body): return body * 2")
    session.run(1)
    session.run(2, until="add")
    session.replay(from_step="double", body=3)

    assert [
        given.body for given in session.event_ring.inputs(session.graph().spec)
    ] == [1]


def test_the_ring_keeps_the_last_thousand(session, define):
    define("def same(body): return body")
    session.run_each(range(1005))

    assert [session.events()[0].body, len(session.events())] == [5, 1000]
    assert session.event_ring.find("notebook", "-1000").answer is None
    assert session.event_ring.find("notebook").answer.trace is not None


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        pytest.param("-3", "is not kept: it has 2", id="too-far-back"),
        pytest.param("nope", "has no event 'nope'", id="unknown"),
    ],
)
def test_an_unknown_event_is_told(session, define, wanted, said):
    define("def same(body): return body")
    session.run_each([1, 2])

    with pytest.raises(MagicError, match=said):
        session.replay(wanted)


def test_the_graph_can_be_given_to_a_runner(session, define):
    session.user_ns["base"] = [5]
    define(
        "class Add:\n    def __init__(self, base): self.base = base[0]\n"
        "    def do(self, body): return body + self.base",
        args={"base": {"$value": "base"}},
    )

    with Runner(session.graph()) as runner:
        assert runner.run(1) == 6


def test_a_graph_built_in_python_is_run_and_recorded(session):
    graph = session.graph()
    graph.to(name="a", handler=lambda body: [body]).respond()

    assert session.run(5).body == [5]
    graph.add_step(name="b", handler=lambda body: None)
    assert session.run(7).body == [7]


def test_a_variable_that_changed_reaches_the_next_event(session, define):
    session.user_ns["base"] = 1
    define(
        "class Add:\n    def __init__(self, base): self.base = base\n"
        "    def do(self, body): return body + self.base",
        args={"base": {"$value": "base"}},
    )
    assert session.run(0).body == 1

    session.user_ns["base"] = 100

    assert session.run(0).body == 100


def test_a_broken_change_leaves_the_running_graph(session, define):
    define("def a(body): return 'old'", "c1")
    session.run(0)
    session.graph().change_step("a", after=("gone",))

    with pytest.raises(SpecError, match="'gone'"):
        session.run(0)

    session.graph().change_step("a", after=())
    assert session.run(0).body == "old"


def test_cells_of_another_graph_with_the_same_names_stay_out(session, define):
    session.graphs.new("one")
    define("def f(body): return 1", "c1")
    session.graphs.new("two")
    define("def f(body): return 2", "c2")
    sources = [cell.source for cell in session.cells_for(session.graphs.named("one"))]

    assert sources == ["def f(body): return 1"]
    assert session.run(0, graph="one").body == 1
    assert "return 1" in session.program("one")


def test_a_watcher_hears_of_changes_and_events(session, define):
    heard = []
    session.watchers.append(heard.append)
    define("def same(body): return body")
    session.run(1)

    assert heard == ["notebook", "notebook"]


def test_many_events_in_a_row_are_told_seldom(session, define):
    define("def same(body): return body")
    heard = []
    session.watchers.append(heard.append)
    session.run_each(range(200))

    assert 1 <= len(heard) < 50


def test_reset_closes_and_forgets(session, define):
    define("def same(body): return body")
    session.run(1)
    runner = session.runners.peek("notebook")
    session.reset()

    assert not runner.is_open
    assert session.graphs.names() == []


@pytest.mark.parametrize(
    ("path", "name"),
    [
        pytest.param(None, "notebook", id="no-file"),
        pytest.param(Path("fraud.ipynb"), "fraud", id="plain"),
        pytest.param(Path("01 my nötebook!.ipynb"), "_01_my_n_tebook_", id="odd-signs"),
        pytest.param(Path("start.ipynb"), "start_", id="reserved"),
        pytest.param(Path("a" * 80), "a" * 63, id="long"),
    ],
)
def test_the_first_graph_is_named_after_the_notebook(path, name):
    assert graph_name_of(path) == name
    assert Graph(name).name == name
