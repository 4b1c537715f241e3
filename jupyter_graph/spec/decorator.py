"""``@step``: what ``%%graph_step`` does, for functions and classes of a module."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from jupyter_graph.errors import SpecError, did_you_mean
from jupyter_graph.spec import edit
from jupyter_graph.spec.builder import (
    After,
    Graph,
    check_cycles,
    place_of,
    unchanged_on_error,
)
from jupyter_graph.spec.code_names import described, keep_code, name_of_code
from jupyter_graph.spec.edit import PREVIOUS
from jupyter_graph.spec.model import StepSpec
from jupyter_graph.spec.names import check_step_name
from jupyter_graph.spec.step_fields import SETTINGS, WRITTEN_AS

Code = TypeVar("Code", bound=Callable[..., Any])


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
    cycle_to: After = None,
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
        cycle_to: earlier steps that it leads back to; the graph then allows cycles.
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
    settings = _settings(options)
    is_route = bool(router or route)
    place = place_of(
        after,
        before,
        cycle_to,
        on_error=on_error,
        router=router,
        route=route,
        queue=queue,
        path=path,
    )

    def put(code: Code) -> Code:
        with unchanged_on_error(graph):
            own = keep_code(graph.namespace, code) or ""
            key = route or name or name_of_code(own, name)
            check_step_name(key, route=is_route)
            runs = described(key, own, code, handler, args or {})
            # False as in a cell: it tells storey's Batch to pass on bodies.
            fields = {**runs, "full_event": False, **settings}
            new = StepSpec(name=key, responder=respond, **fields)
            check_cycles(graph, key, place.cycle_to)
            graph.apply(edit.put, new, place)
        return code

    return put


def _settings(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options by the names that the fields of a step have.

    Raises:
        SpecError: there is no such option; nothing is taken for an argument.
    """
    settings: dict[str, Any] = {}
    for typed, value in options.items():
        key = WRITTEN_AS.get(typed, typed)
        if key != "kind" and key not in SETTINGS:
            known = [*SETTINGS, *WRITTEN_AS]
            raise SpecError(
                f"a step has no option {typed!r}{did_you_mean(typed, known)}"
                "; constructor arguments go into args={…}"
            )
        if key in settings:
            raise SpecError(f"{typed!r} and {key!r} say the same; leave one out")
        settings[key] = value
    return settings
