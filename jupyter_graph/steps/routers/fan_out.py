"""How a router asks all of its routes about one event.

In threads, in processes, one by one, or together on the loop; each route gets a copy
of the event. The replies come in the order of the routes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from jupyter_graph.errors import SpecError
from jupyter_graph.processes.process_pool import WorkerPool
from jupyter_graph.processes.subprocess_worker import Call
from jupyter_graph.steps.routers.router_routes import Route, copy_of
from jupyter_graph.threads.outcome import Task
from jupyter_graph.threads.thread_pool import Threads

Work = TypeVar("Work", bound=Task)
EXECUTORS = ("thread", "process", "array", "asyncio")
MOST_WORKERS = 32


@dataclass(slots=True)
class Reply:
    """What one route gave: a body, or the error it raised."""

    body: Any = None
    error: Exception | None = None


Replies = Mapping[str, Reply]


class Asking(Protocol):
    """Asks all routes; ``ask`` in a thread, ``ask_async`` on a loop."""

    def ask(self, event: Any) -> Replies: ...

    async def ask_async(self, event: Any) -> Replies: ...

    def close(self) -> None: ...


def asking_by(
    executor_type: str,
    routes: Mapping[str, Route],
    *,
    stops: bool,
    max_workers: int,
    context: Any = None,
) -> Asking:
    """Return what asks the routes in the way of its name.

    Args:
        executor_type: ``thread``, ``process``, ``array`` or ``asyncio``.
        routes: the routes.
        stops: one by one, the first that fails is the last that is asked.
        max_workers: how many threads or processes at most.
        context: the router's surroundings; None outside a graph.

    Raises:
        SpecError: there is no such way, or a route cannot be asked so.
    """
    if executor_type == "array":
        return OneByOne(routes, stops=stops)
    if executor_type == "asyncio":
        return OnTheLoop(routes, stops=stops)
    if executor_type == "thread":
        return InThreads(routes, max_workers)
    if executor_type == "process":
        return InProcesses(routes, max_workers, context)
    raise SpecError(
        f"{executor_type!r} is not a valid ParallelRunnerModes, "
        f"use {', '.join(EXECUTORS)}"
    )


class OneByOne:
    """One route after the other, in the order of the routes."""

    def __init__(self, routes: Mapping[str, Route], *, stops: bool) -> None:
        self._routes = routes
        self._stops = stops

    def ask(self, event: Any) -> Replies:
        replies: dict[str, Reply] = {}
        for name, route in self._routes.items():
            try:
                replies[name] = Reply(route(copy_of(event)).body)
            except Exception as error:
                replies[name] = Reply(error=error)
                if self._stops:
                    break
        return replies

    async def ask_async(self, event: Any) -> Replies:
        replies: dict[str, Reply] = {}
        for name, route in self._routes.items():
            try:
                replies[name] = Reply((await route.run_async(copy_of(event))).body)
            except Exception as error:
                replies[name] = Reply(error=error)
                if self._stops:
                    break
        return replies

    def close(self) -> None:
        """Do nothing: nothing is kept."""


class OnTheLoop(OneByOne):
    """All coroutines at once; plain routes one by one, before the coroutines wait."""

    async def ask_async(self, event: Any) -> Replies:
        import asyncio

        # one coroutine per route: ``_outcome_of`` calls a plain route at its first
        # step, so these run one by one before the first coroutine waits
        answers = [_outcome_of(route, event) for route in self._routes.values()]
        return _named(self._routes, await asyncio.gather(*answers))


class InThreads:
    """Each route in a thread of its own; coroutines at once on the loop."""

    def __init__(self, routes: Mapping[str, Route], max_workers: int) -> None:
        self._routes = routes
        self._threads = Threads(min(len(routes), max_workers), "jupyter_graph-route")

    def ask(self, event: Any) -> Replies:
        answers = [
            self._threads.submit(route, copy_of(event))
            for route in self._routes.values()
        ]
        _wait_for(answers, Task.cancel)
        outcomes = [one.value if one.error is None else one.error for one in answers]
        return _named(self._routes, outcomes)

    async def ask_async(self, event: Any) -> Replies:
        import asyncio

        answers = [
            _outcome_of(route, event)
            if route.is_async
            else self._threads.submit(route, copy_of(event)).awaited()
            for route in self._routes.values()
        ]
        outcomes = await asyncio.gather(*answers, return_exceptions=True)
        return _named(self._routes, outcomes)

    def close(self) -> None:
        self._threads.close()


class InProcesses:
    """Each route in one of several processes; ``WorkerPool`` says what may travel."""

    def __init__(
        self, routes: Mapping[str, Route], max_workers: int, context: Any
    ) -> None:
        for route in routes.values():
            if route.is_async:
                raise SpecError(
                    f"route {route.name!r} is a coroutine, which cannot run in another "
                    "process; use executor_type='asyncio'"
                )
        self._routes = routes
        most = min(len(routes), max_workers)
        self._processes = WorkerPool(routes, most, "route", context)

    def ask(self, event: Any) -> Replies:
        calls = self._calls(event)
        # where the caller gave up or his time is over, no process goes on for him
        _wait_for(calls, self._processes.end)
        return _named(self._routes, [work.value.outcome for work in calls])

    async def ask_async(self, event: Any) -> Replies:
        import asyncio

        calls = self._calls(event)
        replies = await asyncio.gather(*[work.awaited() for work in calls])
        return _named(self._routes, [reply.outcome for reply in replies])

    def _calls(self, event: Any) -> list[Call]:
        return [self._processes.submit(name, event) for name in self._routes]

    def close(self) -> None:
        self._processes.close()


def _wait_for(tasks: Sequence[Work], give_up: Callable[[Work], Any]) -> None:
    """Wait for all; the user's stop and the event's deadline come out of the wait.

    ``give_up`` is called with each task then.
    """
    try:
        for task in tasks:
            task.wait()
    except BaseException:
        for task in tasks:
            give_up(task)
        raise


async def _outcome_of(route: Route, event: Any) -> Any:
    """Return a route's answer or error; a task would not forward every error."""
    try:
        return await route.run_async(copy_of(event))
    except BaseException as error:
        return error


def _named(names: Mapping[str, Any], outcomes: list[Any]) -> Replies:
    replies: dict[str, Reply] = {}
    for name, outcome in zip(names, outcomes, strict=True):
        if isinstance(outcome, Exception):
            replies[name] = Reply(error=outcome)
        elif isinstance(outcome, BaseException):
            raise outcome
        else:
            replies[name] = Reply(outcome.body)
    return replies
