"""Routers that share events out: so many to each route, or a copy to others too."""

from __future__ import annotations

import inspect
import logging
import queue
import threading
from collections import deque
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING, Any

from jupyter_graph.argument_checks import at_least, found_in, is_number
from jupyter_graph.errors import SpecError, said
from jupyter_graph.steps.routers.router_routes import Call, Route, copy_of, routes_of
from jupyter_graph.steps.routers.traffic_split import Shares, point_of
from jupyter_graph.threads.thread_pool import Threads

if TYPE_CHECKING:
    import asyncio

logger = logging.getLogger("jupyter_graph.steps")


class Split:
    """Send each event to one of the routes, so that each gets its share.

    Body in: anything. Body out: what the route gives. The event reaches the route as
    it came, its path too.

    Args:
        routes: what is called for each route, by the route's name.
        weights: numbers of 0 or more by route, scaled to sum to 1; a route that is not
            named gets nothing.
        key: the part of the body whose value decides, by dots (``user.id``): events
            with the same value go the same way, in every process and after a restart,
            as long as the weights stay. By default, and for events without a value
            there, the event's id decides, so that an event that is sent again goes the
            same way.
        context: not used; subclasses may.
        name: the router's own name.

    Raises:
        SpecError: an argument has a wrong value.

    State: ``counts``, how many events went to each route, of this process alone; a
    restart and a hot swap begin anew.

    >>> from types import SimpleNamespace as Event
    >>> routes = {"old": lambda event: "old", "new": lambda event: "new"}
    >>> split = Split(routes, {"old": 0.9, "new": 0.1}, key="user.id")
    >>> [split.do_event(Event(body={"user": {"id": n}})) for n in (1, 2, 28, 28)]
    ['old', 'old', 'new', 'new']
    """

    def __init__(
        self,
        routes: Mapping[str, Call],
        weights: Mapping[str, float],
        *,
        key: str | None = None,
        context: Any = None,
        name: str = "split",
    ) -> None:
        self.routes = routes_of(routes, "Split")
        self.shares = Shares(weights, self.routes)
        self.key = _checked_key(key)
        self.name = name
        self.counts = dict.fromkeys(self.routes, 0)
        self._lock = threading.Lock()

    def choose(self, event: Any) -> Route:
        """Return the route of an event; a subclass may override it."""
        return self.routes[self.shares.at(point_of(event, self.key, "split"))]

    def _counted(self, event: Any) -> Route:
        route = self.choose(event)
        with self._lock:  # a subclass may choose what is no route of this one
            self.counts[route.name] = self.counts.get(route.name, 0) + 1
        return route

    def do_event(self, event: Any) -> Any:
        return self._counted(event)(event)

    async def do_event_async(self, event: Any) -> Any:
        """``do_event`` where a route is a coroutine."""
        return await self._counted(event).run_async(event)


@dataclass(frozen=True, slots=True)
class Shadow:
    """What one route gave in the background.

    Attributes:
        event_id: the event it answered.
        route: the route.
        answer: the body it gave, None when it failed.
        error: what failed, as text; None when nothing did.
        duration_s: seconds it took.
    """

    event_id: str
    route: str
    answer: Any = None
    error: str | None = None
    duration_s: float = 0.0


@dataclass(slots=True)
class ShadowCounts:
    """How many copies went to the other routes, and what became of them."""

    sent: int = 0
    answered: int = 0
    failed: int = 0
    dropped: int = 0


