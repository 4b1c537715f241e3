"""Whatever a step raises, wherever it stands: only its own event fails, nobody hangs.

``JUPYTER_GRAPH_CASES`` is how many of all cases are run, 400 by default; ``all`` for
each combination of a kind of exception, a place, a colour, an engine and a way in.
"""

import asyncio
import itertools
import os
import random
import threading
import time
from typing import Any, NamedTuple

import pytest

from jupyter_graph import Graph, MockServer, Runner, StepError
from jupyter_graph.errors import DeadlineError, RunError, SpecError, StreamingError
from tests.run.exceptions import kinds
from tests.run.exceptions.bad import PROCESSES, Bad, echo, echo_async
from tests.run.exceptions.kinds import KINDS, LIMIT_S, Kind
from tests.run.exceptions.places import PLACES

WANTED = os.environ.get("JUPYTER_GRAPH_CASES", "400")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(0 if WANTED == "all" else 60),
]

WAYS_IN = ("run", "thread", "arun", "here", "answer", "traced", "mock")


@pytest.fixture(autouse=True)
def what_hangs_ends():
    """Let threads that a runner left behind end with the test."""
    kinds.over.clear()
    yield
    kinds.over.set()


class Case(NamedTuple):
    """One combination."""

    place: str
    colour: str
    kind: Kind
    engine: str
    way_in: str

    def __str__(self) -> str:
        return " · ".join((*self[:2], self.kind.name, *self[3:]))


def every_case() -> list[Case]:
    return [
        Case(place, colour, kind, engine, way_in)
        for place, (_, colours) in PLACES.items()
        for colour, kind, engine, way_in in itertools.product(
            colours, KINDS, ("async", "sync"), WAYS_IN
        )
        if engine == "async" or place not in ONLY_ASYNC
    ]


ONLY_ASYNC = {"cycle", "after the answer"} | {p for p in PLACES if "storey" in p}


def chosen_cases() -> list[Case]:
    cases = every_case()
    if WANTED == "all":
        return cases
    return random.Random(4).sample(cases, min(int(WANTED), len(cases)))


# -- one case ---------------------------------------------------------------------


def read(found: Any) -> Any:
    return list(found) if hasattr(found, "__next__") else found


async def awaited(runner: Runner, body: Any) -> Any:
    found = await runner.arun(body)
    if hasattr(found, "__anext__"):
        return [item async for item in found]
    return read(found)


def in_thread(runner: Runner, body: Any) -> Any:
    outcome: list[Any] = []

    def call() -> None:
        try:
            outcome.append((read(runner.run(body)), None))
        except BaseException as error:
            outcome.append((None, error))

    thread = threading.Thread(target=call, daemon=True)
    thread.start()
    thread.join(10)
    found, error = outcome[0]  # IndexError: it hangs
    if error is not None:
        raise error
    return found


def sent(runner: Any, body: Any, way_in: str, loop: asyncio.Runner) -> Any:
    """Send an event in this way; give its answer."""
    if way_in == "mock":
        return read(runner.test(body=body))
    if way_in in ("arun", "here"):
        return loop.run(awaited(runner, body))
    if way_in == "thread":
        return in_thread(runner, body)
    if way_in == "run":
        return read(runner.run(body))
    return runner.answer(body, traced=way_in == "traced").value


def step_error(error: BaseException) -> BaseException:
    """Give our own error behind those that MLRun's mock server raises."""
    wraps = type(error) in (RunError, StreamingError)
    return error.__cause__ if wraps and error.__cause__ is not None else error


def wrong_with(case: Case) -> str:
    """Run a good event, a bad one, a good one; say what is wrong, "" for nothing."""
    build, _ = PLACES[case.place]
    graph = build(Bad(case.kind, case.colour), case.engine)
    limit_s = LIMIT_S if case.kind.hangs else 10.0
    if case.kind.hangs and case.colour.startswith(PROCESSES):
        limit_s = 3 * LIMIT_S  # a process wants some time to begin
    opened = MockServer if case.way_in == "mock" else Runner
    options = {"own_loop": False} if case.way_in == "here" else {}
    with (
        asyncio.Runner() as loop,
        opened(graph, timeout_s=limit_s, **options) as runner,
    ):
        expected = sent(runner, {"x": "good"}, case.way_in, loop)
        began = time.monotonic()
        wrong = failure_of(runner, case, loop)
        took = time.monotonic() - began
        again = sent_when_ready(runner, case, loop)
    if wrong:
        return wrong
    if again != expected:
        return f"the next event gave {again!r}, not {expected!r}"
    if took > (limit_s + 1.1 if case.kind.hangs else 5):
        return f"it took {took:.2f} s"
    return ""


def sent_when_ready(runner: Any, case: Case, loop: asyncio.Runner) -> Any:
    """Send a good event after the bad one.

    The process that hung was killed, and events that come before there is another one
    may run out of time.
    """
    while True:
        try:
            return sent(runner, {"x": "good"}, case.way_in, loop)
        except Exception as raised:
            error = step_error(raised)
            is_late = isinstance(getattr(error, "cause", None), DeadlineError)
            if not (is_late and case.kind.hangs and case.colour.startswith(PROCESSES)):
                raise


