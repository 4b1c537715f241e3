"""Documents come back as they were: from a graph, a JSON file, a YAML file."""

import json
import math
from collections.abc import Mapping
from dataclasses import fields

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_graph import Graph, load_graph, save_graph, validate
from jupyter_graph.compile.compiled_graph import compile_graph
from jupyter_graph.errors import SpecError
from jupyter_graph.spec.argument_values import tagged, untagged
from jupyter_graph.spec.codec import from_dict, graph_json, to_dict
from jupyter_graph.spec.model import GraphSpec, StepSpec

pytestmark = pytest.mark.slow

DEFAULTS = {"engine": "async", "copy": "deep", "full_event": False}
KINDS = ("task", "root", "flow")
ELSEWHERE = {"name", "steps", "routes", "router", "topology", "queue", "runner"}
"""Attributes of a spec that are no fields of a document."""


def is_empty(value):
    return value is None or (isinstance(value, str | list | dict | tuple) and not value)


def normal(document, argument=lambda value: tagged(untagged(value))):
    """Return a document without what is empty or has its default, and without names."""
    found = {}
    for key, value in document.items():
        if key == "class_args":
            value = {name: argument(arg) for name, arg in value.items()}
        elif key in ("steps", "routes"):
            value = {
                name: normal(step, argument) for name, step in (value or {}).items()
            }
        elif key in ("after", "before", "cycle_from") and isinstance(value, str):
            value = [value]
        is_default = value == DEFAULTS.get(key) or (key == "kind" and value in KINDS)
        if not is_empty(value) and not is_default and key not in ("name", "graph_name"):
            found[key] = value
    return found


def is_same(left, right):
    """Tell whether values are equal and of equal types, signs and NaN included."""
    if isinstance(left, float) and isinstance(right, float):
        return str(left) == str(right)
    if type(left) is not type(right):
        return False
    if isinstance(left, Mapping):
        pairs = zip(left.items(), right.items(), strict=False)
        return len(left) == len(right) and all(is_same(a, b) for a, b in pairs)
    if isinstance(left, list | tuple):
        pairs = zip(left, right, strict=False)
        return len(left) == len(right) and all(is_same(a, b) for a, b in pairs)
    return left == right


def is_readable(document):
    try:
        from_dict(document)
    except SpecError:
        return False
    return True


# -- documents --------------------------------------------------------------------


def test_a_document_comes_back_apart_from_empty_fields(document):
    if not is_readable(document):
        pytest.skip("MLRun refuses it too")
    found = Graph.from_dict(document).to_dict()

    assert normal(found, tagged) == normal(document)
    assert list(found.get("steps", ())) == list(document.get("steps") or ())
    assert list(found.get("routes", ())) == list(document.get("routes") or ())


@pytest.mark.parametrize("suffix", ["json", "yaml"])
def test_a_graph_survives_a_file(tmp_path, document, suffix):
    if not is_readable(document):
        pytest.skip("MLRun refuses it too")
    graph = Graph.from_dict(document)
    path = save_graph(graph, tmp_path / f"g.{suffix}")

    again = load_graph(path)
    assert repr(again.spec) == repr(graph.spec)  # NaN is not equal to itself
    assert again.notes == ()
    assert save_graph(again, tmp_path / f"h.{suffix}").read_bytes() == path.read_bytes()


def test_a_good_document_is_valid_and_compiles(our_document, names):
    graph = Graph.from_dict(our_document, vars(names))

    validate(graph)
    assert compile_graph(graph).source.startswith(("def run(", "async def run("))


def test_every_field_of_the_model_stands_in_a_document(our_documents):
    found = set()

    def walk(document):
        if isinstance(document, Mapping):
            found.update(document)
            for value in document.values():
                walk(value)

    walk(our_documents)
    known = {field.name for of in (StepSpec, GraphSpec) for field in fields(of)}
    assert known - ELSEWHERE - {"carried"} <= found


def test_what_has_its_default_is_not_written():
    step = StepSpec(name="a", handler="f", retries=0, batch_wait_ms=5.0)

    assert to_dict(GraphSpec(steps=(step,))) == {
        "engine": "async",
        "steps": {"a": {"kind": "task", "handler": "f"}},
    }


