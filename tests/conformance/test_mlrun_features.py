"""Features of MLRun's graphs that no other test shows; docs/mlrun.md links here."""

import sys

import pytest

from jupyter_graph import Graph, MockServer, mlrun_names
from jupyter_graph.errors import BadRequestError, NotFoundError, SpecError
from jupyter_graph.spec.mlrun.serving_spec import read_serving_spec
from jupyter_graph.steps import V2ModelServer


def inc(x):
    return x + 1


def double(x):
    return 2 * x


async def inc_later(x):
    return x + 1


def fails(x):
    raise ValueError("no")


def ends(event):
    event.terminated = True
    return event


def tell(event):
    event.body = [event.id, event.path]
    return event


def limit(body, context):
    return context.get_param("limit")


CODE = {
    code.__name__: code for code in (inc, double, inc_later, fails, ends, tell, limit)
}


@pytest.fixture
def serve():
    """Serve a flow of these steps; the last one answers."""
    servers = []

    def open_one(*steps, engine="async", **options):
        chain = {}
        for step in steps:
            name = step["handler"] if "handler" in step else step["class_name"]
            chain[name] = {**step, "after": list(chain)[-1:]}
        if engine == "async":
            chain[name]["responder"] = True
        document = {"engine": engine, "steps": chain}
        graph = Graph.from_dict(document, {**CODE, "__name__": __name__})
        servers.append(MockServer(graph, **options))
        return servers[-1]

    yield open_one
    for server in servers:
        server.close()


# -- building ---------------------------------------------------------------------


def test_set_flow_makes_a_chain(run_graph):
    graph = Graph("g")
    last = graph.set_flow([{"name": "first", "handler": inc}, double])

    assert (last.name, graph.spec.step("double").after) == ("double", ("first",))
    assert run_graph(graph, [1]) == [4]


def test_set_flow_overwrites_only_when_told_to():
    graph = Graph("g")
    graph.to(name="a", handler=inc)
    with pytest.raises(SpecError, match=r"downstream steps \(a\).*force=True"):
        graph.set_flow([double])

    graph.set_flow([double], force=True)
    assert graph.spec.names() == ("double",)


def test_a_router_class_may_have_mlruns_star():
    graph = Graph("g")
    graph.to("*VotingEnsemble", name="vote")
    graph.add_step("*", name="one")

    kinds = [(step.kind, step.class_name) for step in graph.spec.steps]
    assert kinds == [("router", "VotingEnsemble"), ("router", None)]


# -- serving ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("engine", "found"),
    [pytest.param("sync", 1, id="sync"), pytest.param("async", 2, id="async")],
)
def test_an_event_ends_a_flow_of_the_sync_engine(serve, engine, found):
    steps = ({"handler": "ends", "full_event": True}, {"handler": "inc"})

    assert serve(*steps, engine=engine).test(body=1) == found


@pytest.mark.parametrize("engine", ["sync", "async"])
def test_coroutines_are_awaited_in_both_engines(serve, engine):
    assert serve({"handler": "inc_later"}, engine=engine).test(body=1) == 2


def test_headers_between_functions_say_id_and_path(serve):
    server = serve({"handler": "tell", "full_event": True})
    headers = {"MLRUN-EVENT-ID": "e-7", "MLRUN-EVENT-PATH": "/b"}

    assert server.test("/a", body=1, headers=headers) == ["e-7", "/b"]


def test_a_server_is_changed_before_its_steps_are_built(serve):
    def initialise(server):
        server.parameters["limit"] = 5

    server = serve({"handler": "limit"}, graph_initializer=initialise)
    assert server.test(body=1) == 5


def test_a_failed_event_leaves_a_record_in_the_error_stream(serve):
    server = serve({"handler": "inc"}, {"handler": "fails"})
    server.test(body=1, event_id="e-7", silent=True)
    [record] = server.error_stream

    assert record["source"] == "fails"
    assert record["event"]["id"] == "e-7"
    assert record["message"].startswith("ValueError: no")


