"""Models and the graphs that serve them."""

import pytest

from jupyter_graph import Graph
from jupyter_graph.steps import V2ModelServer

MODELS = "/v2/models"


class Times(V2ModelServer):
    """Gives each input times ``mult``."""

    def load(self):
        self.model = self.get_param("mult", 1)

    def predict(self, request):
        return [x * self.model for x in request["inputs"]]

    def explain(self, request):
        return {"why": len(request["inputs"])}

    def op_custom(self, event):
        return {"custom": event.body, "mult": self.get_param("mult")}


@pytest.fixture
def times():
    return Times


@pytest.fixture
def models():
    """A router of two models, the second in two versions."""
    graph = Graph("models", topology="router")
    graph.add_model("m1", Times, mult=2)
    graph.add_model("m2", Times, mult=3)
    graph.add_model("m2:v2", Times, mult=30)
    return graph


@pytest.fixture
def ask(open_runner):
    """Send one request to a graph; give its answer, whatever the status."""

    def send(graph, body=None, path="/", method="POST", **facts):
        runner = open_runner(graph)
        return runner.answer(body, path=path, method=method, silent=True, **facts)

    return send