def failure_of(runner: Any, case: Case, loop: asyncio.Runner) -> str:
    try:
        found = sent(runner, {"x": "bad"}, case.way_in, loop)
    except BaseException as raised:
        error = step_error(raised)
    else:
        return "" if was_noted(runner, case) else f"it answered {found!r}"
    if case.place in BESIDE and not case.kind.hangs:
        return f"a failure beside the answer raised {type(error).__name__}"
    if not isinstance(error, StepError):
        return f"it raised {type(error).__name__}: {error}"
    is_member = case.kind.hangs and case.place.startswith("member")
    if error.step not in ("bad", "all" if is_member else "bad"):
        return f"it named {error.step!r}"
    if not isinstance(error.cause, case.kind.cause):
        return f"the cause is {type(error.cause).__name__}"
    return ""


BESIDE = ("branch", "after the answer")
"""Where a failure leaves the answer as it is."""


def was_noted(runner: Any, case: Case) -> bool:
    """Tell whether an answer is right, since the failure is beside it."""
    if case.place not in BESIDE:
        return False
    # A mock server has answered before; it may not even have failed so far.
    return case.way_in == "mock" or runner.counters.beside == {"bad": 1}


@pytest.mark.parametrize("place", PLACES)
def test_only_the_event_fails_and_its_step_is_named(place):
    cases = [case for case in chosen_cases() if case.place == place]
    found = []
    for case in cases:
        try:
            wrong = wrong_with(case)
        except BaseException as error:
            wrong = f"{type(error).__name__}: {error}"
        found += [f"{case}: {wrong}"] * bool(wrong)

    assert found == []


ONCE_WRONG = [
    ("batched", "async", "spin on the loop", "async", "run"),
    ("batched", "threads", "GeneratorExit", "async", "mock"),
    ("before a merge", "async", "hang", "async", "answer"),
    ("first", "sync", "no repr", "async", "arun"),
    ("join", "sync", "refuses attributes", "sync", "thread"),
    ("join", "sync", "no comparison", "async", "mock"),
    ("last", "async", "refuses attributes", "async", "traced"),
    ("later item", "sync", "hang", "async", "thread"),
    ("later item", "sync", "no text", "async", "mock"),
    ("member in a thread", "sync", "no comparison", "sync", "run"),
    ("member on the loop", "async", "SystemExit", "async", "here"),
    ("merge", "threads", "spin on the loop", "sync", "answer"),
    ("root route", "sync", "hang", "async", "arun"),
    ("storey beside", "async", "SystemExit", "async", "thread"),
    ("storey beside", "async", "no text", "async", "arun"),
    ("storey beside", "async", "hang", "async", "arun"),
]


@pytest.mark.parametrize("words", ONCE_WRONG, ids=" ".join)
def test_what_was_wrong_once_stays_right(words):
    [case] = [c for c in every_case() if words == (*c[:2], c.kind.name, *c[3:])]

    assert wrong_with(case) == ""


def test_there_are_ten_thousand_cases():
    assert len(every_case()) >= 10_000


# -- where no event is under way ----------------------------------------------------

RAISED = [pytest.param(kind, id=kind.name) for kind in KINDS if not kind.hangs]


@pytest.mark.parametrize("last", [echo, echo_async])
@pytest.mark.parametrize("where", ["__init__", "post_init"])
@pytest.mark.parametrize("kind", RAISED)
def test_a_step_that_cannot_be_built_is_named(kind, where, last, open_runner):
    def graph(is_bad: bool) -> Graph:
        def made(self, **_):
            if is_bad:
                kind.throw()

        step = type("Step", (), {where: made, "do": lambda self, body: body})
        graph = Graph("g")
        graph.to(step, "bad").to(name="last", handler=last)
        return graph

    runner = open_runner(graph(is_bad=False))
    with pytest.raises((RunError, SpecError), match="step 'bad'"):
        Runner(graph(is_bad=True)).open()
    with pytest.raises((RunError, SpecError), match="step 'bad'"):
        runner.swap(graph(is_bad=True))

    assert runner.run("good") == "good"


@pytest.mark.parametrize("last", [echo, echo_async])
@pytest.mark.parametrize("behind", [False, True], ids=["flush", "behind it"])
@pytest.mark.parametrize("kind", RAISED)
def test_what_a_step_kept_fails_by_itself(kind, behind, last, open_runner):
    class Keeps:
        def __init__(self):
            self.kept = []

        def do(self, body):
            self.kept.append(body)
            return body

        def flush(self, *, end):
            kept, self.kept = self.kept, []
            if "bad" in kept and not behind:
                kind.throw()
            return ["late"]

    def after(body):
        if body == "late" and behind:
            kind.throw()
        return body

    pushed = []
    graph = Graph("g")
    graph.to(Keeps, "keeps").to(name="after", handler=after)
    graph.add_step(name="last", handler=last).respond()
    runner = open_runner(graph, push_error=lambda *args: pushed.append(args[2]))

    assert runner.run("bad") == "bad"
    assert runner.wait_for_completion(10)
    assert runner.run("good") == "good"
    assert pushed == ["keeps"]
