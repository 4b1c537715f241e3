import pytest

from jupyter_graph.errors import MagicError, SpecError
from jupyter_graph.session.graphs import Graphs


@pytest.fixture
def graphs():
    return Graphs()


def test_the_first_use_makes_the_first_graph(graphs):
    assert graphs.current_name is None
    assert graphs.current().name == "notebook"
    assert graphs.names() == ["notebook"]


def test_a_new_graph_is_the_current_one(graphs):
    graphs.new("one")
    graphs.new("two")

    assert graphs.current_name == "two"
    assert graphs.use("one").name == "one"
    assert graphs.current_name == "one"


def test_a_graph_made_again_is_the_same_object_and_empty(graphs):
    held = graphs.new("one")
    held.to(name="a", handler=str)

    assert graphs.new("one") is held
    assert held.spec.names() == ()


@pytest.mark.parametrize("name", ["", "1st", "a b"])
def test_a_graphs_name_follows_the_rule_of_steps(graphs, name):
    with pytest.raises(SpecError, match="name"):
        graphs.new(name)


def test_an_unknown_graph_is_told_with_what_is_near(graphs):
    graphs.new("fraud")

    with pytest.raises(MagicError, match=r"'frod'; did you mean 'fraud'\?"):
        graphs.named("frod")


def test_an_error_inside_a_change_takes_everything_back(graphs):
    graph = graphs.new("one")

    def fail():
        with graphs.change("half"):
            graph.to(name="a", handler=str)
            graphs.new("two")
            raise LookupError

    with pytest.raises(LookupError):
        fail()

    assert (graphs.names(), graph.spec.names(), graph.namespace) == (["one"], (), {})
    assert graphs.current_name == "one"


def test_changes_are_taken_back_one_by_one(graphs):
    graph = graphs.new("one")
    with graphs.change("first"):
        graph.to(name="a", handler=str)
    with graphs.change("second"):
        graph.remove_step("a")

    assert (graphs.undo(), graph.spec.names()) == ("second", ("a",))
    assert (graphs.undo(), graph.spec.names()) == ("first", ())
    with pytest.raises(MagicError, match="nothing to undo"):
        graphs.undo()
