"""Broken graphs: one error names every step and field, and what would be right."""

import math

import pytest

from jupyter_graph import Graph, validate
from jupyter_graph.errors import SpecError, UnknownStepError
from jupyter_graph.spec.codec import from_dict
from jupyter_graph.spec.model import GraphSpec, StepSpec
from jupyter_graph.spec.validate import RULES, problems


def flow(**steps):
    return {"steps": steps}


def task(**fields):
    return {"handler": "f", **fields}


def router(**fields):
    return {"kind": "router", "routes": {"m": task()}, **fields}


def refused(document):
    """Tell what is said about a document that no graph can be made of."""
    with pytest.raises(SpecError) as caught:
        validate(from_dict(document))
    return caught.value


ONE_PROBLEM = [
    # the graph itself
    (5, "a graph document is an object of fields, got 5"),
    (None, "a graph document is an object of fields, got None"),
    ([], "a graph document is an object of fields, got []"),
    ({}, "graph 'graph' has no steps yet"),
    (flow(), "graph 'graph' has no steps yet"),
    ({"steps": {}}, "graph 'graph' has no steps yet"),
    (
        {"steps": ["a"]},
        "field 'steps' of the graph is an object of step names and steps, got ['a']",
    ),
    (
        {"kind": "task", "steps": {"a": task()}},
        "a graph is of kind 'flow' or 'router', got 'task'",
    ),
    (
        {"kind": "roter", "steps": {"a": task()}},
        "a graph is of kind 'flow' or 'router', got 'roter'; did you mean 'router'?",
    ),
    (
        {"stpes": {}, "steps": {"a": task()}},
        "the graph has an unknown field 'stpes'; did you mean 'steps'?",
    ),
    (
        {**flow(a=task()), "engine": "fast"},
        "engine must be 'async' or 'sync', got 'fast'",
    ),
    ({**flow(a=task()), "engine": 5}, "engine must be 'async' or 'sync', got 5"),
    (
        {**flow(a=task()), "copy": "some"},
        "copy must be 'deep', 'shallow' or 'none', got 'some'",
    ),
    (
        {**flow(a=task()), "max_in_flight": 0},
        "max_in_flight must be a whole number of 1 or more, got 0",
    ),
    (
        {**flow(a=task()), "max_in_flight": 2.5},
        "max_in_flight must be a whole number of 1 or more, got 2.5",
    ),
    (
        {**flow(a=task()), "max_in_flight": True},
        "max_in_flight must be a whole number of 1 or more, got True",
    ),
    (
        {**flow(a=task()), "on_error": "ghost"},
        "the graph's error handler 'ghost' does not exist",
    ),
    (
        {**flow(a=task(), catch=task(kind="error_step")), "on_error": "catsh"},
        "the graph's error handler 'catsh' does not exist; did you mean 'catch'?",
    ),
    ({**flow(a=task()), "on_error": 5}, "on_error of the graph must be a text, got 5"),
    # names
    (
        {"name": "my graph", **flow(a=task())},
        "a graph's name holds letters, digits, '_', '.' and '-', got 'my graph'",
    ),
    (
        {"name": 5, **flow(a=task())},
        "a graph's name is a text of 1 to 63 characters, got 5",
    ),
    (
        {"name": "start", **flow(a=task())},
        "'start' is reserved; choose another name for the graph",
    ),
    (flow(**{"2nd": task()}), "a step's name starts with a letter or '_', got '2nd'"),
    (
        flow(**{"a b": task()}),
        "a step's name holds letters, digits, '_', '.' and '-', got 'a b'",
    ),
    (
        flow(**{"a:b": task()}),
        "a step's name holds letters, digits, '_', '.' and '-', got 'a:b'",
    ),
    (
        flow(**{"": task()}),
        "a step's name is a text of 1 to 63 characters, got ''",
    ),
    (flow(graph=task()), "'graph' is reserved; choose another name for the step"),
    (
        flow(**{"$prev": task()}),
        "'$prev' is reserved; choose another name for the step",
    ),
    (
        flow(**{"a" * 64: task()}),
        "a step's name has at most 63 characters, 'aaaaaaaaaaaaaaaaaaaa…' has 64",
    ),
    ({"steps": {1: task()}}, "the name of a step is a text, got 1"),
    (
        flow(a=task(name="b")),
        "step 'a' says its name is 'b'; write 'a' or leave it out",
    ),
    # one step
    (flow(a=5), "step 'a' is an object of fields, got 5"),
    (
        flow(a=task(hanlder="f")),
        "step 'a' has an unknown field 'hanlder'; did you mean 'handler'?",
    ),
    (
        flow(a=task(cycle_from=["a"])),
        "step 'a' has 'a' in 'cycle_from' but not in 'after'",
    ),
    (flow(a=task(queue="q")), "step 'a' has an unknown field 'queue'"),
    (flow(a=task(function=5)), "function of step 'a' must be a text, got 5"),
    (
        flow(a=task(function="Bad Name!")),
        "function of step 'a': a function's name is 1 to 56 lower-case letters, digits "
        "and '-' (a letter or digit at both ends), got 'Bad Name!'",
    ),
    (
        flow(a=task(batch=0)),
        "batch of step 'a' must be a whole number of 1 or more, got 0",
    ),
    (
        flow(a=task(batch=4, full_event=True)),
        "step 'a' takes the full event, which does not go with 'batch': it takes a "
        "list of bodies",
    ),
    (
        flow(a=task(batch_wait_ms=-1)),
        "batch_wait_ms of step 'a' must be 0 or more milliseconds, got -1",
    ),
    (
        flow(a=task(concurrency="many")),
        "concurrency of step 'a' must be a whole number of 1 or more, got 'many'",
    ),
    (
        flow(a=task(max_iterations=True)),
        "max_iterations of step 'a' must be a whole number of 1 or more, got True",
    ),
    (flow(a=task(vectorized=1)), "vectorized of step 'a' must be true or false, got 1"),
    (
        flow(a=task(join="both")),
        "join of step 'a' must be one of 'all', 'any', 'first', got 'both'",
    ),
    (
        flow(a=task(join="all")),
        "step 'a' joins ('all'), but comes after 0 steps; a join needs two or more in "
        "'after'",
    ),
    (
        flow(a=task(), b=task(), c=task(after=["a", "b"], join_timeout_s=1)),
        "step 'c' has join_timeout_s, which is only for join='all'",
    ),
    (
        flow(a=task(), b=task(), c=task(after=["a", "b"], missing="none")),
        "missing of step 'c' must be one of 'drop', 'null', 'error', got 'none'",
    ),
    (
        flow(a=task(raise_exception=True)),
        "step 'a' has 'raise_exception' but is of kind 'task'; only a model_runner has "
        "one",
    ),
    (
        flow(a=task(path="kafka://b/t")),
        "step 'a' has 'path' but is of kind 'task'; only a queue has one",
    ),
    (
        flow(a=task(), q={"kind": "queue", "after": ["a"]}),
        "queue 'q' has neither a path nor a step after it, so its events go nowhere; "
        "give it one",
    ),
    (
        flow(
            a=task(),
            q={"kind": "queue", "after": "a", "path": "memory://q", "handler": "f"},
        ),
        "queue 'q' has 'handler'; a queue runs no code",
    ),
    (
        flow(
            a=task(),
            q={"kind": "queue", "after": "a", "path": "memory://q", "shards": 0},
        ),
        "shards of step 'q' must be a whole number of 1 or more, got 0",
    ),
    (
        flow(f={"kind": "flow"}),
        "flow 'f' has no steps; give it some in 'steps'",
    ),
    (
        flow(f={"kind": "flow", "steps": {"a": task(after=["x"])}}),
        "in flow 'f': step 'a' comes after 'x', which does not exist",
    ),
    (
        flow(a=task(steps={"b": task()})),
        "step 'a' has steps but is of kind 'task'; only a flow has steps",
    ),
    (
        flow(a=task(kind="hub_task")),
        "step 'a' is of kind 'hub_task', which is not to be had: it downloads code "
        "when it is loaded; import the class in the notebook",
    ),
    (
        {"final_step": "z", **flow(a=task())},
        "final_step (z) specified and not found in graph steps",
    ),
    (
        {"allow_cyclic": True, "engine": "sync", **flow(a=task())},
        "Cyclic graphs are not supported with sync engine: engine must be 'async' "
        "where allow_cyclic is true",
    ),
    (
        {"allow_cyclic": "yes", **flow(a=task())},
        "allow_cyclic must be true or false, got 'yes'",
    ),
    (
        {
            "allow_cyclic": True,
            **flow(a=task(), b=task(after=["c"]), c=task(after="b")),
        },
        "no event reaches step 'b': the cycle it stands in has no way in; name the "
        "edge that leads back in 'cycle_from'",
    ),
    (
        flow(a=task(kind="taks")),
        "step 'a' is of kind 'taks'; did you mean 'task'?, known are task, router, "
        "flow, queue, model_runner, error_step",
    ),
    (flow(a=task(kind=5)), "kind of step 'a' must be a text, got 5"),
    (
        flow(a={}),
        "step 'a' has neither class_name nor handler; name a class or a function",
    ),
    (flow(a={"handler": 5}), "handler of step 'a' must be a text, got 5"),
    (flow(a={"class_name": ["A"]}), "class_name of step 'a' must be a text, got ['A']"),
    (
        flow(a=task(class_args=[1])),
        "class_args of step 'a' must be an object of names and values, got [1]",
    ),
    (
        flow(a=task(class_args={1: 2})),
        "class_args of step 'a' must have texts as names, got 1",
    ),
    (flow(a=task(input_path=5)), "input_path of step 'a' must be a text, got 5"),
    (
        flow(a=task(result_path=["r"])),
        "result_path of step 'a' must be a text, got ['r']",
    ),
    (
        flow(a=task(full_event="yes")),
        "full_event of step 'a' must be true or false, got 'yes'",
    ),
    (
        flow(a=task(responder=1)),
        "responder of step 'a' must be true or false, got 1",
    ),
    (
        flow(a=task(timeout_s=0)),
        "timeout_s of step 'a' must be a number of seconds above 0 and within "
        "a year, got 0",
    ),
    (
        flow(a=task(timeout_s="3")),
        "timeout_s of step 'a' must be a number of seconds above 0 and within "
        "a year, got '3'",
    ),
    (
        flow(a=task(timeout_s=math.inf)),
        "timeout_s of step 'a' must be a number of seconds above 0 and within "
        "a year, got inf",
    ),
    (
        flow(a=task(timeout_s=10**5000)),
        "timeout_s of step 'a' must be a number of seconds above 0 and within a year, "
        "got a very large number",
    ),
    (
        flow(a=task(class_args={"x": {"$tuple": 5}})),
        "field 'class_args' of step 'a' is tagged wrongly; {\"$tuple\": [1, 2]}, "
        '{"$items": [[1, 2]]} and {"$float": "nan"} are right, '
        "got {'$tuple': 5}",
    ),
    (
        flow(a=task(retries=-1)),
        "retries of step 'a' must be a whole number of 0 or more, got -1",
    ),
    (
        flow(a=task(retries=1.5)),
        "retries of step 'a' must be a whole number of 0 or more, got 1.5",
    ),
    (
        flow(a=task(backoff_s=-0.1)),
        "backoff_s of step 'a' must be 0 or more seconds and within a year, got -0.1",
    ),
    (
        flow(a=task(backoff_s=math.nan)),
        "backoff_s of step 'a' must be 0 or more seconds and within a year, got nan",
    ),
    # how steps hang together
    (
        flow(parse=task(), b=task(after=["prase"])),
        "step 'b' comes after 'prase', which does not exist; did you mean 'parse'?",
    ),
    (
        flow(a=task(), b=task(after=5)),
        "field 'after' of step 'b' is a name or a list of names, got 5",
    ),
    (
        flow(a=task(), b=task(after=["a", 1])),
        "field 'after' of step 'b' is a name or a list of names, got ['a', 1]",
    ),
    (
        flow(a=task(), b=task(after=["a", "a"])),
        "step 'b' names 'a' 2 times in 'after'; once is enough",
    ),
    (
        flow(a=task(after=["a"])),
        "the graph has a cycle: a → a; take one of its edges away, "
        "or say allow_cyclic (and cycle_to at the step that leads back)",
    ),
    (
        flow(a=task(after=["c"]), b=task(after=["a"]), c=task(after=["b"])),
        "the graph has a cycle: a → b → c → a; take one of its edges away, "
        "or say allow_cyclic (and cycle_to at the step that leads back)",
    ),
    (
        flow(a=task(responder=True), b=task(responder=True)),
        "only one step may respond, found a, b",
    ),
    (
        flow(a=task(before=["b"]), b=task()),
        "step 'a' has 'before', which only an error handler may; put 'a' into the "
        "'after' of b",
    ),
    # error handlers
    (
        flow(a=task(on_error="ctach"), catch=task(kind="error_step", base_step="a")),
        "the error handler 'ctach' of step 'a' does not exist; did you mean 'catch'?",
    ),
    (
        flow(a=task(), catch=task(kind="error_step")),
        "error handler 'catch' handles the errors of no step; name it in a step's "
        "on_error",
    ),
    (
        flow(a=task(on_error="c"), c=task(kind="error_step", after=["a"])),
        "error handler 'c' has 'after', but only errors lead to it; take it away",
    ),
    (
        flow(a=task(on_error="c"), c=task(kind="error_step", before=["x"])),
        "step 'c' goes on before 'x', which does not exist",
    ),
    (
        flow(a=task(on_error="c"), c=task(kind="error_step", base_step="b")),
        "error handler 'c' has the base_step 'b', which does not exist",
    ),
    (
        {
            **flow(a=task(), c=task(kind="error_step", before=["a"])),
            "on_error": "c",
        },
        "the graph's error handler 'c' cannot go on before a step: its result is the "
        "answer",
    ),
    (flow(a=task(on_error=5)), "on_error of step 'a' must be a text, got 5"),
    (
        flow(a=task(), b=task(after=["a"], on_error="c"), c=task(before=["a"])),
        "the graph has a cycle: a → b → c → a; take one of its edges away, "
        "or say allow_cyclic (and cycle_to at the step that leads back)",
    ),
    # routers
    (
        {"kind": "router"},
        "router 'router' has no routes; add one with add_route",
    ),
    (flow(r={"kind": "router"}), "router 'r' has no routes; add one with add_route"),
    (
        flow(a=task(routes={"m": task()})),
        "step 'a' has routes but is of kind 'task'; only a router has routes",
    ),
    (
        {"kind": "router", "routes": ["m"]},
        "field 'routes' of step 'router' is an object of route names and steps, got "
        "['m']",
    ),
    (router(routes={2: task()}), "the name of a route is a text, got 2"),
    (
        router(routes={"2": task()}),
        "a route's name starts with a letter or '_', got '2'",
    ),
    (
        router(routes={"m": {}}),
        "step 'm' has neither class_name nor handler; name a class or a function",
    ),
    (
        router(routes={"m": task(after=["x"])}),
        "route 'm' of 'router' has 'after', which a route cannot have; put it at "
        "'router'",
    ),
    (
        router(routes={"m": task(on_error="x")}),
        "route 'm' of 'router' has 'on_error', which a route cannot have; put it at "
        "'router'",
    ),
    (
        router(on_error="x"),
        "router 'router' is the whole graph, so it has no 'on_error'; make it a step "
        "of a flow",
    ),
    (
        router(steps={"a": task()}),
        "step 'router' has steps but is of kind 'router'; only a flow has steps",
    ),
]


