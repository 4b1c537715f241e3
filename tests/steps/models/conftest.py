"""Models that are trained once, and graphs that serve them."""

import pytest

from jupyter_graph import Event, Graph


@pytest.fixture
def serve():
    """Give a graph of one model."""

    def graph_of(server, **args):
        graph = Graph("one_model")
        graph.to(server, name="m", **args).respond()
        return graph

    return graph_of


@pytest.fixture
def ready():
    """Give a model server that is loaded, without a graph around it."""

    def loaded(server, **args):
        built = server(name="m", **args)
        built.post_init()
        return built

    return loaded


@pytest.fixture
def predict(ready):
    """Give the outputs of a server for some inputs."""

    def outputs(server, inputs, **args):
        event = Event({"inputs": inputs}, path="/infer")
        return ready(server, **args).do_event(event).body["outputs"]

    return outputs


@pytest.fixture(scope="session")
def flowers():
    """Give the rows and classes of the iris set."""
    datasets = pytest.importorskip("sklearn.datasets")
    return datasets.load_iris(return_X_y=True)


def tensor(name, datatype, shape, data):
    return {"name": name, "datatype": datatype, "shape": shape, "data": data}


@pytest.fixture(name="tensor")
def _tensor():
    return tensor
