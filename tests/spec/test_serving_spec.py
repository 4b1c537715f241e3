"""Serving specs and functions of MLRun: what is read, what is told, what comes back."""

import base64
import gzip
import json
from pathlib import Path

import pytest

from jupyter_graph import Graph, MockServer, load_graph
from jupyter_graph.errors import SpecError
from jupyter_graph.spec.codec import graph_document
from jupyter_graph.spec.mlrun.function_document import function_serving_spec
from jupyter_graph.spec.mlrun.serving_spec import (
    ServingSpec,
    read_serving_spec,
    write_serving_spec,
)

FUNCTION = Path(__file__).parent / "data" / "mlrun_function.yaml"
FLOW = {"steps": {"a": {"kind": "task", "handler": "f", "responder": True}}}
WRITTEN = {  # as MLRun 1.12 writes it, nulls included
    "function_name": "my-serving",
    "function_tag": "latest",
    "function_uri": "p/my-serving",
    "function_hash": None,
    "project": "p",
    "version": "v2",
    "parameters": {"a": 1},
    "graph": {"allow_cyclic": False, "engine": "async", **FLOW},
    "load_mode": "async",
    "functions": {"child": "p/my-serving-child:latest"},
    "graph_initializer": None,
    "error_stream": "memory://errors",
    "track_models": None,
    "default_content_type": "application/json",
    "model_endpoint_creation_task_name": None,
    "streaming": True,
    "filename": None,
    "secret_sources": [{"kind": "inline", "source": {"key": "sesame", "n": 5}}],
    "api_handler_config": {"enabled": True, "endpoints": {}},
}
TEXT = json.dumps(WRITTEN)
PACKED = base64.b64encode(gzip.compress(TEXT.encode())).decode()


# -- reading ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "current"),
    [
        pytest.param(WRITTEN, "*", id="object"),
        pytest.param(TEXT, "*", id="text"),
        pytest.param(TEXT.encode(), "*", id="bytes"),
        pytest.param(f" \n{TEXT}", "*", id="text-with-blanks"),
        pytest.param(PACKED, "*", id="packed"),
        pytest.param({"SERVING_SPEC_ENV": TEXT}, "", id="environment"),
        pytest.param(
            {"SERVING_SPEC_ENV": PACKED, "SERVING_CURRENT_FUNCTION": "child"},
            "child",
            id="environment-of-a-child",
        ),
    ],
)
def test_a_serving_spec_is_read_in_every_form(source, current):
    found = read_serving_spec(source)

    assert found.graph == WRITTEN["graph"]
    assert found.name == "my-serving"
    assert found.current_function == current
    assert found.server_options() == {
        key: value
        for key, value in {
            "current_function": current,
            "parameters": {"a": 1},
            "secrets": {"key": "sesame", "n": "5"},
            "load_mode": "async",
            "error_stream": "memory://errors",
            "default_content_type": "application/json",
            "streaming": True,
            "api_handler": {"enabled": True, "endpoints": {}},
        }.items()
        if value
    }
    assert found.functions == {"child": "p/my-serving-child:latest"}
    assert found.carried["function_uri"] == "p/my-serving"


def test_the_environment_of_the_process_is_read(monkeypatch):
    monkeypatch.setenv("SERVING_SPEC_ENV", TEXT)
    monkeypatch.setenv("SERVING_CURRENT_FUNCTION", "child")

    assert read_serving_spec().current_function == "child"


def test_an_environment_without_a_spec_is_refused(monkeypatch):
    monkeypatch.delenv("SERVING_SPEC_ENV", raising=False)

    with pytest.raises(SpecError, match="the environment has no SERVING_SPEC_ENV"):
        read_serving_spec()


def test_only_a_graph_is_needed():
    found = read_serving_spec({"graph": FLOW})

    assert found.server_options() == {"current_function": "*"}
    assert found.name == "graph"
    assert found.notes == ()


