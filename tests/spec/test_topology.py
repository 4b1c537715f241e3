"""How the steps of a graph hang together."""

import pytest

from jupyter_graph.errors import SpecError
from jupyter_graph.spec.model import GraphSpec, StepSpec
from jupyter_graph.spec.topology import (
    Edge,
    cycle_in,
    edges,
    followers,
    handler_names,
    is_linear,
    leaves,
    order,
    responder_of,
    roots,
)

FLAGGED = (
    StepSpec(name="a", handler="f", responder=True),
    StepSpec(name="b", handler="f", after=("a",)),
)


def flow(after, handlers=(), **fields):
    """Return a flow: step → the text of its upstream steps, ``a b``."""
    steps = [StepSpec(name=n, handler="f", after=tuple(a.split())) for n, a in after]
    return GraphSpec(steps=(*steps, *handlers), **fields)


def handler(name, **fields):
    return StepSpec(name=name, kind="error_step", handler="f", **fields)


CHAIN = flow([("a", ""), ("b", "a"), ("c", "b")])
DIAMOND = flow([("a", ""), ("b", "a"), ("c", "a"), ("d", "b c")])
BACKWARDS = flow([("c", "b"), ("b", "a"), ("a", "")])
TWO_ROOTS = flow([("a", ""), ("b", ""), ("c", "a b")])
LOOP = flow([("a", "c"), ("b", "a"), ("c", "b")])
SELF = flow([("a", "a")])
ROOT = GraphSpec(
    topology="router",
    router=StepSpec(
        name="router", kind="router", routes=(StepSpec(name="m1", handler="f"),)
    ),
)
CAUGHT = GraphSpec(
    steps=(
        StepSpec(name="a", handler="f", on_error="h"),
        StepSpec(name="b", handler="f", after=("a",)),
        handler("h", before=("b",)),
        handler("last"),
    ),
    on_error="last",
)
EMPTY = GraphSpec()


@pytest.mark.parametrize(
    ("graph", "found"),
    [
        pytest.param(CHAIN, {Edge("$start", "a"), Edge("a", "b"), Edge("b", "c")}),
        pytest.param(
            CAUGHT,
            {
                Edge("$start", "a"), Edge("a", "b"), Edge("a", "h", "error"),
                Edge("h", "b"), Edge("$start", "last", "error"),
            },
        ),
        pytest.param(ROOT, {Edge("$start", "router"), Edge("router", "m1", "route")}),
        pytest.param(EMPTY, set()),
    ],
    ids=["chain", "caught", "router", "empty"],
)  # fmt: skip
def test_every_edge_is_given_once(graph, found):
    assert set(edges(graph)) == found
    assert len(edges(graph)) == len(found)


@pytest.mark.parametrize(
    ("graph", "first", "last", "linear"),
    [
        (CHAIN, ("a",), ("c",), True),
        (DIAMOND, ("a",), ("d",), False),
        (BACKWARDS, ("a",), ("c",), True),
        (TWO_ROOTS, ("a", "b"), ("c",), False),
        (CAUGHT, ("a",), ("b",), True),
        (LOOP, (), (), False),
        (ROOT, ("router",), (), False),
        (EMPTY, (), (), False),
    ],
)
def test_the_ends_of_a_graph_are_known(graph, first, last, linear):
    assert roots(graph) == first
    assert leaves(graph) == last
    assert is_linear(graph) is linear


@pytest.mark.parametrize(
    ("graph", "names"),
    [
        (CHAIN, ("a", "b", "c")),
        (DIAMOND, ("a", "b", "c", "d")),
        (BACKWARDS, ("a", "b", "c")),
        (ROOT, ("router",)),
        (EMPTY, ()),
    ],
)
def test_each_step_comes_after_its_upstream_steps(graph, names):
    assert order(graph) == names


def test_handlers_have_a_place_in_the_order():
    names = order(CAUGHT)

    assert set(names) == {"a", "b", "h", "last"}
    assert names.index("b") > max(names.index("a"), names.index("h"))


@pytest.mark.parametrize(
    ("graph", "cycle"),
    [
        (CHAIN, ()),
        (DIAMOND, ()),
        (CAUGHT, ()),
        (SELF, ("a", "a")),
        (LOOP, ("a", "b", "c", "a")),
        (
            GraphSpec(
                steps=(
                    StepSpec(name="a", handler="f", on_error="h"),
                    handler("h", before=("a",)),
                )
            ),
            ("a", "h", "a"),
        ),
    ],
)
def test_a_cycle_is_shown_in_flow_order(graph, cycle):
    assert cycle_in(graph) == cycle


def test_a_cycle_has_no_order():
    with pytest.raises(SpecError, match="the graph has a cycle: a → b → c → a"):
        order(LOOP)


def test_a_long_chain_does_not_exhaust_the_stack():
    names = [f"s{at}" for at in range(5000)]
    chain = flow(list(zip(names, ["", *names], strict=False)))

    assert cycle_in(chain) == ()
    assert order(chain) == tuple(names)


@pytest.mark.parametrize(
    ("graph", "name"),
    [
        (CHAIN, None),
        (ROOT, "router"),
        (EMPTY, None),
        (flow([("a", ""), ("b", "a")], engine="sync"), "b"),
        (flow([("a", ""), ("b", "a"), ("c", "a")], engine="sync"), None),
        (GraphSpec(steps=(StepSpec(name="a", handler="f", responder=True),)), "a"),
        (GraphSpec(engine="sync", steps=FLAGGED), "b"),
        (GraphSpec(engine="async", steps=FLAGGED), "a"),
    ],
)
def test_who_answers_is_known(graph, name):
    assert responder_of(graph) == name


def test_handlers_are_known_by_kind_and_by_name():
    graph = GraphSpec(
        steps=(StepSpec(name="a", on_error="h"), StepSpec(name="h"), handler("x")),
        on_error="y",
    )

    assert handler_names(graph) == {"h", "x", "y"}


def test_followers_stand_in_the_order_they_were_added():
    assert followers(DIAMOND) == {
        "$start": ("a",), "a": ("b", "c"), "b": ("d",), "c": ("d",), "d": (),
    }  # fmt: skip
