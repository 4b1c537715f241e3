"""MLRun's builder writes MLRun's documents; the conformance cases hold many more."""

import pytest

from jupyter_graph.errors import DuplicateStepError, SpecError
from jupyter_graph.mlrun_names import new_function


def double(x):
    return x * 2


class Adder:
    def __init__(self, k=1):
        self.k = k

    def do(self, x):
        return x + self.k


class FromElsewhere:
    """Describes itself, as steps of MLRun's do."""

    def __init__(self, kind="task"):
        self.kind = kind

    def to_dict(self):
        return {"kind": self.kind, "class_name": "x.Own", "class_args": {"k": 1}}


@pytest.fixture
def function():
    return new_function("made")


@pytest.fixture
def flow(function):
    return function.set_topology("flow")


def test_code_itself_may_be_given(function, flow):
    flow.to(Adder, k=10).to(name="twice", handler=double).respond()

    with function.to_mock_server() as server:
        assert server.test(body=1) == 22


def test_names_are_found_in_the_namespace(function, flow):
    flow.to("Adder").to(name="twice", handler="double").respond()

    with function.to_mock_server({"Adder": Adder, "double": double}) as server:
        assert server.test(body=1) == 4


def test_two_things_of_one_name_are_refused(flow):
    flow.to(name="a", handler=double)
    other = type("double", (), {"do": lambda self, x: x})

    with pytest.raises(DuplicateStepError, match="two different objects"):
        flow.to(other, name="b")
    with pytest.raises(SpecError, match="a class, a function or the name"):
        flow.to(name="c", handler=lambda x: x)


def test_a_name_is_a_text(flow):
    with pytest.raises(SpecError, match="name of a step must be a text, got 5"):
        flow.to("Adder", 5)


def test_a_step_may_describe_itself(function, flow):
    flow.to(FromElsewhere(), name="own", input_path="in")
    flow.to(FromElsewhere())

    assert function.to_dict()["steps"] == {
        "own": {
            "kind": "task",
            "class_name": "x.Own",
            "class_args": {"k": 1},
            "input_path": "in",
        },
        "Own": {"kind": "task", "class_name": "x.Own", "class_args": {"k": 1}},
    }


@pytest.mark.parametrize(("kind", "is_fine"), [("router", True), ("task", False)])
def test_the_root_is_a_router(function, kind, is_fine):
    if is_fine:
        function.set_topology("router", FromElsewhere(kind))
        assert function.to_dict()["kind"] == "router"
    else:
        with pytest.raises(SpecError, match="not a router step"):
            function.set_topology("router", FromElsewhere(kind))


def test_a_router_has_a_limit(function):
    router = function.set_topology("router")
    for number in range(5000):
        router.add_route(f"m{number}", class_name="M")

    router.add_route("m7", class_name="N")
    with pytest.raises(SpecError, match="cannot have more than 5000 routes"):
        router.add_route("one-more", class_name="M")


def test_models_go_to_the_only_router_or_the_named_one(function, flow):
    flow.to("*", "first")
    function.add_model("m", class_name="M")
    flow.to("*", "second")
    function.add_model("n", class_name="M", router_step="second")

    assert list(flow.steps["first"]["routes"]) == ["m"]
    assert list(flow.steps["second"]["routes"]) == ["n"]
    with pytest.raises(SpecError, match=r"found 2 routers \(first, second\)"):
        function.add_model("o", class_name="M")
    with pytest.raises(SpecError, match="router step ghost not present"):
        function.add_model("o", class_name="M", router_step="ghost")


def test_an_error_handler_may_be_shared(flow):
    flow.to(name="a", handler="f").error_handler("c", handler="catch")
    flow["a"].to(name="b", handler="f").error_handler("c", handler="catch")

    assert flow["a"].to_dict()["on_error"] == flow["b"].to_dict()["on_error"] == "c"
    assert flow["c"].fields["base_step"] == "b"
    with pytest.raises(DuplicateStepError, match="already has a step 'b'"):
        flow["a"].error_handler("b", handler="catch")


def test_steps_are_found_by_name(flow):
    flow.to(name="a", handler="f")
    flow.to(name="b", handler="f").after_step("a").after_step(flow["a"], append=False)

    assert list(flow) == ["a", "b"]
    assert "a" in flow
    assert flow["b"].fields["after"] == ["a"]
    with pytest.raises(SpecError, match=r"step bb doesnt exist.*did you mean 'b'"):
        flow["bb"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"engine": "turbo"}, "engine must be 'async' or 'sync', got 'turbo'"),
        ({"engine": "sync", "allow_cyclic": True}, "not supported with sync engine"),
        ({"topology": "mesh"}, "unsupported topology mesh"),
        ({"topology": "router", "allow_cyclic": True}, "only supported in flow"),
    ],
)
def test_a_wrong_topology_is_refused(function, options, said):
    with pytest.raises(SpecError, match=said):
        function.set_topology(**{"topology": "flow", **options})


def test_only_serving_functions_have_a_graph(function):
    with pytest.raises(SpecError, match="kind 'serving' have a graph, got 'job'"):
        new_function(kind="job")
    with pytest.raises(SpecError, match="'made' has no graph, use set_topology"):
        function.to_mock_server()
