"""What steps see of their surroundings, MLRun's names for it included."""

import copy
import pickle

import pytest

from jupyter_graph import Graph, MockServer
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