@pytest.mark.parametrize(
    ("document", "said"), ONE_PROBLEM, ids=[said[:48] for _, said in ONE_PROBLEM]
)
def test_a_broken_document_is_told_what_is_wrong(document, said):
    error = refused(document)

    assert said in error.problems
    assert said in str(error)


def test_all_problems_are_told_at_once():
    document = {
        "engine": "fast",
        "steps": {
            "2nd": task(retries=-1, on_error="ghost"),
            "b": {"after": ["2nd", "nowhere"], "kind": "taks"},
            "c": task(responder=True, timeout_s="x"),
            "d": task(responder=True, on_error=7),
        },
    }
    error = refused(document)

    assert len(error.problems) == 10
    assert str(error).startswith("invalid graph document:\n  - ")
    assert all(f"  - {problem}" in str(error) for problem in error.problems)


def test_wrong_types_hide_no_other_problem():
    found = problems(
        GraphSpec(
            steps=(
                StepSpec(name="a", handler=["f"], on_error={}, after=5),
                StepSpec(name=7, handler="f", class_args=3),
                StepSpec(name="b", handler="f", after=("ghost",)),
            ),
            on_error=[],
        )
    )

    places = {(problem.step, problem.field) for problem in found}
    assert places == {
        ("a", "handler"), ("a", "on_error"), ("a", "after"), ("7", "name"),
        ("7", "class_args"), ("b", "after"), (None, "on_error"),
    }  # fmt: skip


