"""Whatever a step raises, only its own event fails, and the step is named."""

import asyncio

import pytest

from jupyter_graph import Graph, StepError
from jupyter_graph.errors import BadRequestError
from jupyter_graph.steps import Merge


class OwnBase(BaseException):
    """What nobody else knows."""


class Mute(Exception):
    """An error without a text."""

    def __str__(self):
        raise RuntimeError("no text")


class Slotted(Exception):
    """An error that takes no notes."""

    __slots__ = ()

    def __setattr__(self, name, value):
        raise AttributeError(name)

    def __getattr__(self, name):
        raise KeyError(name)


def dig(depth=0):
    return dig(depth + 1)


def throw(kind):
    if kind is RecursionError:
        dig()
    if kind is asyncio.TimeoutError:
        raise TimeoutError("a step's own")
    raise kind(1) if kind in (SystemExit, StopIteration) else kind("boom")


RAISED = [
    ValueError, SystemExit, KeyboardInterrupt, OwnBase, asyncio.CancelledError,
    RecursionError, StopIteration, StopAsyncIteration, GeneratorExit, MemoryError,
    TimeoutError, Mute, Slotted, BadRequestError,
]  # fmt: skip
TURNED = {StopIteration: RuntimeError, StopAsyncIteration: RuntimeError}
"""Python itself turns these when they leave a coroutine or a generator."""


def bad(kind):
    def bad(x):
        if x == "bad":
            throw(kind)
        return x

    async def bad_async(x):
        if x == "bad":
            throw(kind)
        return x

    return bad, bad_async


def echo(x):
    return x


async def echo_async(x):
    return x


def chain(step, engine="async"):
    graph = Graph("g", engine=engine)
    graph.to(name="first", handler=echo).to(name="bad", handler=step)
    graph.add_step(name="last", handler=echo).respond()
    return graph


def chain_on_a_loop(step, engine="async"):
    graph = chain(step, engine)
    graph.add_step(name="end", handler=echo_async)
    return graph


def branch(step, engine="async"):
    graph = Graph("g", engine=engine)
    graph.to(name="first", handler=echo).to(name="good", handler=echo)
    graph.add_step(name="bad", handler=step, after="first").respond()
    return graph


def branch_on_a_loop(step, engine="async"):
    graph = branch(step, engine)
    graph.add_step(name="other", handler=echo_async, after="first")
    return graph


def error_handler(step, engine="async"):
    def fails(x):
        if x == "bad":
            raise LookupError(x)
        return x

    graph = Graph("g", engine=engine)
    graph.to(name="first", handler=fails).respond()
    return graph.error_handler("bad", handler=step, step="first")


def choice(step, engine="async"):
    class Choose:
        def select_outlets(self, body):
            step(body)
            return ["good"]

    graph = Graph("g", engine=engine)
    graph.to(Choose, name="bad").to(name="good", handler=echo).respond()
    return graph


def router(step, engine="async"):
    graph = Graph("g", topology="router", engine=engine)
    graph.add_route("bad", handler=lambda body: step(body["x"]))
    return graph


def router_on_a_loop(step, engine="async"):
    async def inner(body):
        return await step(body["x"])

    graph = Graph("g", topology="router", engine=engine)
    graph.add_route("bad", handler=inner)
    return graph


def merge(step, engine="async"):
    class Both(Merge):
        def merge(self, bodies):
            step(bodies[0])
            return bodies[0]

    graph = Graph("g", engine=engine)
    graph.to(name="a", handler=echo)
    graph.to(name="b", handler=echo)
    graph.add_step(Both, name="bad", after=["a", "b"]).respond()
    return graph


def blocking(step, engine="async"):
    graph = Graph("g", engine=engine)
    graph.to(name="bad", handler=step, blocking=True)
    graph.add_step(name="end", handler=echo_async).respond()
    return graph


def timed(step, engine="async"):
    graph = Graph("g", engine=engine)
    graph.to(name="bad", handler=step, timeout_s=5.0).respond()
    return graph


SYNC_PLACES = [
    chain, chain_on_a_loop, branch, branch_on_a_loop, error_handler, choice, router,
    merge, blocking, timed,
]  # fmt: skip
ASYNC_PLACES = [chain, branch, error_handler, router_on_a_loop, timed]


def sent(place, body):
    return {"x": body} if place in (router, router_on_a_loop) else body


def only_the_bad_event_fails(runner, place, kind):
    with pytest.raises(StepError) as caught:
        runner.run(sent(place, "bad"))

    assert caught.value.step == "bad"
    cause = caught.value.__cause__
    assert isinstance(cause, (kind, TURNED.get(kind, kind)))
    assert kind.__name__ in str(caught.value) or kind is asyncio.CancelledError
    assert runner.run(sent(place, "good")) == "good"
    return True


@pytest.mark.parametrize("engine", ["sync", "async"])
@pytest.mark.parametrize("place", SYNC_PLACES)
@pytest.mark.parametrize("kind", RAISED)
def test_only_the_event_of_a_failing_function_fails(open_runner, kind, place, engine):
    step, _ = bad(kind)
    runner = open_runner(place(step, engine))

    assert only_the_bad_event_fails(runner, place, kind)


@pytest.mark.parametrize("place", ASYNC_PLACES)
@pytest.mark.parametrize("kind", RAISED)
def test_only_the_event_of_a_failing_coroutine_fails(open_runner, kind, place):
    _, step = bad(kind)

    assert only_the_bad_event_fails(open_runner(place(step)), place, kind)


@pytest.mark.parametrize("order", ["first", "last"])
@pytest.mark.parametrize("is_async", [False, True], ids=["function", "coroutine"])
@pytest.mark.parametrize("kind", RAISED)
def test_what_fails_beside_the_answer_is_a_note(open_runner, kind, is_async, order):
    graph = Graph("g")
    step, step_async = bad(kind)
    steps = [("good", echo), ("bad", step_async if is_async else step)]
    for name, code in steps if order == "last" else reversed(steps):
        graph.add_step(name=name, handler=code, after="start")
    graph.change_step("good", responder=True)
    graph.add_step(name="after", handler=step, after="good")
    runner = open_runner(graph)

    answer = runner.answer("bad")

    assert answer.value == "bad"
    steps = [note.split()[1] for note in answer.notes]
    assert sorted(steps) == ["'after'", "'bad'"]
    assert runner.counters.beside == {"bad": 1, "after": 1}
    assert runner.answer("good").notes == ()
