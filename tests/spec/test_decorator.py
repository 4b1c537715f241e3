"""``@step``: what ``%%graph_step`` does, in a module."""

import functools

import pytest

from jupyter_graph import Graph, step
from jupyter_graph.errors import DuplicateStepError, SpecError
from jupyter_graph.spec import named_graphs


def parse(body):
    return {"n": int(body)}


class Add:
    def __init__(self, by):
        self.by = by

    def do(self, body):
        return body["n"] + self.by


def rescue(body):
    return f"rescued {body}"


def test_functions_and_classes_become_steps(run_graph):
    graph = Graph("g")
    assert step(graph)(parse) is parse
    assert step(graph, "plus", args={"by": 10}, respond=True)(Add) is Add

    assert run_graph(graph, ["5", "6"]) == [15, 16]


def test_the_options_are_those_of_a_step():
    graph = Graph("g")
    step(graph, timeout_s=2, retries=3, result_path="r")(parse)

    found = graph.spec.step("parse")
    assert (found.timeout_s, found.retries, found.result_path) == (2, 3, "r")


def test_a_step_goes_after_or_before_others():
    graph = Graph("g")
    step(graph, "a")(parse)
    step(graph, "b")(parse)
    step(graph, "c", after="a")(parse)
    step(graph, "d", after=["a", "b"])(parse)
    step(graph, "e", after="start", before="a")(parse)

    after = {found.name: found.after for found in graph.spec.steps}
    assert after == {
        "a": ("e",), "b": ("a",), "c": ("a",), "d": ("a", "b"), "e": (),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("body", "on_error", "answer"),
    [("5", "parse", 15), ("x", "parse", "rescued x"), ("x", "graph", "rescued x")],
)
def test_a_step_may_handle_errors(run_graph, body, on_error, answer):
    graph = Graph("g")
    step(graph)(parse)
    step(graph, "plus", args={"by": 10})(Add)
    step(graph, on_error=on_error)(rescue)

    assert run_graph(graph, [body]) == [answer]


def test_an_error_handler_may_lead_back_into_the_flow(run_graph):
    graph = Graph("g")
    step(graph)(parse)
    step(graph, "plus", args={"by": 10})(Add)
    step(graph, "zero", on_error="parse", before="plus")(lambda body: {"n": 0})

    assert run_graph(graph, ["x"]) == [10]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"on_error": "parse", "respond": True}, "error handler takes no 'respond'"),
        ({"on_error": "graph", "after": "parse"}, "error handler takes no 'after'"),
        ({"before": ["parse"]}, r"a step goes before one step, got \['parse'\]"),
        ({"before": "prase"}, "no step 'prase'; did you mean 'parse'"),
        ({"on_error": "prase"}, "no step 'prase'; did you mean 'parse'"),
        ({"name": "2nd"}, "starts with a letter"),
        ({"name": "parse"}, "already has a step 'parse'"),
        ({"retrys": 2}, "no option 'retrys'; did you mean 'retries'"),
        ({"timeout": 1, "timeout_s": 1}, "say the same"),
        ({"queue": "q"}, "needs a function"),
        ({"path": "memory://q"}, "say queue too"),
        ({"queue": "parse", "function": "w"}, "this step is no queue"),
        ({"queue": "q", "function": "w", "name": "parse"}, "already has a step"),
        ({"router": "r"}, "no step 'r'"),
    ],
)
def test_options_that_make_no_sense_are_refused(options, message):
    graph = Graph("g")
    step(graph)(parse)
    before = graph.to_dict(), dict(graph.namespace)

    with pytest.raises(SpecError, match=message):
        step(graph, **options)(rescue)
    assert (graph.to_dict(), dict(graph.namespace)) == before


def test_code_without_a_name_is_refused():
    with pytest.raises(SpecError, match="has no name; give its class"):
        step(Graph("g"))(functools.partial(parse))
    with pytest.raises(SpecError, match="needs a name"):
        step(Graph("g"))(lambda body: body)


def test_a_name_is_taken_once():
    graph = Graph("g")
    step(graph)(parse)

    with pytest.raises(DuplicateStepError):
        step(graph)(parse)


def test_the_options_of_a_cell_have_the_same_names_here():
    graph = Graph("g", allow_cyclic=True)
    step(graph, timeout=2, backoff=0.5, batch=3, batch_wait=7, concurrency=2)(parse)
    step(graph, "plus", args={"by": 1}, cycle_to="parse", max_iterations=9)(Add)
    found, plus = graph.spec.step("parse"), graph.spec.step("plus")

    assert (found.timeout_s, found.backoff_s, found.batch_wait_ms) == (2, 0.5, 7)
    assert (found.cycle_from, plus.max_iterations) == (("plus",), 9)


def test_a_step_stands_behind_a_queue(run_graph):
    graph = Graph("g")
    step(graph)(parse)
    step(graph, queue="q", path="memory://q", function="w", args={"by": 1})(Add)
    step(graph, "more", queue="q", function="w", args={"by": 2}, respond=True)(Add)
    after = {found.name: found.after for found in graph.spec.steps}

    assert after == {"parse": (), "q": ("parse",), "Add": ("q",), "more": ("q",)}
    assert graph.spec.step("q").path == "memory://q"
    assert run_graph(graph, ["5"]) == [7]


def test_a_step_is_a_route(run_graph):
    graph = Graph("g")
    graph.add_router("pick", "ParallelRun")
    step(graph, router="pick", route="five")(lambda body: {"five": 5})
    step(graph, "six", router="pick")(lambda body: {"six": 6})

    assert [route.name for route in graph.spec.step("pick").routes] == ["five", "six"]


def test_in_a_function_a_step_that_names_its_graph_is_left_as_it_is(monkeypatch):
    monkeypatch.setattr(named_graphs, "_holders", [])
    named_graphs.hold_none()

    @step
    def bare(body):
        return body

    @step(graph="risk", after="bare")
    class Named:
        pass

    assert (bare(1), Named.__name__) == (1, "Named")


@pytest.mark.parametrize(
    ("put", "said"),
    [
        pytest.param(lambda: step(len), "the current graph of a notebook", id="bare"),
        pytest.param(lambda: step("risk")(len), "graph 'risk' of a no", id="by-name"),
    ],
)
def test_in_a_script_a_step_needs_a_graph(monkeypatch, put, said):
    monkeypatch.setattr(named_graphs, "_holders", [])

    with pytest.raises(SpecError, match=said):
        put()
