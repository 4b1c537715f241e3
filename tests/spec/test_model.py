"""The frozen description of a graph."""

import dataclasses

import pytest

from jupyter_graph.errors import UnknownStepError
from jupyter_graph.spec.model import GraphSpec, StepSpec, map_steps

ROUTER = StepSpec(name="r", kind="router", routes=(StepSpec(name="m1", handler="m"),))
FLOW = GraphSpec(name="g", steps=(StepSpec(name="parse", handler="f"), ROUTER))


def test_a_spec_does_not_change():
    with pytest.raises(dataclasses.FrozenInstanceError):
        FLOW.name = "other"
    with pytest.raises(dataclasses.FrozenInstanceError):
        FLOW.steps[0].handler = "other"


@pytest.mark.parametrize(
    ("fields", "code_name"),
    [
        ({"class_name": "C"}, "C"),
        ({"class_name": "C", "handler": "run"}, "C"),
        ({"handler": "f"}, "f"),
        ({}, "a"),
    ],
)
def test_a_step_knows_the_name_of_its_code(fields, code_name):
    assert StepSpec(name="a", **fields).code_name == code_name


def test_a_graph_knows_its_steps():
    assert FLOW.names() == ("parse", "r")
    assert FLOW.step("parse").handler == "f"
    assert ("parse" in FLOW, "m1" in FLOW, 5 in FLOW) == (True, False, False)


def test_every_step_counts_routes_and_root_routers():
    root = GraphSpec(topology="router", router=ROUTER)

    assert [step.name for step in FLOW.every_step()] == ["parse", "r", "m1"]
    assert [step.name for step in root.every_step()] == ["r", "m1"]


@pytest.mark.parametrize(
    ("graph", "message"),
    [
        (FLOW, r"graph 'g' has no step 'prase'; did you mean 'parse'\? \(its steps: p"),
        (GraphSpec(name="e"), r"graph 'e' has no step 'prase' \(its steps: none yet\)"),
    ],
)
def test_an_unknown_step_is_named_with_those_there_are(graph, message):
    with pytest.raises(UnknownStepError, match=message):
        graph.step("prase")


def test_all_steps_are_changed_routes_too():
    def shout(step):
        return dataclasses.replace(step, name=step.name.upper())

    root = map_steps(GraphSpec(topology="router", router=ROUTER), shout)

    assert [step.name for step in map_steps(FLOW, shout).every_step()] == [
        "PARSE", "R", "M1",
    ]  # fmt: skip
    assert [step.name for step in root.every_step()] == ["R", "M1"]
