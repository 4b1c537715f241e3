"""Arguments that stand for variables, and arguments that JSON cannot hold."""

import json
from datetime import date

import pytest

from jupyter_graph.errors import SpecError
from jupyter_graph.spec.argument_values import (
    function_argument,
    named_value,
    tagged,
    untagged,
    value_names,
    value_of,
)
from jupyter_graph.spec.model import GraphSpec, StepSpec


@pytest.mark.parametrize(
    ("argument", "name"),
    [
        (value_of("clf"), "clf"),
        ({"$value": "clf", "more": 1}, None),
        ({}, None),
        ("clf", None),
        (["$value"], None),
    ],
)
def test_an_argument_may_stand_for_a_variable(argument, name):
    assert named_value(argument) == name


def test_the_variables_of_a_graph_are_found_once_each():
    def step(name, *values, **fields):
        args = {f"a{at}": value_of(value) for at, value in enumerate(values)}
        return StepSpec(name=name, class_args=args, **fields)

    route = step("route", "z", "x")
    graph = GraphSpec(
        steps=(step("a", "x", "y"), step("r", kind="router", routes=(route,)))
    )

    assert value_names(graph) == ("x", "y", "z")
    assert value_names(graph.step("r")) == ("z", "x")


@pytest.mark.parametrize(
    ("class_name", "key", "value", "plain"),
    [
        ("storey.Map", "_fn", "double", "fn"),
        ("storey.Map", "_fn", 5, None),
        ("storey.Map", "fn", "double", None),
        ("storey.Map", "_", "double", None),
        ("Mine", "_fn", "double", "fn"),
        (None, "_fn", "double", None),
    ],
)
def test_arguments_of_classes_may_name_functions(class_name, key, value, plain):
    step = StepSpec(name="m", class_name=class_name)

    assert function_argument(step, key, value) == plain


@pytest.mark.parametrize(
    "value",
    [
        1, -1.5, True, None, "text", "", [], {}, (), [1, [2]], {"a": {"b": [1]}},
        (1, (2, "x")), {12: "dozen", "b": 1}, {(1, 2): "pair"}, {None: 0, True: 1},
        {"$tuple": [1]}, {"$items": 5}, {"$tuple": [1], "more": 2}, {"$value": "clf"},
        {1.5: {2: {3: (4,)}}}, [{"a": (1,)}],
    ],
)  # fmt: skip
def test_an_argument_survives_json(value):
    found = untagged(json.loads(json.dumps(tagged(value))))

    assert found == value
    assert repr(found) == repr(value)


def test_what_json_holds_anyway_is_written_plainly():
    assert tagged({"a": [1, {"b": None}]}) == {"a": [1, {"b": None}]}


def itself():
    value = []
    value.append(value)
    return value


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({1, 2}, "arg is of type set, which a graph document cannot hold; use"),
        ([b"x"], "arg is of type bytes"),
        ({"d": date(2026, 1, 1)}, "arg is of type date"),
        (len, "type builtin_function_or_method"),
        (itself(), "arg holds itself, or more than 100 levels"),
    ],
)
def test_what_a_document_cannot_hold_is_refused(value, message):
    with pytest.raises(SpecError, match=message):
        tagged(value, "arg")


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"$tuple": 5}, r"arg is tagged wrongly; .*got \{'\$tuple': 5\}"),
        ({"$items": [1]}, "arg is tagged wrongly"),
        ({"$items": [[1]]}, "arg is tagged wrongly"),
        ({"$items": [[[1], 2]]}, "arg is tagged wrongly"),
        (itself(), "arg holds itself"),
    ],
)
def test_a_wrong_tag_is_refused(value, message):
    with pytest.raises(SpecError, match=message):
        untagged(value, "arg")


def test_an_argument_read_is_a_copy():
    document = {"a": [1]}
    found = untagged(document)
    found["a"].append(2)

    assert document == {"a": [1]}
