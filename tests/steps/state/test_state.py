import threading

import pytest

from jupyter_graph import Graph
from jupyter_graph.connectors.tables.open_table import open_table
from jupyter_graph.errors import BadRequestError, SpecError, StepError
from jupyter_graph.event import Event
from jupyter_graph.steps.state.running_state import MapWithState, Reduce
from jupyter_graph.types import NOTHING


def count(body, seen):
    return {**body, "seen": seen + 1}, seen + 1


def collect(body, state):
    state["bodies"].append(body["n"])
    return len(state["bodies"]), state


def bodies(users):
    return [{"user": user, "n": n} for n, user in enumerate(users)]


@pytest.mark.parametrize("engine", ["sync", "async"])
def test_a_state_goes_from_event_to_event(run_graph, engine):
    graph = Graph("counting", engine=engine)
    arguments = {"initial_state": 0, "fn": count}
    graph.to(name="it", class_name="MapWithState", class_args=arguments).respond()

    answers = run_graph(graph, bodies("aba"))

    assert [answer["seen"] for answer in answers] == [1, 2, 3]


def test_each_key_has_a_state_of_its_own(run_step):
    arguments = {"initial_state": {"bodies": []}, "fn": collect, "key": "user"}

    answers = run_step("MapWithState", bodies("abaab"), **arguments)

    assert answers == [1, 1, 2, 3, 2]


def test_the_initial_state_is_not_touched():
    initial = {"bodies": []}

    MapWithState(initial, collect).do({"n": 1})

    assert initial == {"bodies": []}


def test_events_may_be_told_apart_by_their_own_key():
    def fn(event, seen):
        event.body = seen
        return event, seen + 1

    step = MapWithState(0, fn, group_by_key=True)

    given = [step.do(Event({}, key=key)).body for key in "aab"]

    assert given == [0, 1, 0]


def test_with_too_many_keys_the_one_not_seen_for_longest_begins_anew():
    step = MapWithState(0, count, key="user", max_keys=2)

    given = [step.do(body)["seen"] for body in bodies("abacab")]

    assert given == [1, 1, 2, 1, 3, 1]


def test_a_state_of_none_is_a_state():
    step = MapWithState("start", lambda body, state: (state, None))

    assert [step.do(1), step.do(2)] == ["start", None]


def test_a_failure_leaves_the_state_as_it_was():
    step = MapWithState(10, lambda body, state: (body / state, body))

    assert step.do(5) == 0.5
    with pytest.raises(TypeError):
        step.do("x")
    assert step.do(5) == 1.0


@pytest.mark.parametrize("kind", ["store", "sqlite"])
def test_a_state_outlives_the_runner(run_graph, tmp_path, kind):
    if kind == "sqlite":
        pytest.importorskip("sqlalchemy")
    graph = Graph("lasting")
    arguments = {"initial_state": 0, "fn": count, "key": "user"}
    arguments["table"] = f"{kind}:///{tmp_path}/t.db"
    graph.to(name="it", class_name="MapWithState", class_args=arguments).respond()

    first = run_graph(graph, bodies("aba"))
    second = run_graph(graph, bodies("ab"))

    assert [answer["seen"] for answer in first + second] == [1, 1, 2, 3, 2]


def test_the_table_is_named_after_the_step(run_step, tmp_path):
    where = f"store://{tmp_path}/t.db"
    run_step("MapWithState", bodies("a"), initial_state=0, fn=count, table=where)

    assert open_table(f"{where}#it").get("all") == 1


def test_two_steps_on_one_table_lose_no_event(tmp_path):
    where = f"store://{tmp_path}/t.db#shared"
    steps = [MapWithState(0, count, key="user", table=where) for _ in range(2)]

    def work(step):
        for body in bodies("ab" * 20):
            step.do(body)

    threads = [threading.Thread(target=work, args=(step,)) for step in steps]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    given = steps[0].do({"user": "a"})["seen"]
    for step in steps:
        step.close()

    assert given == 41


async def waits(body, state):
    return body, state


def of_one(body):
    return body


WRONG = [
    pytest.param({"fn": "count"}, "must be a function of 2 arguments", id="text"),
    pytest.param({"fn": of_one}, "must take 2 arguments", id="one-argument"),
    pytest.param({"fn": waits}, "is a coroutine", id="coroutine"),
    pytest.param({"fn": count, "table": {}}, "state cannot be kept in", id="dict"),
    pytest.param({"fn": count, "table": "memroy"}, "there is no table", id="table"),
    pytest.param({"fn": count, "max_keys": 0}, "max_keys must be", id="keys"),
    pytest.param(
        {"fn": count, "key": "a", "group_by_key": True}, "means key='.key'", id="both"
    ),
]


@pytest.mark.parametrize(("arguments", "text"), WRONG)
def test_a_wrong_argument_is_refused(arguments, text):
    with pytest.raises(SpecError, match=text):
        MapWithState(0, **arguments)


def test_a_function_that_gives_no_pair_is_said(run_step):
    with pytest.raises(StepError, match=r"must give a pair, \(body, state\), got 5"):
        run_step("MapWithState", [1], initial_state=0, fn=lambda body, state: 5)


def test_a_body_without_its_key_is_the_callers_fault(run_step):
    arguments = {"initial_state": 0, "fn": count, "key": "user"}

    with pytest.raises(StepError) as raised:
        run_step("MapWithState", [{}], **arguments)

    assert isinstance(raised.value.__cause__, BadRequestError)


def add(total, body):
    return total + body


@pytest.mark.parametrize("engine", ["sync", "async"])
def test_a_reduced_value_goes_on_at_the_end(open_runner, engine):
    seen, graph = [], Graph("reducing", engine=engine)
    arguments = {"initial_value": 10, "fn": add}
    first = graph.to(name="it", class_name="Reduce", class_args=arguments)
    first.to(name="sink", handler=seen.append).respond()
    runner = open_runner(graph)

    assert [runner.run(n) for n in (1, 2, 3)] == [None, None, None]
    runner.close()

    assert seen == [16]


def test_a_running_value_goes_on_with_each_event(run_step):
    arguments = {"initial_value": 0, "fn": add, "running": True}

    assert run_step("Reduce", [1, 2, 3], **arguments) == [1, 3, 6]


def test_a_reduction_keeps_its_value_when_its_function_fails():
    step = Reduce(1, add)
    step.do(2)
    with pytest.raises(TypeError):
        step.do("x")

    assert step.do(3) is NOTHING
    assert step.flush(end=False) == []
    assert step.flush(end=True) == [6]


def test_a_running_reduction_of_events_gives_events():
    step = Reduce(0, lambda total, event: total + event.body, running=True)

    assert [step.do(Event(n)).body for n in (1, 2)] == [1, 3]


def test_a_reduction_without_a_function_is_refused():
    with pytest.raises(SpecError, match="fn must be a function of 2 arguments"):
        Reduce(0, None)
