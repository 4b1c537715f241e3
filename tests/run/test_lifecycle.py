"""The instance of a graph alone: built, swapped and closed, with no runner over it."""

from typing import ClassVar

import pytest

from jupyter_graph import Graph
from jupyter_graph.compile.compiled_graph import compile_graph
from jupyter_graph.errors import ClosedError, RunError
from jupyter_graph.event import Event
from jupyter_graph.run.context import Context
from jupyter_graph.run.dispatch import Dispatcher
from jupyter_graph.run.lifecycle import GraphInstance
from jupyter_graph.threads.reaper import all_open


class Owner:
    """Stands for the runner."""


class Step:
    closed: ClassVar[list[str]] = []

    def __init__(self, name):
        self.name = name

    def do(self, body):
        return body, self.name

    def close(self):
        self.closed.append(self.name)


class Breaks:
    def __init__(self):
        raise ValueError("no such disk")

    def do(self, body):
        return body


def compiled(*names, breaks=False):
    graph = Graph("g")
    for name in names:
        graph.to(name=name, class_name=Step)
    if breaks:
        graph.add_step(name="breaks", class_name=Breaks)
    return compile_graph(graph)


@pytest.fixture
def made():
    Step.closed = []
    owner = Owner()
    dispatcher = Dispatcher(compiled("a"), timeout_s=5, own_loop=True, owner=owner)
    instance = GraphInstance(dispatcher, Context())
    yield instance, dispatcher, owner
    instance.close()


def test_it_has_steps_only_while_it_is_open(made):
    instance, dispatcher, _ = made
    with pytest.raises(ClosedError):
        _ = instance.steps
    instance.open()

    assert list(instance.steps.steps) == ["a"]
    assert dispatcher.run(Event(1)) == (1, "a")
    instance.close()
    with pytest.raises(ClosedError):
        dispatcher.run(Event(1))


def test_it_is_known_as_unclosed_from_its_opening_to_its_end(made):
    instance, _, owner = made
    known = []
    for change in (lambda: None, instance.open, instance.close, instance.close):
        change()
        known.append(any(one.owner is owner for one in all_open()))

    assert known == [False, True, False, False]


def test_a_swap_before_it_is_open_builds_nothing(made):
    instance, dispatcher, _ = made
    instance.swap(compiled("b"))
    assert not instance.is_open
    instance.open()

    assert dispatcher.run(Event(1)) == (1, "b")


def test_a_swap_keeps_equal_steps_and_closes_the_others(made):
    instance, _, _ = made
    instance.open()
    first = instance.steps.steps["a"].instance
    instance.swap(compiled("a", "b"))
    kept = instance.steps.steps["a"].instance is first
    instance.swap(compiled("b"))

    assert kept
    assert Step.closed == ["a"]


def test_a_step_that_cannot_be_built_leaves_the_others_closed_and_the_old_graph(made):
    instance, dispatcher, _ = made
    instance.open()

    with pytest.raises(RunError, match="step 'breaks' cannot be built"):
        instance.swap(compiled("new", breaks=True))

    assert dispatcher.run(Event(1)) == (1, "a")
    assert "a" not in Step.closed


def test_batches_under_way_put_off_the_closing_of_what_was_replaced(made):
    instance, _, _ = made
    instance.open()
    instance.batches.add("one")
    instance.swap(compiled("b"))
    assert Step.closed == []
    instance.batches.discard("one")
    instance.swap(compiled("c"))

    assert sorted(Step.closed) == ["a", "b"]
