"""The growing graph: steps come, change places, get other names, go."""

import functools
import json
from dataclasses import replace

import pytest

from jupyter_graph import Graph
from jupyter_graph.errors import DuplicateStepError, SpecError, UnknownStepError
from jupyter_graph.spec.model import GraphSpec, StepSpec


def f(body):
    return body


def g(body):
    return body


class Work:
    def do(self, body):
        return body


class Owner:
    def method(self, body):
        return body


def chain(*names):
    graph = Graph("g")
    for name in names:
        graph.add_step(name=name, handler=f)
    return graph


def after(graph):
    return {step.name: step.after for step in graph.spec.steps}


def make(number):
    def made(body):
        return body + number

    return made


# -- adding -----------------------------------------------------------------------


def test_to_adds_after_the_handle_it_is_called_on():
    graph = Graph("g")
    first = graph.to(name="a", handler=f)
    second = first.to(name="b", handler=f)
    first.to(name="c", handler=f)

    assert after(graph) == {"a": (), "b": ("a",), "c": ("a",)}
    assert (second.name, second.graph) == ("b", graph)
    assert repr(second) == "<step 'b' of graph 'g'>"


def test_to_on_the_graph_adds_a_first_step():
    graph = Graph("g")
    graph.to(name="a", handler=f)
    graph.to(name="b", handler=f)

    assert after(graph) == {"a": (), "b": ()}


@pytest.mark.parametrize(
    ("place", "found"),
    [
        pytest.param({}, ("b",), id="the-last-one"),
        pytest.param({"after": "$prev"}, ("b",), id="prev"),
        pytest.param({"after": "a"}, ("a",), id="one"),
        pytest.param({"after": ["a", "b"]}, ("a", "b"), id="list"),
        pytest.param({"after": ("a", "$prev")}, ("a", "b"), id="one-and-prev"),
        pytest.param({"after": ["b", "$prev"]}, ("b",), id="twice-the-same"),
        pytest.param({"after": "start"}, (), id="start"),
        pytest.param({"after": None}, (), id="none"),
        pytest.param({"after": []}, (), id="empty"),
    ],
)
def test_a_step_says_where_it_stands(place, found):
    graph = chain("a", "b")
    graph.add_step(name="c", handler=f, **place)

    assert after(graph)["c"] == found


def test_the_first_step_has_nobody_before_it():
    assert after(chain("a")) == {"a": ()}


@pytest.mark.parametrize(
    ("place", "found"),
    [
        ({"after": "a", "before": "b"}, {"a": (), "b": ("new",), "new": ("a",)}),
        ({"after": "start", "before": "a"}, {"a": ("new",), "b": ("a",), "new": ()}),
        (
            {"after": "start", "before": "b"},
            {"a": (), "b": ("a", "new"), "new": ()},
        ),
    ],
)
def test_a_step_may_come_before_another(place, found):
    graph = chain("a", "b")
    graph.add_step(name="new", handler=f, **place)

    assert after(graph) == found


@pytest.mark.parametrize(
    ("code", "name", "fields"),
    [
        pytest.param({"handler": f}, "f", {"handler": "f"}, id="function"),
        pytest.param({"class_name": Work}, "Work", {"class_name": "Work"}, id="class"),
        pytest.param({"handler": "f"}, "f", {"handler": "f"}, id="function-name"),
        pytest.param(
            {"class_name": "storey.Map"}, "Map", {"class_name": "storey.Map"}, id="path"
        ),
        pytest.param(
            {"class_name": Work, "handler": "run"},
            "Work",
            {"class_name": "Work", "handler": "run"},
            id="method",
        ),
        pytest.param({"handler": len}, "len", {"handler": "len"}, id="builtin"),
    ],
)
def test_a_step_is_named_after_its_code(code, name, fields):
    graph = Graph("g")
    assert graph.to(**code).name == name

    [step] = graph.spec.steps
    assert step == StepSpec(name=name, responder=True, **fields)


