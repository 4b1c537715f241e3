"""A router whose routes all get the event, at once.

Source: MLRun's ParallelRun,
https://docs.mlrun.org/en/stable/serving/serving-graph.html
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, Final, Literal

from jupyter_graph.argument_checks import at_least, require
from jupyter_graph.errors import StatusError, said
from jupyter_graph.steps.base_arguments import takes_arguments_of
from jupyter_graph.steps.routers.fan_out import MOST_WORKERS, Replies, asking_by
from jupyter_graph.steps.routers.router import BY_NAME, Router
from jupyter_graph.steps.routers.router_routes import Route, copied
from jupyter_graph.types import NOTHING

logger = logging.getLogger("jupyter_graph.steps")

OnMemberError = Literal["drop", "fail"]


def _every(_: Any) -> Any:
    raise AssertionError("stands for all routes, is none itself")


EVERY: Final = Route("*", _every)
"""What ``choose`` gives where all routes are to be asked."""


class ParallelRun(Router):
    """Send an event to all routes at once and merge what they give.

    Body in: an object, or JSON text of one; each route gets a copy of the event, with
    the same id. Body out: the objects that the routes gave, merged by key; where two
    give the same key, the later route wins. ``GET /`` and ``GET /v2/health`` answer
    with the router's name and version.

    Args:
        context: the surroundings; None outside a graph.
        name: the router's own name.
        routes: what is called for each route, by the route's name.
        protocol: as of ``Router``.
        url_prefix: as of ``Router``; paths beside it and ``/`` are refused.
        health_prefix: as of ``Router``.
        extend_event: the answer begins with the body of the event.
        executor_type: ``thread``: each route in a thread. ``process``: in a process of
            its own, which must be able to import it. ``array``: one after the other.
            ``asyncio``: routes that are coroutines at once, others one by one.
        on_member_error: ``drop`` reports a failing route and goes on without it,
            ``fail`` fails the event; by default ``fail`` with ``array``, else ``drop``,
            as in MLRun. An event whose routes all fail, fails.
        max_workers: threads or processes at most, 1 or more, by default one for each
            route and at most 32.
        **kwargs: further arguments of ``Router``.

    Raises:
        SpecError: an argument has a wrong value, or a route cannot run so.
        TypeError: (from ``do_event``) a route gave something that is no object.
        StatusError: (from ``do_event``) all routes failed.

    State: threads or processes, made with the first event and closed with the runner.
    With ``process`` each process has routes of its own, with their own memory; a
    restart and a hot swap begin anew.

    Source: https://docs.mlrun.org/en/stable/serving/serving-graph.html

    >>> from types import SimpleNamespace as Event
    >>> def low(event): return Event(body={"low": min(event.body["x"])})
    >>> def high(event): return Event(body={"high": max(event.body["x"])})
    >>> router = ParallelRun(routes={"low": low, "high": high}, executor_type="array")
    >>> router.do_event(Event(path="/", method="POST", body={"x": [2, 1]})).body
    {'low': 1, 'high': 2}
    """

    prefers_async = True

    @takes_arguments_of(Router, without=BY_NAME, positional=2)
    def __init__(
        self,
        *router: Any,
        extend_event: bool | None = None,
        executor_type: str = "thread",
        on_member_error: OnMemberError | None = None,
        max_workers: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*router, **kwargs)
        is_known = on_member_error in (None, "drop", "fail")
        require(is_known, "on_member_error must be 'drop' or 'fail'", on_member_error)
        most = MOST_WORKERS if max_workers is None else max_workers
        at_least("max_workers", most, 1)
        self.extend_event = bool(extend_event)
        self.executor_type = str(executor_type)
        by_default: OnMemberError = "fail" if executor_type == "array" else "drop"
        self.on_member_error = on_member_error or by_default
        self._asking = asking_by(
            self.executor_type,
            self.routes,
            stops=self.on_member_error == "fail",
            max_workers=most,
            context=self.context,
        )

    def merger(self, body: dict[str, Any], results: dict[str, Any]) -> Any:
        """Return the merged answer; a subclass may override it.

        Args:
            body: ``{}``, or a copy of the event's body with ``extend_event``.
            results: what the routes gave, by the route's name.
        """
        for name, result in results.items():
            try:
                body.update(result)
            except (TypeError, ValueError) as error:
                raise TypeError(
                    f"the result of route {name!r} is not an object that can be "
                    f"merged, got {type(result).__name__}: {error}"
                ) from None
        return body

    def choose(self, event: Any) -> Route | None:
        return EVERY

    def handle(self, event: Any) -> Any:
        route = self.choose(event)
        if route is not EVERY:
            return event if route is None else route(event)
        _ = event.id if hasattr(event, "id") else None  # made now, so that all share it
        return self.merge(event, self._asking.ask(event))

    async def handle_async(self, event: Any) -> Any:
        route = self.choose(event)
        if route is not EVERY:
            return event if route is None else await route.run_async(event)
        _ = event.id if hasattr(event, "id") else None
        return self.merge(event, await self._asking.ask_async(event))

    def merge(self, event: Any, replies: Replies) -> Any:
        """Return the event, answered with what the routes replied."""
        results = self.results_of(event, replies)
        extends = self.extend_event and isinstance(event.body, Mapping)
        body = dict(copied(event.body)) if extends else {}
        merged = self.merger(body, results)
        event.body = body if merged is None else merged
        return event

    def results_of(self, event: Any, replies: Replies) -> dict[str, Any]:
        """Return the results by route; failing routes are dropped, or fail the event.

        A route that drops the event gives none.
        A GET asks what is there: where no route knows, the answer is empty.
        """
        failed = {name: r.error for name, r in replies.items() if r.error is not None}
        if failed and self.on_member_error == "fail":
            raise next(iter(failed.values()))
        if failed and len(failed) == len(replies) and event.method != "GET":
            raise self._all_failed(failed)
        for name, error in failed.items():
            self._report(event, f"route {name!r} is left out: {said(error)}")
        answered = {name: r.body for name, r in replies.items() if r.error is None}
        return {name: body for name, body in answered.items() if body is not NOTHING}

    def _all_failed(self, failed: Mapping[str, Exception]) -> Exception:
        [first, *others] = failed.values()
        if not others:
            return first
        statuses = {getattr(error, "status_code", 500) for error in failed.values()}
        causes = "; ".join(f"{name}: {said(error)}" for name, error in failed.items())
        error = StatusError(
            f"all routes of {self.name!r} failed: {causes}",
            status_code=statuses.pop() if len(statuses) == 1 else 500,
        )
        error.__cause__ = first
        return error

    def _report(self, event: Any, message: str) -> None:
        if self.context is not None:
            self.context.push_error(event, message, source=self.name)
        else:
            logger.error("%s: %s", self.name, message)

    def close(self) -> None:
        """Close threads and processes."""
        self._asking.close()
