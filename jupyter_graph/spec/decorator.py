"""``@step``: what ``%%graph_step`` does, for functions and classes of a module."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from jupyter_graph.errors import SpecError, did_you_mean
from jupyter_graph.spec.builder import PREVIOUS, After, Graph

Code = TypeVar("Code", bound=Callable[..., Any])

TYPED = {
    "timeout": "timeout_s",
    "backoff": "backoff_s",
    "batch_wait": "batch_wait_ms",
    "join_timeout": "join_timeout_s",
}
"""Options as ``%%graph_step`` calls them, with ``_``; the units are those of there."""

OWN = frozenset({"class_name", "name", "handler", "after", "before", "class_args"})


def step(
    graph: Graph,
    name: str | None = None,
    *,
    after: After = PREVIOUS,
    respond: bool = False,
    on_error: str | None = None,
    before: After = None,
    args: dict[str, Any] | None = None,
    handler: str | None = None,
    router: str | None = None,
    route: str | None = None,
    queue: str | None = None,
    path: str | None = None,
    **options: Any,
) -> Callable[[Code], Code]:
    """Put the decorated function or class into a graph as a step.

    Args:
        graph: the graph it belongs to.
        name: the step's name, its own by default.
        after: upstream steps, ``start`` for none.
        respond: its result answers the caller.
        on_error: it handles the errors of this step, or of the whole ``graph``.
        before: where the flow goes on after an error.
        args: constructor arguments of a class.
        handler: the method of a class to call.
        router: it is a route of this router.
        route: the route's key, the step's name by default.
        queue: it stands behind this queue, made if need be; say ``function`` too.
        path: the URL of that queue's stream.
        **options: the other options of ``Graph.add_step``, or of ``%%graph_step`` with
            ``_`` for ``-``: ``timeout`` is ``timeout_s``.

    Raises:
        SpecError: the options do not go together, or the graph refuses the step.

    >>> graph = Graph("demo")
    >>> @step(graph=graph, timeout=2)
    ... def double(x: int) -> int:
    ...     return 2 * x
    >>> graph.spec.step("double").timeout_s
    2
    """
    if on_error and (respond or after != PREVIOUS):
        word = "respond" if respond else "after"
        raise SpecError(f"an error handler takes no {word!r}: only errors lead to it")
    if not on_error and before is not None and not isinstance(before, str):
        raise SpecError(f"a step goes before one step, got {before!r}")
    if queue is not None and not options.get("function"):
        raise SpecError(
            f"queue={queue!r} needs a function: what is behind it runs there"
        )
    if path is not None and queue is None:
        raise SpecError(f"path={path!r} is the URL of a queue; say queue too")
    known = _known(options)

    def put(code: Code) -> Code:
        is_class = isinstance(code, type)
        call: dict[str, Any] = {"class_name" if is_class else "handler": code}
        if handler is not None:
            call["handler"] = handler
        if router or route:
            key = route or name or code.__name__
            graph.add_route(key, router_step=router, class_args=args, **call)
            return code
        if on_error:
            base = None if on_error == "graph" else on_error
            graph.error_handler(
                name, before=before, step=base, class_args=args, **call, **known
            )
            return code
        follower = before if isinstance(before, str) else None
        with graph._unchanged_on_error():
            upstream = _behind(graph, queue, path, after) if queue else after
            handle = graph.add_step(
                name=name, after=upstream, before=follower, class_args=args,
                **call, **known,
            )  # fmt: skip
            if respond:
                handle.respond()
        return code

    return put


def _known(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options by the names that ``add_step`` has for them.

    Raises:
        SpecError: there is no such option; nothing is taken for an argument.
    """
    taken = set(inspect.signature(Graph.add_step).parameters) - OWN - {"self"}
    taken -= {"arguments", "path"}
    found: dict[str, Any] = {}
    for typed, value in options.items():
        option = TYPED.get(typed, typed)
        if option not in taken:
            raise SpecError(
                f"a step has no option {typed!r}{did_you_mean(typed, [*taken, *TYPED])}"
                "; constructor arguments go into args={…}"
            )
        if option in found:
            raise SpecError(f"{typed!r} and {option!r} say the same; leave one out")
        found[option] = value
    return found


def _behind(graph: Graph, queue: str, path: str | None, after: After) -> str:
    """Put a queue after these steps, if there is none of this name yet."""
    if queue not in graph.spec:
        graph.add_step(">>", queue, path=path, after=after)
    elif graph.spec.step(queue).kind != "queue":
        raise SpecError(f"queue={queue!r}: this step is no queue")
    return queue
