"""``@step``: what ``%%graph_step`` does, for functions and classes of a module."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, TypeVar, overload

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
from jupyter_graph.spec.named_graphs import graph_named, is_of_notebook
from jupyter_graph.spec.names import check_step_name
from jupyter_graph.spec.step_fields import SETTINGS, WRITTEN_AS

Code = TypeVar("Code", bound=Callable[..., Any])


@overload
def step(graph: Code, /) -> Code: ...


@overload
def step(
    graph: Graph | str | None = None, name: str | None = None, **options: Any
) -> Callable[[Code], Code]: ...


def step(
    graph: Any = None,
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
) -> Any:
    """Put the decorated function or class into a graph as a step.

    In a notebook the graph may be named, and bare ``@step`` means the current one; a
    deployed function knows its graph, so there the code is left as it is.

    Args:
        graph: the graph it belongs to, or its name in the notebook.
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
        SpecError: the options do not go together, the graph refuses the step, or is
            only named where no notebook is.
        MagicError: the notebook has no graph of this name.

    >>> graph = Graph("demo")
    >>> @step(graph=graph, timeout=2)
    ... def double(x: int) -> int:
    ...     return 2 * x
    >>> graph.spec.step("double").timeout_s
    2
    """
    if inspect.isclass(graph) or inspect.isroutine(graph):
        return step()(graph)
    if not isinstance(graph, Graph | str | None):
        raise SpecError(f"@step takes a Graph or the name of one, got {graph!r}")
    if on_error and (respond or after != PREVIOUS):
        word = "respond" if respond else "after"
        raise SpecError(f"an error handler takes no {word!r}: only errors lead to it")
    if not on_error and before is not None and not isinstance(before, str):
        raise SpecError(f"a step goes before one step, got {before!r}")
    _check_queue(queue, path, options)
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

    def put_into(graph: Graph, code: Code) -> None:
        with unchanged_on_error(graph):
            is_again = is_of_notebook() and _is_again(graph, code)
            if is_again:
                graph.namespace[code.__name__] = code
            own = keep_code(graph.namespace, code) or ""
            key = route or name or name_of_code(own, name)
            check_step_name(key, route=is_route)
            runs = described(key, own, code, handler, args or {})
            # False as in a cell: it tells storey's Batch to pass on bodies.
            fields = {**runs, "full_event": False, **settings}
            new = StepSpec(name=key, responder=respond, **fields)
            check_cycles(graph, key, place.cycle_to)
            if is_again and key in graph.spec:
                # Its place stays, as that of a step cell that runs again.
                stays = after == PREVIOUS and not place.is_route
                anew = replace(place, after=None) if stays else place
                graph.apply(edit.put_anew, new, anew)
            else:
                graph.apply(edit.put, new, place)

    def put(code: Code) -> Code:
        if isinstance(graph, Graph):
            put_into(graph, code)
            return code
        with graph_named(graph) as found:
            if found is not None:
                put_into(found, code)
        return code

    return put


def _check_queue(
    queue: str | None, path: str | None, options: Mapping[str, Any]
) -> None:
    """Raise a SpecError when words about a queue do not go together."""
    if queue is not None and not options.get("function"):
        raise SpecError(
            f"queue={queue!r} needs a function: what is behind it runs there"
        )
    if path is not None and queue is None:
        raise SpecError(f"path={path!r} is the URL of a queue; say queue too")


def _is_again(graph: Graph, code: Any) -> bool:
    """Tell whether a cell or module that ran again defines some code once more."""
    known = graph.namespace.get(getattr(code, "__name__", ""))
    return known is not None and all(
        getattr(known, name, 0) == getattr(code, name, 1)
        for name in ("__module__", "__qualname__")
    )


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
