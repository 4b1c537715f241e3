"""Documents: MLRun's keys in, MLRun's keys out, nothing lost, nothing run."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from jupyter_graph import Graph, load_graph, save_graph
from jupyter_graph.errors import SpecError
from jupyter_graph.spec.codec import from_dict, graph_json, name_in, to_dict
from jupyter_graph.spec.model import GraphSpec, StepSpec
from jupyter_graph.spec.validate import problems

CASES = Path(__file__).parents[3] / "shared" / "conformance" / "cases"
DOCUMENTS = {
    path.stem: case["graph"]
    for path in sorted(CASES.glob("*.json"))
    if (case := json.loads(path.read_text(encoding="utf-8"))).get("graph")
}
EMPTY = (None, "", [], {})


DEFAULTS = {"kind": "task", "engine": "async", "full_event": False}


def full(document):
    """Leave out what is empty or has its default."""
    if not isinstance(document, dict):
        return document
    return {
        key: full(value)
        for key, value in document.items()
        if value not in EMPTY and (key, value) not in DEFAULTS.items()
    }


def is_known(document):
    try:
        from_dict(document)
    except SpecError:
        return False
    return True


KNOWN = [name for name, document in DOCUMENTS.items() if is_known(document)]


@pytest.mark.skipif(not DOCUMENTS, reason="the conformance cases are not here")
def test_most_documents_of_the_cases_are_known():
    assert len(KNOWN) > 50


@pytest.mark.parametrize("name", KNOWN)
def test_a_document_comes_back_as_it_was(name):
    document = DOCUMENTS[name]

    assert full(to_dict(from_dict(document))) == full(document)


@pytest.mark.parametrize("name", KNOWN)
def test_the_order_of_steps_and_routes_is_kept(name):
    document = DOCUMENTS[name]
    found = to_dict(from_dict(document))

    assert list(found.get("steps", ())) == list(document.get("steps") or ())
    assert list(found.get("routes", ())) == list(document.get("routes") or ())


@pytest.mark.parametrize("name", KNOWN)
@pytest.mark.parametrize("suffix", ["json", "yaml", "yml"])
def test_a_document_survives_a_file(tmp_path, name, suffix):
    graph = Graph.from_dict(DOCUMENTS[name])
    path = save_graph(graph, tmp_path / f"g.{suffix}")

    assert load_graph(path).spec == graph.spec


# -- what is written --------------------------------------------------------------

EVERYTHING = GraphSpec(
    name="all",
    engine="sync",
    max_in_flight=7,
    order_by=("user", "$path"),
    copy="shallow",
    on_error="last",
    carried={"track_models": True},
    steps=(
        StepSpec(
            name="a",
            class_name="C",
            class_args={"map": {12: "dozen"}, "size": (1, 2), "v": {"$value": "clf"}},
            handler="run",
            on_error="h",
            input_path="in",
            result_path="out.deep",
            full_event=True,
            comment="why",
            shape="box",
            timeout_s=1.5,
            retries=2,
            backoff_s=0.0,
            blocking=True,
            processes=2,
            carried={"endpoint_type": 1},
        ),
        StepSpec(name="b", handler="f", after=("a",), responder=True),
        StepSpec(
            name="h", kind="error_step", handler="f", before=("b",), base_step="a"
        ),
        StepSpec(name="last", kind="error_step", handler="f"),
        StepSpec(
            name="r",
            kind="router",
            after=("a",),
            routes=(StepSpec(name="m:1", class_name="M", class_args={"k": (1,)}),),
        ),
    ),
)
ROUTER = GraphSpec(
    name="models",
    topology="router",
    max_in_flight=3,
    router=StepSpec(
        name="router",
        kind="router",
        class_args={"protocol": "v1"},
        routes=(StepSpec(name="m1", class_name="M"),),
    ),
)


@pytest.mark.parametrize("graph", [EVERYTHING, ROUTER], ids=["flow", "router"])
@pytest.mark.parametrize("suffix", ["json", "yaml"])
def test_nothing_is_lost_in_a_file(tmp_path, graph, suffix):
    assert problems(graph) == []
    path = save_graph(graph, tmp_path / f"other.{suffix}")

    assert load_graph(path).spec == graph


@pytest.mark.parametrize("graph", [EVERYTHING, ROUTER], ids=["flow", "router"])
def test_the_same_graph_gives_the_same_text(graph):
    text = graph_json(graph)

    assert graph_json(from_dict(json.loads(text))) == text
    assert text.endswith("}\n")


def test_fields_with_their_default_are_left_out():
    graph = GraphSpec(steps=(StepSpec(name="a", handler="f", retries=0),))

    assert to_dict(graph) == {
        "engine": "async",
        "steps": {"a": {"kind": "task", "handler": "f"}},
    }


def test_a_document_read_shares_nothing_with_the_graph():
    document = {"steps": {"a": {"class_name": "C", "class_args": {"x": [1]}}}}
    graph = from_dict(document)
    document["steps"]["a"]["class_args"]["x"].append(2)

    assert graph.step("a").class_args == {"x": [1]}


@pytest.mark.parametrize(
    ("value", "said"),
    [({1}, "of type set"), (b"x", "of type bytes"), ([len], "builtin_function")],
)
def test_an_argument_that_cannot_be_written_is_named(value, said):
    route = StepSpec(name="m1", class_name="M", class_args={"weights": value})
    graph = GraphSpec(steps=(StepSpec(name="r", kind="router", routes=(route,)),))

    with pytest.raises(SpecError, match=f"step 'm1': argument 'weights' is .*{said}"):
        graph_json(graph)


# -- names ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("document", "name"),
    [
        ({}, None),
        ({"name": "g"}, "g"),
        ({"kind": "router", "name": "r"}, "r"),
        ({"kind": "router", "name": "r", "graph_name": "g"}, "g"),
        (5, None),
    ],
)
def test_a_document_may_hold_the_graphs_name(document, name):
    assert name_in(document) == name


@pytest.mark.parametrize(
    ("file", "document", "name"),
    [
        ("fraud.json", {}, "fraud"),
        ("01 fraud model.json", {}, "_01_fraud_model"),
        ("fraud.json", {"name": "own"}, "own"),
    ],
)
def test_a_graph_without_a_name_has_its_files(tmp_path, file, document, name):
    path = tmp_path / file
    steps = {"steps": {"a": {"handler": "f"}}}
    path.write_text(json.dumps({**document, **steps}), encoding="utf-8")

    assert load_graph(path).name == name


def test_a_name_that_is_given_wins():
    assert Graph.from_dict({"name": "own"}, name="given").name == "given"
    assert from_dict({}).name == "graph"


# -- what is read -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("after", "found"),
    [("a", ("a",)), (["a"], ("a",)), ([], ()), (None, ()), ("", ())],
)
def test_after_is_a_name_or_names(after, found):
    document = {"steps": {"a": {"handler": "f"}, "b": {"handler": "f", "after": after}}}

    assert from_dict(document).step("b").after == found


@pytest.mark.parametrize("kind", ["root", "flow", "", None])
def test_a_flow_has_several_kinds(kind):
    assert from_dict({"kind": kind, "steps": {}}).topology == "flow"


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        ("g.json", "{", "is no JSON: Expecting"),
        ("g.json", "", "is no JSON: Expecting value"),
        ("g.json", "[1]", r"an object of fields is needed, got \[1\]"),
        ("g.json", "[" * 100_000, "is nested too deep"),
        ("g.json", '{"steps": {"a": {}, "a": {}}}', "has 'a' twice in one object"),
        ("g.yaml", "steps:\n  a: {}\n  a: {}\n", "has 'a' twice in one object"),
        ("g.yaml", "a: [", "is no YAML: while parsing"),
        ("g.yaml", "", "an object of fields is needed, got None"),
        ("g.yml", "just a text", "an object of fields is needed, got 'just a text'"),
        (
            "g.yaml",
            "x: !!python/object/apply:os.getcwd []",
            "could not determine a con",
        ),
        ("g.yaml", "steps: {a: {handler: f, nme: x}}", "unknown field 'nme'"),
    ],
)
def test_a_file_that_is_no_document_is_refused(tmp_path, file, text, message):
    path = tmp_path / file
    path.write_text(text, encoding="utf-8")

    with pytest.raises(SpecError, match=message):
        load_graph(path)


def test_a_file_that_cannot_be_read_is_refused(tmp_path):
    binary = tmp_path / "g.json"
    binary.write_bytes(b"\xff\xfe\x00")

    with pytest.raises(SpecError, match=r"cannot read graph file .*ghost"):
        load_graph(tmp_path / "ghost.json")
    with pytest.raises(SpecError, match="cannot read graph file"):
        load_graph(tmp_path)
    with pytest.raises(SpecError, match=r"cannot read graph file .*g\.json"):
        load_graph(binary)


def test_reading_a_document_imports_nothing_it_names(tmp_path):
    steps = {
        "a": {"class_name": "antigravity.Fly", "class_args": {"_fn": "(1/0)"}},
        "b": {"handler": "this.s", "after": "a"},
        "c": {"class_name": "storey.Map", "after": "b"},
    }
    path = tmp_path / "g.json"
    path.write_text(json.dumps({"steps": steps}), encoding="utf-8")
    code = (
        "import sys; from jupyter_graph import load_graph; "
        f"load_graph({str(path)!r}); "
        "print([n for n in ('antigravity', 'this', 'storey') if n in sys.modules])"
    )

    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert found.stdout.strip() == "[]"


def test_a_document_that_holds_itself_is_refused(tmp_path):
    path = tmp_path / "g.yaml"
    path.write_text(
        "steps: {a: {class_name: C, class_args: &x {y: *x}}}", encoding="utf-8"
    )

    with pytest.raises(SpecError, match="holds itself"):
        load_graph(path)


def nested(levels):
    """Make a graph document with an argument of so many levels."""
    value = 1
    for _ in range(levels):
        value = {"x": value}
    return {"steps": {"a": {"class_name": "C", "class_args": value}}}


def test_a_document_that_is_nested_too_deep_is_told_so(tmp_path):
    path = tmp_path / "deep.json"
    path.write_text(json.dumps(nested(200)), encoding="utf-8")
    message = "is nested too deep: 100 levels at most are read"

    with pytest.raises(SpecError, match=f"the graph document {message}"):
        Graph.from_dict(nested(200))
    with pytest.raises(SpecError, match=message):
        load_graph(path)
    assert Graph.from_dict(nested(90)).spec.names() == ("a",)


def test_a_value_that_stands_twice_in_a_deep_document_does_not_hold_itself():
    deep = nested(200)
    deep["steps"]["b"] = deep["steps"]["a"]

    with pytest.raises(SpecError, match="nested too deep"):
        Graph.from_dict(deep)


def test_arguments_of_a_wrong_type_are_refused_when_a_graph_is_saved(tmp_path):
    graph = Graph.from_dict({"steps": {"a": {"class_name": "C", "class_args": [1]}}})

    with pytest.raises(SpecError, match=r"step 'a': arguments must be an object"):
        save_graph(graph, tmp_path / "g.json")