# -- values -----------------------------------------------------------------------

VALUES = [
    pytest.param({12: "dozen", -1: None}, id="integer-keys"),
    pytest.param(
        {1.5: "a", None: "b", True: "c", (1, "x"): "d"}, id="keys-of-all-kinds"
    ),
    pytest.param((1, (2, ()), [3, (4,)]), id="tuples"),
    pytest.param({"a": {"b": [{"c": ({},)}]}}, id="nested"),
    pytest.param([math.nan, math.inf, -math.inf, -0.0, 5e-324, 1e308], id="floats"),
    pytest.param([10**40, -(10**40), True, False, None], id="scalars"),
    pytest.param({"$tuple": [1]}, id="literal-tuple-tag"),
    pytest.param({"$items": {"$float": "nan"}}, id="literal-tags-in-tags"),
    pytest.param({"$value": "clf", "more": 1}, id="literal-value-tag"),
    pytest.param(
        ["yes", "no", "on", "~", "null", "1e3", "0x1f", "1_0"], id="yaml-words"
    ),
    pytest.param(["2024-01-01", "12:30:45", "=", "<<", "- a", "a: b"], id="yaml-signs"),
    pytest.param(["", " ", "\n", "a\r\nb", "\t", "\x7f\x85\u2028"], id="white-space"),
    pytest.param(["é", "☃", "𝄞", "\ufeff", "👩‍👧"], id="unicode"),
]


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("suffix", ["json", "yaml"])
def test_a_value_survives_a_file(tmp_path, value, suffix):
    step = StepSpec(name="a", class_name="C", class_args={"x": value})
    path = save_graph(GraphSpec(name="g", steps=(step,)), tmp_path / f"g.{suffix}")

    assert is_same(load_graph(path).spec.step("a").class_args["x"], value)


@pytest.mark.parametrize("field", ["queue", "runner", "carried"])
def test_values_of_other_fields_survive_a_text(field):
    key = {"queue": "options", "runner": "_shared_proxy_mapping"}.get(
        field, "endpoint_type"
    )
    value = {key: {1: ("a", math.inf)}}
    graph = GraphSpec(
        name="g", steps=(StepSpec(name="a", kind="queue", **{field: value}),)
    )

    found = from_dict(json.loads(graph_json(graph))).step("a")
    assert getattr(found, field) == value


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(st.text(max_size=4), inner, max_size=3)
        | st.dictionaries(st.integers() | st.text(max_size=2), inner, max_size=3)
    ),
    max_leaves=12,
)


@given(value=PLAIN)
@settings(max_examples=300, deadline=None)
def test_any_value_survives_json(value):
    text = json.dumps(tagged(value), allow_nan=False)

    assert is_same(untagged(json.loads(text)), value)


@given(value=PLAIN)
@settings(max_examples=100, deadline=None)
def test_any_value_survives_yaml(tmp_path_factory, value):
    step = StepSpec(name="a", class_name="C", class_args={"x": value})
    path = tmp_path_factory.getbasetemp() / "value.yaml"
    save_graph(GraphSpec(name="g", steps=(step,)), path)

    assert is_same(load_graph(path).spec.step("a").class_args["x"], value)


@pytest.mark.parametrize(
    "step",
    [StepSpec(name="a", comment=object()), StepSpec(name="a", timeout_s=math.nan)],  # type: ignore[arg-type]
    ids=["object", "nan"],
)
def test_a_spec_that_no_text_holds_is_refused(step):
    with pytest.raises(SpecError, match=r"graph 'g' cannot be written: .*"):
        graph_json(GraphSpec(name="g", steps=(step,)))


@pytest.mark.parametrize("value", ["\ud800", {"\ud800": 1}], ids=["text", "key"])
@pytest.mark.parametrize("suffix", ["json", "yaml"])
def test_half_a_character_is_refused(tmp_path, value, suffix):
    step = StepSpec(name="a", class_name="C", class_args={"x": value})

    with pytest.raises(SpecError, match="step 'a': argument 'x' is no text"):
        save_graph(GraphSpec(name="g", steps=(step,)), tmp_path / f"g.{suffix}")