class Mirror:
    """Let the first route answer, and try the others on copies in the background.

    Body in: anything. Body out: what the first route gives. The others never delay or
    fail an event: where they do not keep up, copies are dropped and counted.

    Args:
        routes: what is called for each route, by the route's name.
        share: the part of the events, 0 to 1, whose copies go to the other routes; the
            event's id (or ``key``) decides which.
        primary: the route that answers, by default the first.
        key: the part of the body whose value decides, by dots, as of ``Split``.
        max_waiting: copies that may wait in each process, 1 or more.
        keep: answers that ``shadows`` keeps, 0 or more.
        context: the surroundings; None outside a graph.
        name: the router's own name.

    Raises:
        SpecError: an argument has a wrong value.

    State: ``counts``, and the last answers in ``shadows`` (oldest first), of this
    process alone; a restart and a hot swap begin anew. Copies that wait when the runner
    closes are dropped.

    >>> from types import SimpleNamespace as Event
    >>> routes = {"old": lambda event: "old", "new": lambda event: "new"}
    >>> mirror = Mirror(routes, share=0)
    >>> mirror.do_event(Event(id="1", body={}))
    'old'
    """

    def __init__(
        self,
        routes: Mapping[str, Call],
        share: float = 1.0,
        *,
        primary: str | None = None,
        key: str | None = None,
        max_waiting: int = 100,
        keep: int = 100,
        context: Any = None,
        name: str = "mirror",
    ) -> None:
        self.routes = routes_of(routes, "Mirror")
        if not is_number(share) or not 0 <= share <= 1:
            raise SpecError(f"share must be a number from 0 to 1, got {share!r}")
        primary = next(iter(self.routes)) if primary is None else primary
        found_in(self.routes, primary, f"primary {primary!r} is no route")
        at_least("max_waiting", max_waiting, 1)
        at_least("keep", keep, 0)
        self.share = float(share)
        self.primary = self.routes[primary]
        self.others = [r for r in self.routes.values() if r is not self.primary]
        self.key = _checked_key(key)
        self.context = context
        self.name = name
        self.counts = ShadowCounts()
        self.shadows: deque[Shadow] = deque(maxlen=keep)
        self._max_waiting = max_waiting
        self._threads = Threads(1, "jupyter_graph-mirror", most_waiting=max_waiting)
        self._tasks: set[asyncio.Task[None]] = set()
        self._lock = threading.Lock()

    def record(self, shadow: Shadow) -> None:
        """Record a route's answer in the background; a subclass may override it."""
        with self._lock:
            self.counts.answered += shadow.error is None
            self.counts.failed += shadow.error is not None
            self.shadows.append(shadow)
        if shadow.error is not None:
            self._logger.warning(
                f"{self.name}: route {shadow.route!r} failed in the background on "
                f"event {shadow.event_id}: {shadow.error}"
            )

    def do_event(self, event: Any) -> Any:
        self._send_copies(event, on_loop=False)
        return self.primary(event)

    async def do_event_async(self, event: Any) -> Any:
        """``do_event`` where a route is a coroutine."""
        self._send_copies(event, on_loop=True)
        return await self.primary.run_async(event)

    # -- in the background ------------------------------------------------------

    def _send_copies(self, event: Any, *, on_loop: bool) -> None:
        if point_of(event, self.key, "mirror") >= self.share:
            return
        for route in self.others:
            shadow = copy_of(event)
            if hasattr(shadow, "deadline"):
                shadow.deadline = None  # that of the caller, who does not wait for this
            if on_loop and route.is_async:
                is_sent = self._start(self._try_async(route, shadow))
            else:
                is_sent = self._submit(route, shadow)
            with self._lock:
                self.counts.sent += is_sent
                self.counts.dropped += not is_sent

    def _submit(self, route: Route, event: Any) -> bool:
        try:
            self._threads.submit(self._try, route, event)
        except (queue.Full, RuntimeError):
            return False
        return True

    def _start(self, work: Coroutine[Any, Any, None]) -> bool:
        if len(self._tasks) >= self._max_waiting:
            # a coroutine that is dropped must be closed, else Python warns that it was
            # never awaited
            work.close()
            return False
        import asyncio

        task = asyncio.get_running_loop().create_task(work)
        # the loop holds tasks weakly; without this one may be collected as it runs
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return True

    def _try(self, route: Route, event: Any) -> None:
        began, answer, error = monotonic(), None, None
        try:
            reply = route(event)
            if inspect.isawaitable(reply):
                import asyncio

                # a coroutine that came out of a plain route, in a thread without a loop
                reply = asyncio.run(_awaited(reply))
            answer = reply.body
        except Exception as failure:
            error = said(failure)
        self.record(Shadow(event.id, route.name, answer, error, monotonic() - began))

    async def _try_async(self, route: Route, event: Any) -> None:
        import asyncio

        began, answer, error = monotonic(), None, None
        try:
            answer = (await route(event)).body
        except asyncio.CancelledError:  # the loop ends
            with self._lock:
                self.counts.dropped += 1
            raise
        except Exception as failure:
            error = said(failure)
        self.record(Shadow(event.id, route.name, answer, error, monotonic() - began))

    @property
    def _logger(self) -> Any:
        return logger if self.context is None else self.context.logger

    def close(self) -> None:
        """Drop the copies that wait; the one under way goes on to its end."""
        given_up = self._threads.close()
        with self._lock:
            self.counts.dropped += given_up


async def _awaited(reply: Any) -> Any:
    return await reply


def _checked_key(key: Any) -> str | None:
    if key is None or (isinstance(key, str) and key and all(key.split("."))):
        return key
    raise SpecError(f"key must be a place in the body, such as 'user.id', got {key!r}")