@pytest.mark.parametrize(
    ("graph", "function", "name"),
    [
        (FLOW, "fraud", "fraud"),
        (FLOW, "2nd function", "_2nd_function"),
        ({**FLOW, "name": "own"}, "fraud", "own"),
        ({"kind": "router", "name": "router", "routes": {}}, "fraud", "fraud"),
        ({"kind": "router", "name": "r", "graph_name": "own"}, "fraud", "own"),
        (FLOW, None, "graph"),
    ],
)
def test_the_graph_has_its_own_name_or_its_functions(graph, function, name):
    assert ServingSpec(graph=graph, function_name=function).name == name


def test_all_problems_are_told_at_once_and_the_graphs_too():
    document = {
        "graph": {"steps": {"a": {"hander": "f"}, "b": {"handler": "f", "after": "c"}}},
        "paramters": {},
        "load_mode": "asinc",
        "streaming": "yes",
        "functions": {"child": 5},
        "secret_sources": [{"kind": "inlin"}],
    }
    with pytest.raises(SpecError) as caught:
        read_serving_spec(document)

    said = "\n".join(caught.value.problems)
    assert len(caught.value.problems) == 7
    assert "'paramters'; did you mean 'parameters'?" in said
    assert "'sync' or 'async', got 'asinc'; did you mean 'async'?" in said
    assert "step 'a' has an unknown field 'hander'; did you mean 'handler'?" in said
    assert "step 'b' comes after 'c', which does not exist" in said
    assert "secret source 1 is of kind 'inlin'; did you mean 'inline'?" in said
    assert "function 'child' in 'functions' of the serving spec is a URI, got 5" in said


# -- secrets ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sources", "secrets"),
    [
        ([{"kind": "inline", "source": {"a": "1", "b": 2.5}}], {"a": "1", "b": "2.5"}),
        ([{"kind": "inline", "source": "{'a': '1'}"}], {"a": "1"}),
        ([{"kind": "inline", "source": {"a": "1"}, "prefix": "P_"}], {"P_a": "1"}),
        ([{"kind": "inline", "source": {}}], {}),
        ([], {}),
    ],
)
def test_inline_secrets_are_taken(sources, secrets):
    found = read_serving_spec({"graph": FLOW, "secret_sources": sources})

    assert (found.secrets, found.notes) == (secrets, ())


@pytest.mark.parametrize("kind", ["file", "env", "vault", "azure_vault", "kubernetes"])
def test_other_secrets_are_told_and_not_read(kind, tmp_path):
    source = {"kind": kind, "source": str(tmp_path / "secrets")}
    found = read_serving_spec({"graph": FLOW, "secret_sources": [source]})

    assert found.secrets == {}
    [note] = found.notes
    assert f"secret source 1 is of kind {kind!r}, which is not read" in note


def test_secrets_are_shown_nowhere():
    found = read_serving_spec(WRITTEN)
    with pytest.raises(SpecError) as caught:
        read_serving_spec(
            {
                "graph": FLOW,
                "secret_sources": [
                    {"kind": "inline", "source": {"key": ["sesame"]}},
                    {"kind": "inline", "source": "sesame"},
                    "sesame",
                ],
            }
        )

    assert "sesame" not in repr(found)
    assert "sesame" not in str(caught.value)
    assert len(caught.value.problems) == 3


# -- notes ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "note"),
    [
        ({"version": "v1"}, "version 'v1' of the serving spec is read as 'v2'"),
        (
            {"track_models": True},
            "track_models: MLRun's model monitoring is not called",
        ),
        ({"graph_initializer": "init"}, "graph_initializer 'init' is not called"),
    ],
)
def test_what_is_not_used_is_told(fields, note):
    [said] = read_serving_spec({"graph": FLOW, **fields}).notes

    assert said.startswith(note)


# -- writing ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "document",
    [WRITTEN, {"graph": FLOW}, {"graph": FLOW, "verbose": True, "project": "p"}],
    ids=["everything", "graph", "little"],
)
def test_what_is_written_reads_back_the_same(document):
    found = read_serving_spec(document)

    assert read_serving_spec(write_serving_spec(found)) == found
    assert read_serving_spec(found.environment()).graph == found.graph