def test_a_problem_knows_its_step_and_field():
    [problem] = problems(
        GraphSpec(steps=(StepSpec(name="a", handler="f", retries=-1),))
    )

    assert (problem.step, problem.field) == ("a", "retries")
    assert str(problem) == problem.message


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_a_good_graph_breaks_no_rule(rule):
    graph = from_dict(
        {
            "steps": {
                "a": task(on_error="c"),
                "b": task(after=["a"], responder=True),
                "c": task(kind="error_step", before=["b"], base_step="a"),
                "r": {"kind": "router", "routes": {"m:v2": task()}, "after": ["b"]},
            }
        }
    )

    assert list(rule(graph)) == []


# -- what the builder refuses at once -------------------------------------------


def f(x):
    return x


def g(x):
    return x


def built(*calls):
    graph = Graph("g")
    graph.to(name="a", handler=f)
    for call in calls:
        call(graph)


NO_NAME = type("NoName", (), {"__call__": lambda self, x: x})()
BUILDER = [
    (lambda x: x.add_step(name="a", handler=f), "already has a step 'a'"),
    (lambda x: x.add_step(name="b"), "class_name or handler must be provided"),
    (lambda x: x.add_step(name="start", handler=f), "'start' is reserved"),
    (lambda x: x.add_step(name="a b", handler=f), "a step's name holds"),
    (lambda x: x.add_step(handler=lambda x: x), "needs a name"),
    (lambda x: x.add_step(name="b", handler=5), "a class, a function or the name"),
    (lambda x: x.add_step(name="b", handler=NO_NAME), "has no name"),
    (lambda x: x.add_step(name="b", handler=f, before="zz"), "has no step 'zz'"),
    (lambda x: x.error_handler("h", handler=f, step="zz"), "has no step 'zz'"),
    (lambda x: x.add_route("m", handler=f), "has 0 routers"),
    (lambda x: x.add_route("m", handler=f, router_step="a"), "is no router"),
    (lambda x: x.add_route("m:1", handler=f, router_step="zz"), "has no step 'zz'"),
    (lambda x: x.remove_step("zz"), "has no step 'zz'"),
    (lambda x: x.rename_step("a", "2"), "starts with a letter"),
    (lambda x: x.rename_step("zz", "b"), "has no step 'zz'"),
    (lambda x: x.change_step("aa", retries=1), "did you mean 'a'"),
]


