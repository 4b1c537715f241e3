"""The whole graph language in a bundle: nested flows, routes, models, expressions."""

import pytest

from jupyter_graph.deployment.bundle.build import build_bundle
from jupyter_graph.deployment.deploy import deploy
from jupyter_graph.deployment.options import read_options
from jupyter_graph.errors import BundleError, DeployError
from jupyter_graph.spec.builder import Graph
from tests.deployment.conftest import ran

pytestmark = [pytest.mark.slow, pytest.mark.timeout(90)]

CELLS = (
    "def strip(body):\n    return {**body, 'text': body['text'].strip()}\n",
    "def lower(body):\n    return {**body, 'text': body['text'].lower()}\n",
    "def is_long(body):\n    return len(body['text']) > 2\n",
    "from jupyter_graph.steps import V2ModelServer\n"
    "class Length(V2ModelServer):\n"
    "    def load(self):\n        self.model = self.get_param('factor', 1)\n"
    "    def predict(self, request):\n"
    "        return [len(x) * self.model for x in request['inputs']]\n",
    "from jupyter_graph.steps import Model\n"
    "class Times(Model):\n"
    "    def __init__(self, name, k=1, **more):\n"
    "        super().__init__(name, **more)\n        self.k = k\n"
    "    def predict(self, body):\n        return {'got': body['n'] * self.k}\n",
)


@pytest.fixture
def cells(notebook):
    for source in CELLS:
        notebook.run(source)
    return notebook


def voting(cells):
    """A flow in a flow, a Filter, an expression, an ensemble of two models."""
    tidy = Graph("tidy")
    tidy.add_step(None, "strip", cells["strip"])
    tidy.add_step(None, "lower", cells["lower"])
    graph = Graph("voting")
    graph.add_step(tidy, "tidy")
    graph.add_step("Filter", "long", fn=cells["is_long"])
    graph.add_step(None, "ask", "({'inputs': [event['text']]})")
    router = graph.add_step("*VotingEnsemble", "vote", vote_type="regression")
    router.add_route("one", cells["Length"], model_path="none")
    router.add_route("three", cells["Length"], model_path="none", factor=3)
    router.respond()
    return graph


def test_a_nested_flow_a_filter_an_expression_and_an_ensemble_are_deployed(cells):
    graph = voting(cells)
    events = ran(graph, *({"text": text} for text in (" ABCD ", "abc", " x ")))
    deployment = deploy(graph, sources=cells.sources, events=events)

    assert str(deployment.parity) == "parity: 3 of 3 events equal"
    assert deployment.invoke({"text": " ABCD "}).body["outputs"] == [8.0]
    assert deployment.invoke({"text": " x "}).status_code == 204


def bundle_of(graph, sources, tmp_path, **options):
    settings = read_options(graph.name, options)
    return build_bundle(graph, sources, settings, tmp_path / "bundle")


def test_code_of_every_place_travels_and_its_packages_are_required(cells, tmp_path):
    from jupyter_graph.deployment.named_values import with_named_code

    graph = with_named_code(voting(cells))
    bundle = bundle_of(graph, cells.sources, tmp_path)
    source = (bundle.folder / "steps.py").read_text()

    assert all(name in source for name in ("strip", "lower", "is_long", "Length"))
    assert "Times" not in source
    required = {line.partition("==")[0] for line in bundle.requirements}
    assert "numpy" in required
    assert "storey" not in required


def test_the_models_of_a_runner_travel(cells):
    graph = Graph("models")
    models = {"a": [cells["Times"], {"k": 2}], "b": ["Times", {"k": 3}]}
    graph.add_step(
        "ModelRunnerStep", "run", kind="model_runner", class_args={"models": models}
    )
    graph.namespace["Times"] = cells["Times"]
    deployment = deploy(graph, sources=cells.sources, events=ran(graph, {"n": 1}))

    assert str(deployment.parity) == "parity: 1 of 1 events equal"
    assert deployment.invoke({"n": 2}).body == {"a": {"got": 4}, "b": {"got": 6}}


def test_functions_that_arguments_name_travel(cells):
    graph = Graph("named")
    graph.add_step("Map", "tidy", class_args={"_fn": "strip"})
    graph.add_step("storey.Map", "low", class_args={"_fn": "lower"})
    deployment = deploy(
        graph,
        sources=cells.sources,
        events=ran(graph.with_spec(graph.spec, cells.namespace), {"text": " A "}),
    )

    assert str(deployment.parity) == "parity: 1 of 1 events equal"
    assert deployment.invoke({"text": " B "}).body == {"text": "b"}


def test_a_graph_of_several_functions_is_refused(cells):
    graph = Graph("two")
    graph.add_step(None, "strip", cells["strip"])
    graph.add_step(">>", "q")
    graph.add_step(None, "lower", cells["lower"], function="worker")

    with pytest.raises(DeployError, match=r"'lower' in 'worker'.*take --function away"):
        deploy(graph, sources=cells.sources)


def test_a_function_without_a_name_is_refused(cells):
    graph = Graph("nameless")
    graph.add_step("Filter", "f", fn=lambda body: True)

    with pytest.raises(BundleError, match=r"step 'f': the argument .* has no name"):
        deploy(graph, sources=cells.sources)


def test_equal_names_in_two_flows_do_not_mix_their_values(cells, tmp_path):
    import json

    graph = Graph("twice")
    cells.run(
        "class Keep:\n    def __init__(self, v): self.v = v\n"
        "    def do(self, body): return sorted(self.v)\n"
    )
    for name, value in (("a", {1, 2}), ("b", {3})):
        inner = Graph(name)
        inner.add_step(cells["Keep"], "keep", v=value)
        graph.add_step(inner, name)
    bundle = bundle_of(graph, cells.sources, tmp_path)
    steps = json.loads((bundle.folder / "graph.json").read_text())["steps"]
    values = [steps[n]["steps"]["keep"]["class_args"]["v"] for n in ("a", "b")]

    assert values == [{"$value": "_keep_v"}, {"$value": "_keep_v_2"}]
