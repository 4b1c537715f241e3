"""A dispatcher alone: it runs a function for events and knows nothing of steps."""

import asyncio
import gc
import threading
import weakref

import pytest

from jupyter_graph import Graph
from jupyter_graph.compile.compiled_graph import compile_graph
from jupyter_graph.errors import ClosedError, NoSeatError
from jupyter_graph.event import Event
from jupyter_graph.run.dispatch import Dispatcher


class Owner:
    """Stands for the runner."""


def compiled(handler=lambda x: x, **options):
    graph = Graph("g", **options)
    graph.to(name="a", handler=handler)
    return compile_graph(graph)


@pytest.fixture
def owner():
    return Owner()


@pytest.fixture
def dispatcher(owner):
    made = Dispatcher(compiled(), timeout_s=0.5, own_loop=True, owner=owner)
    yield made
    made.unwatch()
    made.owned.end()


def in_a_thread(call, *args):
    results = []
    thread = threading.Thread(target=lambda: results.append(call(*args)))
    thread.start()
    thread.join(5)
    return results


def test_it_refuses_events_until_it_has_a_function(dispatcher):
    with pytest.raises(ClosedError, match="the runner of graph 'g' is not open"):
        dispatcher.run(Event(1))
    dispatcher.take_over(compiled(), lambda x: x + 1)

    assert dispatcher.run(Event(1)) == 2


def test_it_refuses_events_in_the_name_of_who_it_belongs_to(dispatcher):
    dispatcher.belongs_to = "MockServer"

    with pytest.raises(ClosedError, match="this MockServer of graph 'g' is closed"):
        dispatcher.check_open()


def test_the_next_event_gets_the_next_function(dispatcher):
    dispatcher.take_over(compiled(), lambda x: "first")
    before = dispatcher.run(Event(1))
    dispatcher.take_over(compiled(), lambda x: "second")

    assert (before, dispatcher.run(Event(1))) == ("first", "second")


@pytest.mark.parametrize("call", ["run", "arun"])
def test_a_thread_or_a_loop_gets_the_same_result(dispatcher, call):
    dispatcher.take_over(compiled(), lambda x: x * 2)

    def run():
        result = getattr(dispatcher, call)(Event(4))
        return asyncio.run(result) if call == "arun" else result

    assert in_a_thread(run) == [8]


def test_the_short_way_is_open_only_where_nothing_is_to_be_done(
    dispatcher,
):
    dispatcher.watch()
    ways = []
    for options in ({}, {"order_by": "k"}, {"max_in_flight": 1}):
        dispatcher.take_over(compiled(**options), lambda x: x)
        ways.append(dispatcher.fast_id == threading.get_ident())
    dispatcher.refuse()

    assert ways == [True, False, False]
    assert dispatcher.fast_id == -1


def test_an_event_that_finds_no_slot_in_time_never_begins(dispatcher):
    called = []
    dispatcher.take_over(compiled(max_in_flight=1), called.append)
    slot = dispatcher._slots.slot()
    slot.take()
    dispatcher.timeout_s = 0.01
    with pytest.raises(NoSeatError):
        dispatcher.run(Event(1))
    is_busy = dispatcher.is_busy
    slot.leave()
    dispatcher.timeout_s = 0.5
    dispatcher.run(Event(2))

    assert (called, is_busy) == ([2], True)


def test_it_is_busy_while_an_event_is_inside(dispatcher):
    inside = []
    dispatcher.watch()
    dispatcher.take_over(compiled(), lambda x: inside.append(dispatcher.is_busy))
    dispatcher.run(Event(1))

    assert inside == [True]
    assert not dispatcher.is_busy


def test_who_reads_a_stream_keeps_the_owner_alive():
    def items(x):
        yield from range(x)

    owner = Owner()
    graph = compiled(items)
    dispatcher = Dispatcher(graph, timeout_s=5, own_loop=True, owner=owner)
    dispatcher.take_over(graph, items)
    stream = dispatcher.run(Event(3))
    gone = weakref.ref(owner)
    first = next(stream)
    del owner
    gc.collect()
    assert gone() is not None

    assert [first, *stream] == [0, 1, 2]
    del stream
    gc.collect()
    assert gone() is None


def test_a_forked_child_begins_with_free_locks(dispatcher):
    dispatcher.take_over(compiled(), lambda x: x)
    before = dispatcher.lock, dispatcher.changing
    before[0].acquire()
    dispatcher.forked()

    assert dispatcher.lock is not before[0]
    assert dispatcher.changing is not before[1]
    assert dispatcher.run(Event(7)) == 7
    before[0].release()
