"""Changes of a graph: from one spec to the next, which the old one never notices."""

import pytest

from jupyter_graph.errors import DuplicateStepError, SpecError, UnknownStepError
from jupyter_graph.spec import edit
from jupyter_graph.spec.edit import Place
from jupyter_graph.spec.model import GraphSpec, StepSpec


def task(name, **fields):
    return StepSpec(name=name, handler="f", **fields)


def flow(*steps, **fields):
    """Make a flow of these steps, one after the other."""
    graph = GraphSpec(name="g", **fields)
    for step in steps:
        graph = edit.put(
            graph, step if isinstance(step, StepSpec) else task(step), Place()
        )
    return graph


def router(name="r"):
    return StepSpec(name=name, kind="router", routes=(task("m"), task("n")))


def after(graph):
    return {step.name: step.after for step in graph.steps}


def test_a_change_leaves_the_old_graph_alone():
    graph = flow("a")
    longer = edit.put(graph, task("b"), Place())

    assert (graph.names(), longer.names()) == (("a",), ("a", "b"))


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        pytest.param(Place(), ("b",), id="nothing-said"),
        pytest.param(Place(after=()), (), id="start"),
        pytest.param(Place(after=("a",)), ("a",), id="a-name"),
        pytest.param(Place(after=("$prev", "a")), ("b", "a"), id="prev-and-a-name"),
        pytest.param(Place(before=("b",)), ("a",), id="in-front-of-the-last"),
    ],
)
def test_a_step_goes_where_its_place_says(place, expected):
    assert after(edit.put(flow("a", "b"), task("x"), place))["x"] == expected


def test_a_step_in_front_of_another_takes_its_place():
    graph = edit.put(flow("a", "b"), task("x"), Place(before=("b",)))

    assert after(graph) == {"a": (), "b": ("x",), "x": ("a",)}


def test_a_queue_in_front_of_a_step_is_passed_once():
    place = Place(before=("b",), queue="q")
    graph = edit.put(flow("a", "b"), task("x", function="w"), place)

    assert after(graph) == {"a": (), "b": ("x",), "q": ("a",), "x": ("q",)}


def test_a_step_runs_where_those_before_it_do():
    graph = flow(task("a", function="f1"), "b")
    two = edit.put(graph, task("c", function="f2"), Place(after=("b",)))
    joined = edit.put(two, task("d"), Place(after=("b", "c")))

    assert [step.function for step in joined.steps] == ["f1", "f1", "f2", None]


@pytest.mark.parametrize(
    ("step", "place", "error", "message"),
    [
        ("a", Place(), DuplicateStepError, "already has a step 'a'"),
        ("x", Place(after=("b",)), UnknownStepError, "no step 'b'"),
        ("x", Place(before=("b",)), UnknownStepError, "no step 'b'"),
        ("x", Place(on_error="b"), UnknownStepError, "no step 'b'"),
        ("x", Place(cycle_to=("b",)), UnknownStepError, "no step 'b'"),
        ("x", Place(after=("a",), before=("a",)), SpecError, "graph loop, step 'a'"),
        ("x", Place(router="a"), SpecError, "'a' is no router"),
        ("x", Place(route="x"), SpecError, "has 0 routers"),
        ("x", Place(queue="a"), SpecError, "this step is no queue"),
        ("2nd", Place(), SpecError, "starts with a letter"),
    ],
)
def test_a_place_that_is_none_is_refused(step, place, error, message):
    with pytest.raises(error, match=message):
        edit.put(flow("a"), task(step), place)


def test_a_step_put_anew_keeps_its_place_and_its_ways_back():
    graph = edit.put(flow("a", "b"), task("c"), Place(cycle_to=("a",)))
    again = edit.put_anew(graph, task("a", retries=2), Place())

    assert after(again) == after(graph)
    assert again.step("a").cycle_from == ("c",)
    assert again.step("a").retries == 2


def test_a_step_put_anew_without_its_way_back_loses_it():
    graph = edit.put(flow("a"), task("b"), Place(cycle_to=("a",)))

    assert edit.put_anew(graph, task("b"), Place()).step("a").cycle_from == ()


def test_a_step_put_anew_may_become_a_handler_and_a_step_again():
    graph = flow("a", "b", "c")
    handled = edit.put_anew(graph, task("b"), Place(on_error="a", before=("c",)))
    assert (after(handled)["c"], handled.step("a").on_error) == (("a",), "b")
    assert handled.step("b").is_error_handler

    again = edit.put_anew(handled, task("b"), Place())
    assert (again.step("a").on_error, after(again)["b"]) == (None, ("c",))


def test_a_step_put_anew_moves_between_the_flow_and_a_router():
    graph = edit.put(flow("a", "m2"), router(), Place())
    inside = edit.put_anew(graph, task("m2"), Place(route="m2"))
    assert [route.name for route in inside.step("r").routes] == ["m", "n", "m2"]
    assert inside.names() == ("a", "r")

    outside = edit.put_anew(inside, task("m"), Place())
    assert [route.name for route in outside.step("r").routes] == ["n", "m2"]
    assert after(outside)["m"] == ("r",)


