"""ChoiceByField, and classes that choose for themselves."""

import pytest

from jupyter_graph import Graph, StepError
from jupyter_graph.errors import BadRequestError
from jupyter_graph.steps import ChoiceByField


def big(body):
    return {**body, "by": [*body.get("by", ()), "big"]}


def small(body):
    return {**body, "by": [*body.get("by", ()), "small"]}


def collect(body):
    return body["by"]


def choice_graph(first, **args):
    graph = Graph("choice")
    chosen = graph.to(first, name="choose", **args)
    chosen.to(name="big", handler=big)
    chosen.to(name="small", handler=small)
    graph.add_step(name="end", handler=collect, after=["big", "small"])
    graph.change_step("end", responder=True)
    return graph


@pytest.mark.parametrize("first", [ChoiceByField, "ChoiceByField"])
@pytest.mark.parametrize(
    ("to", "answer"),
    [
        pytest.param("big", ["big"], id="name"),
        pytest.param(["small"], ["small"], id="list"),
        pytest.param(("small",), ["small"], id="tuple"),
        pytest.param(["big", "small"], ["big"], id="both-first-answers"),
    ],
)
def test_a_body_goes_where_its_field_says(run_graph, first, to, answer):
    graph = choice_graph(first, field_name="to")

    assert run_graph(graph, [{"to": to}]) == [answer]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        pytest.param({}, "'to', which names the next step", id="missing"),
        pytest.param([1], "argument of type 'list' is not", id="a-list"),
        pytest.param(None, "argument of type 'NoneType' is not", id="nothing"),
        pytest.param({"to": None}, "its value None must be a string", id="null"),
        pytest.param({"to": []}, "'to' cannot be an empty list", id="no-names"),
        pytest.param({"to": 5}, "instead of type 'int'", id="a-number"),
        pytest.param({"to": [{"a": 1}]}, "got [{'a': 1}]", id="no-texts"),
    ],
)
def test_a_field_that_names_no_step_is_the_callers_fault(ask, body, message):
    answer = ask(choice_graph(ChoiceByField, field_name="to"), body)

    assert answer.status_code == 400
    assert isinstance(answer.error.__cause__, BadRequestError)
    assert message in answer.body["detail"]


@pytest.mark.parametrize(
    ("body", "status"), [({}, 500), ({"to": []}, 500), ({"to": None}, 400)]
)
def test_mlruns_clients_get_mlruns_status(open_runner, body, status):
    graph = choice_graph(ChoiceByField, field_name="to")
    runner = open_runner(graph, mlrun_status=True)

    assert runner.answer(body, silent=True).status_code == status


@pytest.mark.parametrize("to", ["ghost", ["big", "ghost"]])
def test_a_step_that_does_not_follow_is_named(run_graph, to):
    graph = choice_graph(ChoiceByField, field_name="to")

    with pytest.raises(
        StepError, match=r"Invalid outlet 'ghost' for 'choose'.*are: big, small\."
    ):
        run_graph(graph, [{"to": to}])


def test_a_step_named_twice_is_refused(run_graph):
    graph = choice_graph(ChoiceByField, field_name="to")

    with pytest.raises(StepError, match=r"duplicate outlet names.*\(big, big\)"):
        run_graph(graph, [{"to": ["big", "big"]}])


class Pick:
    def select_outlets(self, body):
        return body["go"]


@pytest.mark.parametrize(
    ("go", "answer"),
    [
        pytest.param("small", ["small"], id="a-text-is-one-name"),
        pytest.param(["small"], ["small"], id="names"),
        pytest.param(None, ["big"], id="none-means-all"),
        pytest.param([], ["big"], id="an-empty-list-means-all"),
    ],
)
def test_any_class_may_choose(run_graph, go, answer):
    assert run_graph(choice_graph(Pick), [{"go": go}]) == [answer]


class PickAndDo(Pick):
    def do(self, body):
        return {"go": body, "by": ["done"]}


def test_a_class_that_chooses_may_also_work(run_graph):
    assert run_graph(choice_graph(PickAndDo), ["small"]) == [["done", "small"]]