def test_a_failure_of_a_flow_without_responder_is_in_the_error_stream():
    document = {"steps": {"fails": {"handler": "fails"}}}
    graph = Graph.from_dict(document, {**CODE, "__name__": __name__})

    with MockServer(graph) as server:
        assert server.test(body=1, event_id="e-7") == {"id": "e-7"}
        assert [record["source"] for record in server.error_stream] == ["fails"]


def test_a_function_is_served_as_its_environment_says():
    document = '{"graph": {"steps": {"limit": {"handler": "limit", "responder": true}}}'
    spec = read_serving_spec(
        {"SERVING_SPEC_ENV": document + ', "parameters": {"limit": 3}}'}
        | {"SERVING_CURRENT_FUNCTION": "*"}
    )
    names = {**CODE, "__name__": __name__}
    graph = Graph.from_dict(spec.graph, names, name=spec.name)

    with MockServer(graph, **spec.server_options()) as server:
        assert server.test(body={}) == 3


# -- MLRun's names ----------------------------------------------------------------


@pytest.fixture
def names():
    """Put MLRun's names in place, as ``%load_ext jupyter_graph.mlrun_names`` does."""
    if "mlrun" in sys.modules:
        pytest.skip("mlrun itself is here")
    mlrun_names.load_ipython_extension(None)
    yield
    mlrun_names.unload_ipython_extension(None)


def test_code_written_for_mlrun_finds_its_classes(names):
    import mlrun.errors
    from mlrun.feature_store.steps import MapValues
    from mlrun.serving import V2ModelServer as TheirServer
    from mlrun.serving.routers import VotingEnsemble

    assert TheirServer is V2ModelServer
    assert issubclass(mlrun.errors.MLRunNotFoundError, NotFoundError)
    assert mlrun.errors.MLRunBadRequestError is BadRequestError
    assert (MapValues.__name__, VotingEnsemble.__name__) == (
        "MapValues",
        "VotingEnsemble",
    )


def test_mlruns_names_are_taken_back(names):
    mlrun_names.unload_ipython_extension(None)

    assert not any(name.partition(".")[0] == "mlrun" for name in sys.modules)


# -- what is not here -------------------------------------------------------------


@pytest.mark.parametrize(
    ("step", "said"),
    [
        pytest.param(
            {"class_name": "mlrun.serving.v1_serving.MLModelServer"},
            "is not to be had here: write V2ModelServer",
            id="v1-model-server",
        ),
        pytest.param(
            {"class_name": "mlrun.serving.otel.OTelMetricsExporter"},
            "gives its numbers to Prometheus at /metrics",
            id="otel-exporter",
        ),
        pytest.param(
            {"kind": "monitoring_application", "class_name": "Drift"},
            "it needs MLRun's monitoring; use a validator step",
            id="monitoring-application",
        ),
        pytest.param(
            {"kind": "hub_task", "class_name": "hub://echo"},
            "it downloads code when it is loaded; import the class in the notebook",
            id="hub-step",
        ),
        pytest.param(
            {"class_name": "hub://echo"},
            "it downloads code when it is loaded; import the class in the notebook",
            id="hub-class",
        ),
        pytest.param(
            {"class_name": "mlrun.datastore.storeytargets.NoSqlStoreyTarget"},
            "is not to be had here: write TableTarget",
            id="target-of-the-feature-store",
        ),
    ],
)
def test_what_needs_mlruns_servers_is_refused(step, said):
    document = {"steps": {"a": {**step, "responder": True}}}

    with pytest.raises(SpecError, match=said):
        MockServer(Graph.from_dict(document))


def test_an_object_is_no_step():
    with pytest.raises(SpecError, match="a class, a function or the name of one"):
        Graph("g").to(V2ModelServer(name="m", model=1), name="m")
