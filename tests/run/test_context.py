"""What steps see of their surroundings, MLRun's names for it included."""

import copy
import pickle

import pytest

from jupyter_graph import Graph, MockServer, Runner
from jupyter_graph.errors import RunError, SpecError
from jupyter_graph.run.context import OF_AN_MLRUN_SERVER, Context


@pytest.mark.parametrize("name", OF_AN_MLRUN_SERVER)
def test_what_needs_an_mlrun_server_says_what_to_write(name):
    with pytest.raises(AttributeError, match=f"context.{name} needs an MLRun server; "):
        getattr(Context(), name)
    assert getattr(Context(), name, None) is None


def test_a_step_that_asks_mlruns_server_names_itself():
    def look_up(body, context):
        return context.get_table(body)

    graph = Graph("asks")
    graph.to(look_up).respond()
    with MockServer(graph) as server, pytest.raises(RunError) as caught:
        server.test(body="users")

    assert caught.value.__cause__.step == "look_up"
    assert "give the table itself as the step's 'table' argument" in str(caught.value)


def test_an_address_is_an_endpoint_and_a_functions_name_is_not():
    assert Context().get_remote_endpoint("https://a/b", external=False) == "https://a/b"
    with pytest.raises(SpecError, match=r"function 'scorer' is; give its address"):
        Context().get_remote_endpoint("scorer")


def test_nothing_is_tracked():
    assert Context().stream.enabled is False


def test_a_context_may_be_copied_and_shipped():
    context = Context(parameters={"limit": 3}, name="step")

    for twin in (copy.copy(context), pickle.loads(pickle.dumps(context))):
        assert (twin.name, twin.get_param("limit")) == ("step", 3)
    with pytest.raises(AttributeError, match="no attribute 'loger'"):
        _ = context.loger


# -- one context for all ------------------------------------------------------------


class Counts:
    def __init__(self, context):
        self.context = context

    def do(self, body):
        return [*body, *counted(self.context)]


def counted(context):
    context.count = getattr(context, "count", 0) + 1
    return context.count, context.name


def counts(body, context):
    return list(counted(context))


@pytest.mark.parametrize("opened", [Runner, MockServer])
def test_what_a_step_sets_the_next_one_sees_also_with_the_next_event(opened):
    graph = Graph("shared")
    graph.to(name="a", handler=counts).to(Counts, name="b").respond()

    with opened(graph) as server:
        run = server.test if opened is MockServer else server.run
        found = [run(body=None), run(body=None)]
    with opened(graph) as server:
        run = server.test if opened is MockServer else server.run
        other = run(body=None)

    assert found == [[1, "a", 2, "b"], [3, "a", 4, "b"]]
    assert other == [1, "a", 2, "b"]


def test_steps_of_a_flow_inside_and_routes_share_it_too(open_runner):
    inner = Graph("inner")
    inner.to(name="deep", handler=counts).respond()
    graph = Graph("outer")
    graph.to(name="a", handler=counts).to(inner, name="flow")
    graph.add_step(Counts, "b", after="flow").respond()

    found = open_runner(graph).run(None)

    assert found == [2, "deep", 3, "b"]


def test_a_steps_context_can_be_looked_at_and_changed_like_any_object():
    whole = Context(parameters={"limit": 3})
    one, two = whole.named("one"), whole.named("two").named("again")

    one.model = "m"
    one.parameters = {"limit": 4}
    two.name = "two"

    assert (two.model, two.get_param("limit"), whole.model) == ("m", 4, "m")
    assert (whole.name, one.name, two.name) == ("", "one", "two")
    assert "model" in dir(two)
    del two.model
    assert not hasattr(one, "model")
    with pytest.raises(AttributeError, match="get_table needs an MLRun server"):
        one.get_table("users")


def test_errors_reported_elsewhere_leave_the_rest_shared():
    told = []
    whole = Context(push=lambda *about: told.append(about))
    silent = whole.named("one").reporting(lambda *_: None)

    silent.push_error(None, "nobody hears")
    silent.seen = True
    whole.named("two").push_error(None, "heard")

    assert told == [(None, "heard", "two")]
    assert whole.seen
    assert silent.name == "one"