def test_nothing_of_mlruns_is_lost():
    written = json.loads(write_serving_spec(read_serving_spec(WRITTEN)))
    wanted = {key: value for key, value in WRITTEN.items() if value is not None}
    wanted["secret_sources"] = [
        {"kind": "inline", "source": {"key": "sesame", "n": "5"}}
    ]

    assert written == wanted


def test_a_graph_of_python_code_is_written(run_graph):
    graph = Graph("math")
    graph.to(name="double", handler=lambda x: x * 2).respond()
    text = write_serving_spec(ServingSpec(graph=graph_document(graph.spec)))

    again = Graph.from_dict(read_serving_spec(text).graph)
    assert again.spec == graph.spec


def test_what_json_cannot_hold_is_refused():
    with pytest.raises(SpecError, match="the serving spec cannot be written"):
        write_serving_spec(ServingSpec(graph=FLOW, parameters={"x": {1, 2}}))


# -- files ------------------------------------------------------------------------


def test_a_function_that_mlrun_exported_is_a_graph():
    graph = load_graph(FUNCTION)

    assert graph.name == "my-serving"
    assert graph.spec.names() == ("pre", "r")
    assert graph.spec.step("r").routes[0].class_name == "M"
    assert graph.notes == (
        "environment variables of the function are not set: A",
        "fields that say how the function is deployed: image, max_replicas, "
        "min_replicas",
        "parameters, secrets, load_mode, default_content_type, streaming: a server "
        "has these, not a graph; Graph.from_serving_spec reads them",
    )


def function(**fields):
    spec = {"graph": FLOW, **fields.pop("spec", {})}
    metadata = {"name": "serve", "tag": "v1", "project": "p"}
    return {"kind": "serving", "metadata": metadata, "spec": spec, **fields}


def test_a_function_tells_who_it_is_and_how_it_is_served():
    refs = {"child": {"url": "db://p/child", "kind": "serving"}}
    spec = {"parameters": {"x": 1}, "function_refs": refs, "load_mode": "sync"}
    found = function_serving_spec(function(spec=spec, status={"state": "ready"}))

    assert (found.function_name, found.parameters) == ("serve", {"x": 1})
    assert found.functions == {"child": "db://p/child"}
    assert found.carried == {"function_tag": "v1", "project": "p"}


def test_the_code_that_a_function_carries_is_not_run():
    code = base64.b64encode(b"raise SystemExit(1)").decode()
    found = function_serving_spec(
        function(spec={"build": {"functionSourceCode": code}, "image": "x"})
    )

    assert found.notes == (
        "the code that the function carries is not run: define its functions and "
        "classes in the notebook",
        "fields that say how the function is deployed: build, image",
    )


def test_a_functions_router_keeps_its_name(tmp_path):
    router = {"kind": "router", "name": "router", "routes": {"m": {"class_name": "M"}}}
    path = tmp_path / "f.json"
    path.write_text(json.dumps(function(spec={"graph": router})), encoding="utf-8")

    graph = load_graph(path)
    assert (graph.name, graph.spec.router.name) == ("serve", "router")


@pytest.mark.parametrize("suffix", ["json", "yaml"])
def test_a_serving_spec_may_stand_in_a_file(tmp_path, suffix):
    path = tmp_path / f"spec.{suffix}"
    path.write_text(TEXT, encoding="utf-8")

    graph = load_graph(path)
    assert (graph.name, graph.spec.names()) == ("my-serving", ("a",))
    assert [note.partition(":")[0] for note in graph.notes] == [
        "parameters, secrets, load_mode, error_stream, default_content_type, "
        "streaming, api_handler"
    ]


# -- serving ----------------------------------------------------------------------


def test_a_server_takes_the_options_of_a_spec():
    def f(body, context):
        return {
            "sum": body["n"] + context.get_param("a"),
            "key": context.get_secret("key"),
        }

    document = {**WRITTEN, "api_handler_config": None}
    spec = read_serving_spec(document)
    graph = Graph.from_dict(spec.graph, {"f": f, "__name__": __name__}, name=spec.name)

    with MockServer(graph, **spec.server_options()) as server:
        assert server.test(body={"n": 2}) == {"sum": 3, "key": "sesame"}
