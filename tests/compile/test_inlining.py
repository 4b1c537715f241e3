"""Shapes that are written out in one function give what the general code gives."""

import copy

import pytest

from jupyter_graph import Graph, StepError
from jupyter_graph.compile.compiled_graph import compile_graph
from jupyter_graph.compile.runtime.branches import deep_copy, shallow_copy


class Pick:
    """Picks what the body says."""

    def do(self, body):
        return body

    def select_outlets(self, body):
        return body["to"]


def mark(name, fails=False):
    def run(body):
        if fails:
            raise ValueError(f"{name} failed")
        body.setdefault("seen", []).append(name)
        return body

    run.__name__ = f"mark_{name}"
    return run


def choice(rejoins=True, chooser="Pick", **options):
    graph = Graph("g", **options)
    if chooser == "Pick":
        graph.to(Pick, "pick")
    else:
        graph.to(chooser, "pick", field_name="to")
    for name in "abc":
        graph.add_step(name=name, handler=mark(name), after="pick")
    after = ["a", "b", "c"] if rejoins else ["a"]
    graph.add_step(name="last", handler=mark("last"), after=after).respond()
    return graph


@pytest.mark.parametrize("chooser", ["Pick", "ChoiceByField"])
@pytest.mark.parametrize("engine", ["async", "sync"])
@pytest.mark.parametrize(
    ("to", "seen"),
    [
        pytest.param("a", ["a", "last"], id="text"),
        pytest.param(["b"], ["b", "last"], id="list-of-one"),
        pytest.param(("c",), ["c", "last"], id="tuple"),
        pytest.param(["c", "a"], ["c", "last"], id="several"),
    ],
)
def test_one_outlet_several_or_all(run_graph, chooser, engine, to, seen):
    [found] = run_graph(choice(chooser=chooser, engine=engine), [{"to": to}])

    assert found["seen"] == seen


@pytest.mark.parametrize("to", [None, []], ids=["none", "empty"])
def test_none_means_all(run_graph, to):
    graph = choice()
    seen = []
    graph.add_step(name="note", handler=lambda b: seen.append(b["seen"]), after="last")
    run_graph(graph, [{"to": to}])

    assert seen == [["a", "last"], ["b", "last"], ["c", "last"]]


@pytest.mark.parametrize("chooser", ["Pick", "ChoiceByField"])
@pytest.mark.parametrize(
    ("to", "said"),
    [
        ("ghost", "Invalid outlet 'ghost' for 'pick'. Allowed outlets are: a, b, c."),
        (["a", "a"], "duplicate outlet names were selected"),
    ],
)
def test_an_outlet_that_is_none_fails_the_choice(open_runner, chooser, to, said):
    with pytest.raises(StepError, match=said) as caught:
        open_runner(choice(chooser=chooser)).run({"to": to})

    assert caught.value.step == "pick"


def test_outlets_may_end_in_different_places(run_graph):
    found = run_graph(choice(rejoins=False), [{"to": "a"}, {"to": "b"}])

    assert [one and one["seen"] for one in found] == [["a", "last"], None]


def test_a_rejoining_choice_is_one_function():
    source = compile_graph(choice()).source

    assert source.index("if picked == 'a'") < source.index("body = last(body)")
    assert source.index("body = last(body)") < source.index("def at_")


@pytest.mark.parametrize("copies", ["deep", "shallow", "none"])
def test_a_written_fan_out_merges_in_the_order_of_after(run_graph, copies):
    graph = Graph("g", copy=copies)
    graph.to(name="first", handler=lambda body: body)
    for name in "abc":
        graph.add_step(name=name, handler=lambda b, n=name: [n, b["x"]], after="first")
    graph.add_step("Merge", "all", after=["c", "a", "b"]).respond()

    assert run_graph(graph, [{"x": 1}]) == [[["c", 1], ["a", 1], ["b", 1]]]
    assert "twins(" not in compile_graph(graph).source


@pytest.mark.parametrize(
    ("bad", "step"), [("a", "a"), ("b", "b"), ("bc", "b")], ids=["first", "mid", "two"]
)
def test_all_branches_run_then_the_first_failure_counts(open_runner, bad, step):
    ran = []
    graph = Graph("g")
    graph.to(name="first", handler=lambda body: body)

    def branch(name):
        def run(body):
            ran.append(name)
            if name in bad:
                raise ValueError(f"{name} failed")
            return body

        run.__name__ = f"run_{name}"
        return run

    for name in "abc":
        graph.add_step(name=name, handler=branch(name), after="first")
    graph.add_step("Merge", "all", after=["a", "b", "c"]).respond()

    with pytest.raises(StepError, match=f"{step} failed") as caught:
        open_runner(graph).run(1)
    assert caught.value.step == step
    assert ran == ["a", "b", "c"]


SHARED = [1]
ITSELF: list = []
ITSELF.append(ITSELF)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({"a": [1, {"b": "c"}], "n": None}, id="json"),
        pytest.param([1, 2.5, "x", True, b"y"], id="list"),
        pytest.param({"a": SHARED, "b": SHARED}, id="shared"),
        pytest.param({"a": bytearray(b"x")}, id="bytearray"),
        pytest.param({(1, 2): {3}}, id="tuple-and-set"),
        pytest.param("text", id="atom"),
    ],
)
def test_a_deep_copy_is_what_deepcopy_gives(body):
    twin, known = deep_copy(body), copy.deepcopy(body)

    assert (twin, type(twin)) == (known, type(known))
    assert twin is not body or isinstance(body, str)


def test_what_is_shared_inside_a_body_stays_shared():
    twin = deep_copy({"a": SHARED, "b": SHARED})

    assert twin["a"] is twin["b"]
    assert twin["a"] is not SHARED


def test_a_body_that_holds_itself_is_copied():
    twin = deep_copy(ITSELF)

    assert twin[0] is twin
    assert twin is not ITSELF


def test_a_shallow_copy_shares_what_is_inside():
    body = {"a": [1]}
    twin = shallow_copy(body)

    assert twin is not body
    assert twin["a"] is body["a"]