def test_arguments_come_by_name_or_as_an_object():
    graph = Graph("g")
    graph.to("C", class_args={"name": "n", "a": 1}, a=2, b=3)

    assert graph.spec.step("C").class_args == {"name": "n", "a": 2, "b": 3}


def test_every_option_of_a_step_stands_in_its_spec():
    options = {
        "input_path": "in", "result_path": "out", "full_event": True, "timeout_s": 1.5,
        "retries": 2, "backoff_s": 0.5, "blocking": True, "shape": "box",
        "comment": "why",
    }  # fmt: skip
    graph = Graph("g")
    graph.to(name="a", handler=f, **options)

    assert graph.spec.step("a") == StepSpec(
        name="a", handler="f", responder=True, **options
    )


# -- code -------------------------------------------------------------------------


def test_objects_are_kept_under_their_names():
    graph = Graph("g")
    graph.to(Work).to(name="a", handler=f).to(name="b", handler=f)

    assert graph.namespace == {"Work": Work, "f": f}


def test_lambdas_get_names_of_their_own(run_graph):
    graph = Graph("g")
    graph.to(name="a", handler=lambda x: x + 1).to(name="b", handler=lambda x: x * 10)

    assert run_graph(graph, [1]) == [20]
    assert sorted(graph.namespace) == ["_lambda_1", "_lambda_2"]


def test_one_lambda_has_one_name():
    shared = lambda x: x + 1  # noqa: E731
    graph = Graph("g")
    graph.to(name="a", handler=shared).to(name="b", handler=shared)

    assert graph.namespace == {"_lambda_1": shared}


def test_a_lambda_takes_no_name_that_is_taken():
    spec = GraphSpec(name="g", steps=(StepSpec(name="a", handler="_lambda_2"),))
    graph = Graph.from_spec(spec, {"_lambda_2": f})
    graph.add_step(name="b", handler=lambda x: x)
    graph.add_step(name="c", handler=lambda x: x)

    assert graph.namespace["_lambda_2"] is f
    assert graph.spec.step("c").handler == "_lambda_3"


def test_a_method_of_one_object_is_one_object():
    owner = Owner()
    graph = Graph("g")
    graph.to(name="a", handler=owner.method).to(name="b", handler=owner.method)

    with pytest.raises(DuplicateStepError, match="two different objects are named"):
        graph.add_step(name="c", handler=Owner().method)


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(make(2), id="closure"),
        pytest.param(type("made", (Work,), {}), id="class"),
        pytest.param(functools.wraps(make(1))(lambda x: x), id="wrapped"),
    ],
)
def test_two_objects_have_two_names(other):
    graph = Graph("g")
    graph.to(name="a", handler=make(1))
    kind = "class_name" if isinstance(other, type) else "handler"

    with pytest.raises(DuplicateStepError, match="two different objects are named"):
        graph.add_step(name="b", **{kind: other})


def test_a_function_of_the_notebook_may_be_defined_again():
    def cell(number):
        names = {"__name__": "__main__"}
        exec(f"def work(body):\n    return body + {number}", names)
        return names["work"]

    graph = Graph("g")
    graph.to(name="a", handler=cell(1))
    newer = cell(2)
    graph.add_step(name="b", handler=newer)

    assert graph.namespace["work"] is newer


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ({}, "class_name or handler must be provided"),
        ({"handler": 5}, "a class, a function or the name of one is needed, got 5"),
        ({"handler": functools.partial(f)}, "has no name; give its class"),
        ({"class_name": Work()}, "a class, a function or the name of one is needed"),
        ({"handler": lambda x: x}, "a step made of '_lambda_1' needs a name, got None"),
        ({"handler": f, "name": "a"}, "already has a step 'a'; give the new one"),
        ({"handler": f, "name": "a b"}, "a step's name holds letters"),
        ({"handler": f, "name": "n", "before": "b"}, "has no step 'b'"),
    ],
)
def test_a_refused_step_leaves_no_trace(code, message):
    graph = chain("a")
    before = graph.spec, dict(graph.namespace), graph.last_step

    with pytest.raises(SpecError, match=message):
        graph.add_step(**{"handler": None, **code})
    assert (graph.spec, graph.namespace, graph.last_step) == before


