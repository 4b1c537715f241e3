"""``@step``: what ``%%graph_step`` does, in a module."""

import functools

import pytest

from jupyter_graph import Graph, step
from jupyter_graph.errors import DuplicateStepError, SpecError


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
