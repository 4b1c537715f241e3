"""``@step``: what ``%%graph_step`` does, for functions and classes of a module."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from jupyter_graph.errors import SpecError
from jupyter_graph.spec.builder import PREVIOUS, After, Graph

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
        **options: the other options of ``Graph.add_step``.

    Raises:
        SpecError: the options do not go together, or the graph refuses the step.

    >>> graph = Graph("demo")
    >>> @step(graph=graph)
    ... def double(x: int) -> int:
    ...     return 2 * x
    >>> graph.spec.names()
    ('double',)
    """
    if on_error and (respond or after != PREVIOUS):
        word = "respond" if respond else "after"
        raise SpecError(f"an error handler takes no {word!r}: only errors lead to it")
    if not on_error and before is not None and not isinstance(before, str):
        raise SpecError(f"a step goes before one step, got {before!r}")

    def put(code: Code) -> Code:
        is_class = isinstance(code, type)
        call: dict[str, Any] = {"class_name" if is_class else "handler": code}
        if on_error:
            base = None if on_error == "graph" else on_error
            graph.error_handler(
                name, before=before, step=base, class_args=args, **call, **options
            )
            return code
        follower = before if isinstance(before, str) else None
        handle = graph.add_step(
            name=name, after=after, before=follower, class_args=args, **call, **options
        )
        if respond:
            handle.respond()
        return code

    return put