# -- who answers ------------------------------------------------------------------


def responders(graph):
    return [step.name for step in graph.spec.steps if step.responder]


def test_the_last_step_answers_while_the_flow_is_linear():
    graph = chain("a", "b")
    assert responders(graph) == ["b"]

    graph.add_step(name="c", handler=f)
    assert responders(graph) == ["c"]
    graph.add_step(name="d", handler=f, after="b")
    assert responders(graph) == []


def test_a_named_responder_stays():
    graph = Graph("g")
    graph.to(name="a", handler=f).respond().to(name="b", handler=f)

    assert responders(graph) == ["a"]


def test_an_error_handler_does_not_end_the_line():
    graph = chain("a", "b")
    graph.error_handler("h", handler=g)

    assert responders(graph) == ["b"]


def test_the_order_of_adding_does_not_matter():
    graph = chain("a")
    graph.add_step(name="z", handler=f, after="start", before="a")

    assert responders(graph) == ["a"]


def test_documents_are_taken_literally():
    document = chain("a", "b").to_dict()
    del document["steps"]["b"]["responder"]

    assert responders(Graph.from_dict(document)) == []


# -- error handlers ---------------------------------------------------------------


def test_an_error_handler_belongs_to_a_step_or_to_the_graph():
    graph = chain("a", "b")
    handle = graph.add_step(name="c", handler=f)
    assert handle.error_handler("h", handler=g, before="b") is handle
    assert graph.error_handler("all", handler=g) is graph

    step = graph.spec.step("h")
    assert (step.kind, step.base_step, step.before) == ("error_step", "c", ("b",))
    assert (graph.spec.step("c").on_error, graph.spec.on_error) == ("h", "all")
    assert step.after == ()


def test_an_error_handler_is_never_the_last_step():
    graph = chain("a")
    graph.error_handler("h", handler=g)
    assert graph.last_step == "a"
    graph.add_step(name="b", handler=f)
    assert after(graph)["b"] == ("a",)

    graph.set_error_handler("b", "a")
    assert graph.last_step == "a"


def test_an_error_handler_of_nobody_leaves_no_trace():
    graph = chain("a")
    before = graph.spec, dict(graph.namespace)

    with pytest.raises(UnknownStepError, match="has no step 'zz'"):
        graph.error_handler("h", handler=g, step="zz")
    assert (graph.spec, graph.namespace) == before


# -- routers ----------------------------------------------------------------------


def test_a_root_router_has_routes():
    graph = Graph("models", topology="router")
    graph.add_model("m1", Work, "models/1", depth=3)
    graph.add_route("m2:v2", handler=f)

    router = graph.spec.router
    assert [route.name for route in router.routes] == ["m1", "m2:v2"]
    assert router.routes[0].class_args == {"model_path": "models/1", "depth": 3}
    assert repr(graph) == "<Graph 'models': 3 steps>"


def test_a_router_of_a_flow_has_routes():
    graph = chain("a")
    handle = graph.add_router("r", "ModelRouter", url_prefix="/x")
    assert handle.add_route("m1", Work, depth=1) is handle
    graph.add_route("m2", handler=f)

    router = graph.spec.step("r")
    assert (router.kind, router.after) == ("router", ("a",))
    assert router.class_args == {"url_prefix": "/x"}
    assert [route.name for route in router.routes] == ["m1", "m2"]


