"""What routers call, and the copies of an event that they call it with."""

from __future__ import annotations

import copy
import inspect
import logging
from collections.abc import Callable, Mapping
from typing import Any

from jupyter_graph.errors import SpecError

logger = logging.getLogger("jupyter_graph.steps")

Call = Callable[[Any], Any]


class Route:
    """One route of a router: takes an event, gives the event with the result as body.

    Args:
        name: the route's name.
        call: what the engine gives for the route; may be a coroutine function.

    >>> Route("same", lambda event: event)(7)
    7
    """

    __slots__ = ("call", "is_async", "name")

    def __init__(self, name: str, call: Call) -> None:
        self.name = name
        self.call = call
        self.is_async = any(
            inspect.iscoroutinefunction(known)
            for known in (call, getattr(call, "__call__", None))  # noqa: B004
        )

    def __call__(self, event: Any) -> Any:
        return self.call(event)

    run = __call__
    """MLRun's word for the call, as its routers write it."""

    async def run_async(self, event: Any) -> Any:
        """Call it where it may be a coroutine."""
        answer = self.call(event)
        return await answer if inspect.isawaitable(answer) else answer

    def __repr__(self) -> str:
        return f"<Route {self.name!r}>"


def routes_of(routes: Mapping[str, Call] | None, router: str) -> dict[str, Route]:
    """Return the routes by name.

    Raises:
        SpecError: there are none.

    >>> routes_of({"a": abs}, "R")
    {'a': <Route 'a'>}
    """
    if not routes:
        raise SpecError(f"{router} has no routes; add at least one")
    return {name: Route(name, call) for name, call in routes.items()}


# -- copies ---------------------------------------------------------------------


def copy_of(event: Any) -> Any:
    """Return a copy of an event, with a deep copy of its body and the same id.

    Source: as of a branch of a flow, each route has a body of its own.
    """
    duplicate = copy.copy(event)
    duplicate.body = copied(event.body)
    return duplicate


def copied(body: Any) -> Any:
    """Return a deep copy of a body; what cannot be copied is shared.

    >>> body = {"inputs": [[1, 2]]}
    >>> copied(body) == body, copied(body)["inputs"] is body["inputs"]
    (True, False)
    """
    kind = type(body)
    if kind in _UNCHANGEABLE:
        return body
    if kind is dict:
        return {key: copied(value) for key, value in body.items()}
    if kind is list:
        return [copied(value) for value in body]
    try:
        return copy.deepcopy(body)
    except Exception:  # a lock, a generator, a connection
        logger.debug("a %s cannot be copied, the routes share it", kind.__name__)
        return body


_UNCHANGEABLE = frozenset((str, int, float, bool, bytes, type(None)))