def test_a_step_of_a_root_router_is_a_route_of_it():
    graph = GraphSpec(name="g", topology="router", router=router())
    more = edit.put(graph, task("x"), Place())

    assert [route.name for route in more.router.routes] == ["m", "n", "x"]


def test_a_root_router_put_anew_keeps_its_routes():
    graph = GraphSpec(name="g", topology="router", router=router())
    other = StepSpec(name="r", kind="router", class_name="Mine")

    assert edit.put_anew(graph, other, Place()).router.routes == graph.router.routes


def test_a_queue_of_one_step_is_as_the_step_now_says():
    graph = edit.put(flow("a"), task("b"), Place(queue="q", path="memory://q"))
    moved = edit.put_anew(graph, task("b"), Place(queue="p"))

    assert after(moved) == {"a": (), "p": ("a",), "b": ("p",)}
    assert moved.step("p").path is None


def test_a_queue_of_several_steps_keeps_what_others_said():
    graph = edit.put(flow("a", "x"), task("b"), Place(queue="q", path="memory://q"))
    shared = edit.put(graph, task("c"), Place(queue="q", after=("a",)))

    assert shared.step("q").after == ("x", "a")
    assert shared.step("q").path == "memory://q"


def test_a_queue_put_in_front_of_an_old_step_is_not_what_was_added_last():
    graph = edit.put_anew(flow("a", "b"), task("b"), Place(queue="q"))

    assert graph.names() == ("a", "q", "b")
    assert edit.previous(graph) == "b"


def test_what_was_added_last_is_no_error_handler():
    graph = edit.put(flow("a"), task("h"), Place(on_error="graph"))

    assert edit.previous(graph) == "a"
    assert edit.previous(graph, "a") is None


def test_routes_are_renamed_and_removed_by_their_names():
    graph = edit.put(flow("a"), router(), Place())
    renamed = edit.rename(graph, "m", "model:v2")
    assert [route.name for route in renamed.step("r").routes] == ["model:v2", "n"]

    left = edit.remove(renamed, "n")
    assert [route.name for route in left.step("r").routes] == ["model:v2"]
    with pytest.raises(DuplicateStepError, match="already has a route 'n'"):
        edit.rename(graph, "m", "n")


def test_a_way_back_lets_the_graph_have_cycles():
    graph = edit.cycle(flow("a", "b"), "b", ["a"])

    assert (graph.allow_cyclic, graph.max_iterations) == (True, 100)
    assert graph.step("a").after == ("b",)
    with pytest.raises(SpecError, match="knows no cycles"):
        edit.cycle(flow("a", engine="sync"), "a", ["a"])


def test_a_graph_is_one_step_of_another_and_follows_it():
    inner = flow("x", "y")
    step = edit.as_step(inner, StepSpec(name="part"))
    graph = edit.put(flow("a"), step, Place())
    longer = edit.put(inner, task("z"), Place())

    followed = edit.embed(graph, "part", longer).step("part")
    assert (followed.kind, followed.after) == ("flow", ("a",))
    assert [one.name for one in followed.steps] == ["x", "y", "z"]


def test_a_loop_of_a_step_to_itself_stays_when_another_step_goes():
    looped = edit.cycle(flow("a", "b"), "a", ["a"])
    left = edit.remove(looped, "b")

    assert (left.step("a").after, left.step("a").cycle_from) == (("a",), ("a",))


def test_a_step_behind_a_queue_that_was_there_cuts_only_ways_through_it():
    graph = flow("a")
    graph = edit.put(graph, task("b", function="f"), Place(queue="q"))
    graph = edit.put(graph, task("c"), Place(after=("a",)))
    graph = edit.put(graph, task("d"), Place(after=("c",)))
    shared = edit.put(graph, task("x", function="f"), Place(queue="q", before=("d",)))

    assert after(shared)["d"] == ("c", "x")


def test_prev_in_after_is_compared_with_before():
    with pytest.raises(SpecError, match="graph loop, step 'b'"):
        edit.put(flow("a", "b"), task("x"), Place(after=("$prev",), before=("b",)))


def test_a_root_router_that_is_another_graph_follows_it():
    inner = GraphSpec(name="inner", router=router("router"))
    outer = GraphSpec(name="outer", router=router("router"))
    followed = edit.embed(outer, "router", edit.put(inner, task("x"), Place()))

    assert followed.router is not None
    assert [route.name for route in followed.router.routes] == ["m", "n", "x"]


def test_a_route_put_anew_may_become_an_error_handler():
    graph = edit.put_route(flow(task("a"), router()), "r", task("x"))
    graph = edit.put_anew(graph, task("x"), Place(on_error="a"))

    assert [route.name for route in graph.step("r").routes] == ["m", "n"]
    assert (graph.step("a").on_error, graph.step("x").kind) == ("x", "error_step")


def test_the_final_step_follows_its_name_and_goes_with_its_step():
    graph = flow(task("a"), task("b"), final_step="b")

    assert edit.rename(graph, "b", "c").final_step == "c"
    assert edit.remove(graph, "b").final_step is None