def test_a_route_of_a_known_key_is_replaced_in_its_place():
    graph = Graph("models", topology="router")
    graph.add_route("m1", handler=f)
    graph.add_route("m2", handler=f)
    graph.add_route("m1", handler=g)

    routes = graph.spec.router.routes
    assert [(r.name, r.handler) for r in routes] == [("m1", "g"), ("m2", "f")]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ({"key": "m", "handler": f}, "has 2 routers; name one with router_step"),
        ({"key": "m", "handler": f, "router_step": "a"}, "'a' is no router"),
        ({"key": "m", "handler": f, "router_step": "zz"}, "has no step 'zz'"),
        ({"key": "m", "router_step": "r1"}, "route 'm' needs a class_name or a handle"),
        ({"key": "m n", "handler": g, "router_step": "r1"}, "a route's name holds"),
    ],
)
def test_a_refused_route_leaves_no_trace(call, message):
    graph = chain("a")
    graph.add_router("r1")
    graph.add_router("r2")
    before = graph.spec, dict(graph.namespace)

    with pytest.raises(SpecError, match=message):
        graph.add_route(**call)
    assert (graph.spec, graph.namespace) == before


# -- changing ---------------------------------------------------------------------


def test_put_step_replaces_a_step_in_its_place():
    graph = chain("a", "b", "c")
    step = replace(graph.spec.step("b"), handler="g", retries=3)
    graph.put_step(step, g)

    assert graph.spec.names() == ("a", "b", "c")
    assert graph.spec.step("b").retries == 3
    assert graph.namespace["g"] is g
    assert graph.last_step == "c"


def test_put_step_adds_what_is_new():
    graph = chain("a")
    graph.put_step(StepSpec(name="b", handler="f", after=("a",)))

    assert (graph.spec.names(), graph.last_step) == (("a", "b"), "b")


@pytest.mark.parametrize(
    ("name", "left", "last"),
    [
        ("a", {"b": (), "c": ("b",)}, "c"),
        ("b", {"a": (), "c": ("a",)}, "c"),
        ("c", {"a": (), "b": ("a",)}, "b"),
    ],
)
def test_the_neighbours_of_a_removed_step_meet(name, left, last):
    graph = chain("a", "b", "c")
    graph.remove_step(name)

    assert (after(graph), graph.last_step) == (left, last)


def test_a_removed_step_is_named_nowhere():
    graph = chain("a", "b")
    graph.add_step(name="c", handler=f, after=["a", "b"])
    graph.error_handler("h", handler=g, step="b", before="c")
    graph.error_handler("all", handler=g)

    graph.remove_step("b")
    assert after(graph)["c"] == ("a",)
    assert graph.spec.step("h").base_step is None
    graph.remove_step("c")
    assert graph.spec.step("h").before == ()
    graph.remove_step("all")
    assert graph.spec.on_error is None


def test_a_removed_error_handler_is_named_nowhere():
    graph = chain("a")
    graph.error_handler("h", handler=g, step="a")
    graph.remove_step("h")

    assert graph.spec.step("a").on_error is None


def test_the_last_of_all_steps_may_go():
    graph = chain("a")
    graph.remove_step("a")

    assert (graph.spec.steps, graph.last_step) == ((), None)


def test_a_renamed_step_is_renamed_everywhere():
    graph = chain("a", "b")
    graph.error_handler("h", handler=g, step="a", before="b")
    graph.error_handler("all", handler=g)
    graph.rename_step("a", "first")
    graph.rename_step("b", "second")
    graph.rename_step("h", "help")
    graph.rename_step("all", "rest")

    helper = graph.spec.step("help")
    assert graph.spec.names() == ("first", "second", "help", "rest")
    assert graph.spec.step("second").after == ("first",)
    assert (helper.base_step, helper.before) == ("first", ("second",))
    assert (graph.spec.step("first").on_error, graph.spec.on_error) == ("help", "rest")
    assert graph.last_step == "second"


def test_a_step_may_keep_its_name():
    graph = chain("a")
    graph.rename_step("a", "a")

    assert graph.spec.names() == ("a",)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("a", "b", "already has a step 'b'"),
        ("a", "start", "'start' is reserved"),
        ("zz", "c", "has no step 'zz'"),
    ],
)
def test_a_wrong_new_name_is_refused(old, new, message):
    graph = chain("a", "b")

    with pytest.raises(SpecError, match=message):
        graph.rename_step(old, new)
    assert graph.spec.names() == ("a", "b")


# -- whole graphs -----------------------------------------------------------------