@pytest.mark.parametrize(("call", "said"), BUILDER, ids=[said for _, said in BUILDER])
def test_the_builder_refuses_and_leaves_the_graph_as_it_was(call, said):
    graph = Graph("g")
    graph.to(name="a", handler=f)
    before = graph.spec, dict(graph.namespace), graph.last_step

    with pytest.raises(SpecError, match=said):
        call(graph)

    assert (graph.spec, graph.namespace, graph.last_step) == before


def test_two_objects_of_one_name_are_refused():
    def make(number):
        def step(x):
            return x + number

        return step

    graph = Graph("g")
    graph.to(name="a", handler=make(1))

    with pytest.raises(SpecError, match="two different objects are named 'step'"):
        graph.add_step(name="b", handler=make(2))


@pytest.mark.parametrize("name", ["", "2nd", "a b", "../up", "$now", 5, "x" * 64])
def test_a_graph_needs_a_proper_name(name):
    with pytest.raises(SpecError, match=r"name|reserved"):
        Graph(name)


def test_a_topology_is_flow_or_router():
    with pytest.raises(SpecError, match="topology must be 'flow' or 'router'"):
        Graph("g", topology="mesh")


def test_an_unknown_step_is_an_error_of_its_own():
    with pytest.raises(UnknownStepError, match=r"its steps: none yet"):
        Graph("g").spec.step("a")


def test_a_step_with_a_field_unknown_has_its_other_problems_told_too():
    step = {"handler": "f", "kind": "tsk", "after": ["nope"], "on_error": "missing"}
    document = {"steps": {"a": {**step, "afer": ["x"], "responder": "yes"}}}

    with pytest.raises(SpecError) as caught:
        from_dict(document)

    said = caught.value.problems
    assert len(said) == 5
    for part in ("'afer'", "responder of", "kind 'tsk'", "after 'nope'", "'missing'"):
        assert any(part in problem for problem in said)
