"""What may be said about a step, each word checked by itself."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from jupyter_graph.errors import MagicError
from jupyter_graph.spec.names import step_name_problem

GRAPH = "graph"


@dataclass(frozen=True, kw_only=True)
class StepOptions:
    """The options of one step; fields are described where the magic declares them.

    Attributes:
        name: the step's name, that of its function or class when None.
        after: upstream steps, () for ``start``; None when nothing was said.
        before: steps that shall come after this one.
        graph: the graph's name; None for the cell's own or the current one.
        args: constructor arguments; ``"$clf"`` stands for the notebook's variable.
        on_error: the step whose errors it handles, or ``graph``.
        router: the router whose route it is.
        route: the route's key, the step's name when None.
        keep: under another name, keep the step that the cell made before.
    """

    name: str | None = None
    after: tuple[str, ...] | None = None
    before: tuple[str, ...] = ()
    graph: str | None = None
    args: Mapping[str, Any] = field(default_factory=dict)
    handler: str | None = None
    input_path: str | None = None
    result_path: str | None = None
    full_event: bool = False
    respond: bool = False
    on_error: str | None = None
    router: str | None = None
    route: str | None = None
    timeout_s: float | None = None
    retries: int = 0
    backoff_s: float = 0.1
    blocking: bool = False
    keep: bool = False

    @property
    def is_route(self) -> bool:
        return self.router is not None or self.route is not None


def check_options(options: StepOptions) -> None:
    """Raise one MagicError that lists what is wrong, or return quietly.

    >>> check_options(StepOptions(route="a", on_error="graph"))
    Traceback (most recent call last):
      ...
    jupyter_graph.errors.MagicError: --on-error and --route exclude each other: ...
    """
    found = list(_problems(options))
    if len(found) == 1:
        raise MagicError(found[0])
    if found:
        raise MagicError("the options do not fit:\n  - " + "\n  - ".join(found))


def _problems(options: StepOptions) -> Iterator[str]:
    if options.name is not None and (
        problem := step_name_problem(options.name, route=options.is_route)
    ):
        yield problem
    if options.route is not None and (
        problem := step_name_problem(options.route, route=True)
    ):
        yield f"--route: {problem}"
    if options.on_error is not None:
        if options.is_route:
            yield "--on-error and --route exclude each other: a route is no handler"
        if options.after is not None:
            yield "an error handler takes no --after: its events come from the error"
        if options.respond:
            yield (
                "--respond does not go with --on-error: without --before an error "
                "handler's result is the answer anyhow"
            )
    if options.is_route and (options.after is not None or options.before):
        yield "a route takes no --after and no --before: its place is in its router"
    if options.is_route and options.respond:
        yield "a route takes no --respond: let its router respond"
    yield from _number_problems(options)


def _number_problems(options: StepOptions) -> Iterator[str]:
    timeout = options.timeout_s
    if timeout is not None and not (math.isfinite(timeout) and timeout > 0):
        yield f"--timeout must be seconds above 0, got {timeout:g}"
    if options.retries < 0:
        yield f"--retries must be 0 or more, got {options.retries}"
    if not (math.isfinite(options.backoff_s) and options.backoff_s >= 0):
        yield f"--backoff must be 0 or more seconds, got {options.backoff_s:g}"