def test_a_graph_grows_from_a_spec():
    graph = Graph.from_spec(chain("a", "b").spec, {"f": f})
    graph.add_step(name="c", handler=f)

    assert after(graph)["c"] == ("b",)
    assert (graph.is_trusted, graph.name) == (True, "g")


def test_a_document_is_not_trusted():
    graph = Graph.from_dict(chain("a").to_dict(), {"f": f}, ["json"])

    assert (graph.is_trusted, graph.allow_imports) == (False, ("json",))
    assert graph.namespace == {"f": f}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"name": "my graph"}, "a graph's name holds"),
        ({"topology": "mesh"}, "topology must be 'flow' or 'router', got 'mesh'"),
    ],
)
def test_a_graph_is_refused_at_once(options, message):
    with pytest.raises(SpecError, match=message):
        Graph(**options)


# -- graphs in graphs, cycles, serving specs -----------------------------------------


def test_a_router_added_as_a_step_keeps_its_class():
    inner = Graph("votes", topology="router", router_class="VotingEnsemble")
    inner.add_route("m", handler=f)
    outer = Graph("outer")
    outer.to(inner, "vote")

    step = outer.spec.step("vote")
    assert (step.kind, step.class_name) == ("router", "VotingEnsemble")
    assert [route.name for route in step.routes] == ["m"]


def looping():
    graph = Graph("loop", allow_cyclic=True)
    graph.to(name="a", handler=f)
    graph.add_step(name="b", handler=f, after="a")
    graph.add_step(name="c", handler=f, after="b", cycle_to="a")
    return graph


def test_renaming_a_step_renames_the_way_back():
    graph = looping()
    graph.rename_step("c", "again")

    assert graph.spec.step("a").cycle_from == ("again",)
    assert graph.spec.step("a").after == ("again",)


def test_the_way_back_goes_with_the_step_that_it_leads_from():
    graph = looping()
    graph.remove_step("c")

    assert graph.spec.step("a").cycle_from == ()
    assert after(graph) == {"a": (), "b": ("a",)}


def test_removing_all_others_leaves_no_loop():
    graph = looping()
    graph.remove_step("c")
    graph.remove_step("b")

    assert (graph.spec.step("a").after, graph.spec.step("a").cycle_from) == ((), ())


def test_a_graph_comes_from_a_serving_spec_in_the_environment(monkeypatch):
    document = {"steps": {"a": {"handler": "f"}}}
    spec = {"version": "v2", "function_name": "mine", "graph": document}
    monkeypatch.setenv("SERVING_SPEC_ENV", json.dumps(spec))

    graph = Graph.from_serving_spec()

    assert (graph.name, graph.spec.names()) == ("mine", ("a",))


def test_a_spec_is_the_same_object_until_the_graph_changes():
    graph = chain("a", "b")
    before = graph.spec
    kept = graph.spec is before
    graph.to(name="c", handler=f)

    assert kept
    assert graph.spec.names() == ("a", "b", "c")


def test_a_spec_follows_the_name_of_its_graph():
    graph = chain("a", "b")
    before = graph.spec.name
    graph.name = "renamed"

    assert (before, graph.spec.name) == ("g", "renamed")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"step": "graph"}, "the handler of the whole graph has no step"),
        ({"after": "a"}, "an error handler has no after"),
        ({"kind": "task"}, "an error handler has no kind"),
    ],
)
def test_an_error_handler_has_no_place_of_its_own(options, message):
    with pytest.raises(SpecError, match=message):
        chain("a").error_handler("h", handler=f, **options)


@pytest.mark.parametrize("name", [[1], {1: 2}, {"a"}, b"ab", 5])
def test_a_name_that_is_no_text_is_refused(name):
    with pytest.raises(SpecError, match="name"):
        Graph("g").to(name=name, handler=str.upper)


@pytest.mark.parametrize("name", [b"ab", [1]])
def test_a_neighbour_that_is_no_text_is_unknown(name):
    graph = Graph("g")
    step = graph.to(name="first", handler=str.upper)

    with pytest.raises(SpecError):
        step.cycle_to(name)
