"""A function called with one body after the other; one that fails leaves a hole."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any, NamedTuple, NoReturn, Protocol, Self

from jupyter_graph.answer.response import Response
from jupyter_graph.errors import JupyterGraphError, RunError
from jupyter_graph.run.deadline.interrupt import MainThreadInterrupter
from jupyter_graph.run.deadline.step_threads import pool, step_in_thread
from jupyter_graph.run.deadline.watchdog import unwatch, watch
from jupyter_graph.run.event_errors import fail, late
from jupyter_graph.threads.outcome import Outcome
from jupyter_graph.types import NOTHING

Function = Callable[[Any], Any]


class Failure(NamedTuple):
    """A body that failed: where it stands among the others, and why."""

    at: int
    error: JupyterGraphError


class Items(list[Any]):
    """The items of a stream, for one body."""


class Pass:
    """One go over some bodies.

    Attributes:
        answers: one for each body done so far, ``NOTHING`` where there is none.
        failures: those of the bodies that failed, in their order.
        is_plain: each body done has exactly one answer.
        streams: an iterator is a stream, whose items are answers.
        stops: the first failure ends the pass.
    """

    __slots__ = ("answers", "failures", "is_plain", "stops", "streams")

    def __init__(self, *, streams: bool = False, stops: bool = False) -> None:
        self.answers: list[Any] = []
        self.failures: list[Failure] = []
        self.is_plain = True
        self.streams = streams
        self.stops = stops

    def failed(self, error: JupyterGraphError) -> None:
        """Note that the next body failed."""
        self.failures.append(Failure(len(self.answers), error))
        self.is_plain = False
        self.answers.append(NOTHING)

    def settled(self, result: Any) -> Any:
        """Return what counts as the answer; ``Items`` for a stream, read to its end."""
        if result is NOTHING:
            self.is_plain = False
        elif isinstance(result, Response):
            return self.settled(body_of(result))
        elif self.streams and isinstance(result, Iterator):
            self.is_plain = False
            return Items(result)
        return result

    def until(self, count: int) -> Pass:
        """Return a copy that stands after so many bodies; nobody else fills it."""
        before = Pass(streams=self.streams, stops=self.stops)
        before.answers = self.answers[:count]
        before.failures = [failure for failure in self.failures if failure.at < count]
        before.is_plain = self.is_plain
        return before


def body_of(response: Response) -> Any:
    """Return the body of an answer with a status.

    Raises:
        RunError: the status says that the event failed.
    """
    if response.status_code >= 400:
        raise RunError(f"answered {response.status_code}: {response.body!r:.200}")
    return response.body


class Caller(Protocol):
    """Calls functions with many bodies, each within the time of an event."""

    def run(
        self, function: Function, bodies: list[Any], given: Pass | None = None
    ) -> Pass:
        """Call the function with each body.

        Args:
            function: a graph's function; a coroutine function in async graphs.
            bodies: what it is called with, in this order.
            given: an empty pass to begin with; by default a plain one.
        """


class Calls:
    """A ``Caller`` for plain functions, in the main thread or a thread of the pool.

    The rows pay nothing for their deadlines: the watchdog looks at how many answers
    there are. A step that hangs is interrupted in the main thread; elsewhere its
    thread is left behind and the next row goes on in another one.

    Args:
        graph: the graph's name, for messages.
        limit_s: seconds that one call may take.
    """

    def __init__(self, graph: str, limit_s: float) -> None:
        self.graph = graph
        self.timeout_s = limit_s
        self._is_main = False
        self._pass: Pass | None = None
        self._done = 1

    def __enter__(self) -> Self:
        self._is_main = MainThreadInterrupter.install(self)
        if self._is_main:
            watch(self)
        return self

    def __exit__(self, *_: object) -> None:
        if self._is_main:
            unwatch(self)
            MainThreadInterrupter.uninstall(self)

    def mark(self) -> int:
        """Return a number that changes with every call, 0 between passes."""
        now = self._pass
        return 0 if now is None else self._done + len(now.answers)

    def expire(self, mark: int) -> None:
        """Interrupt that call; the watchdog calls this."""
        MainThreadInterrupter.throw(lambda: self.mark() == mark, self)

    def run(
        self, function: Function, bodies: list[Any], given: Pass | None = None
    ) -> Pass:
        """Call the function with each body, see ``Caller``."""
        given = given or Pass()
        if not self._is_main:
            return self._elsewhere(function, bodies, given)
        self._pass = given
        try:
            self._all(function, bodies, given)
        finally:
            self._pass = None
            self._done += len(bodies) + 1
        return given

    def _all(self, function: Function, bodies: Iterable[Any], given: Pass) -> None:
        # `todo` stands behind a body that failed: the loop goes on with the next one.
        take, todo = given.answers.append, islice(bodies, len(given.answers), None)
        while True:
            try:
                for body in todo:
                    result = function(body)
                    if type(result) is not dict:
                        result = given.settled(result)
                    take(result)
            except BaseException as error:
                # What stops the whole run is raised here.
                failure = error_of(fail, error, None, self.graph, self.timeout_s, self)
                given.failed(failure)
                if given.stops:
                    return
            else:
                return

    # -- beside the main thread -------------------------------------------------

    def _elsewhere(self, function: Function, bodies: list[Any], given: Pass) -> Pass:
        while True:
            outcome, worker = pool.submit(self._all, function, bodies, given)
            done, nap_s = given.answers.__len__, max(0.005, self.timeout_s / 25)
            try:
                stuck_at = stuck(outcome, done, nap_s, self.timeout_s)
            except BaseException:
                pool.leave(outcome, worker)
                raise
            if stuck_at is None:
                outcome.result()
                return given
            step = step_in_thread(worker.thread)
            pool.leave(outcome, worker)
            # The thread left behind may still write into its own pass; this is a copy.
            given = given.until(stuck_at)
            given.failed(error_of(late, step, None, self.graph, self.timeout_s))
            if given.stops:
                return given


def stuck(
    outcome: Outcome, done: Callable[[], int], nap_s: float, limit_s: float
) -> int | None:
    """Wait for work on many bodies, and look at it every ``nap_s``, or half a second.

    Returns:
        how many are done where that stays the same for too long; None at the end.
    """
    seen, since = -1, 0.0
    while not outcome.wait(min(0.5, nap_s)):
        count, now = done(), time.monotonic()
        if count != seen:
            seen, since = count, now
        elif now - since >= limit_s:
            return count
    return None


def error_of(fails: Callable[..., NoReturn], *args: Any) -> JupyterGraphError:
    """Return the error of ours that a call raises; what stops the run is raised."""
    try:
        fails(*args)
    except JupyterGraphError as ours:
        return ours
