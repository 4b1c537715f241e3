"""What may be said about a step, each word checked by itself."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from jupyter_graph.errors import MagicError, SpecError, did_you_mean
from jupyter_graph.spec.cut import EVERYWHERE
from jupyter_graph.spec.field_types import JOINS, MISSING
from jupyter_graph.spec.names import check_function_name, step_name_problem

GRAPH = "graph"
BATCH_WAIT_MS = 5.0


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
        cycle_to: earlier steps that it leads back to.
        queue: the queue it stands behind; it is made where there is none.
        path: the URL of that queue's stream; of a block, its argument ``path``.
        function: the function it runs in; None = that of its upstream steps.
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
    processes: int | None = None
    cycle_to: tuple[str, ...] = ()
    max_iterations: int | None = None
    queue: str | None = None
    path: str | None = None
    function: str | None = None
    concurrency: int | None = None
    batch: int | None = None
    batch_wait_ms: float | None = None
    join: str | None = None
    join_timeout_s: float | None = None
    missing: str | None = None
    vectorized: bool = False
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
        yield from _handler_problems(options)
    if options.is_route:
        yield from _route_problems(options)
    if options.function not in (None, EVERYWHERE):
        yield from _function_problems(str(options.function))
    yield from _queue_problems(options)
    yield from _join_problems(options)
    yield from _batch_problems(options)
    yield from _number_problems(options)


def _handler_problems(options: StepOptions) -> Iterator[str]:
    if options.is_route:
        yield "--on-error and --route exclude each other: a route is no handler"
    if options.after is not None:
        yield "an error handler takes no --after: its events come from the error"
    if options.respond:
        yield (
            "--respond does not go with --on-error: without --before an error "
            "handler's result is the answer anyhow"
        )
    for option in _given(options, "--queue", "--join", "--cycle-to", "--batch"):
        yield f"an error handler takes no {option}: errors lead to it, one by one"


def check_route(options: StepOptions) -> None:
    """Raise a MagicError when what is said does not fit a route."""
    found = list(_route_problems(options))
    if found:
        raise MagicError("; ".join(found))


def _route_problems(options: StepOptions) -> Iterator[str]:
    if options.after is not None or options.before:
        yield "a route takes no --after and no --before: its place is in its router"
    if options.respond:
        yield "a route takes no --respond: let its router respond"
    for option in _given(options, "--queue", "--join", "--cycle-to", "--function"):
        yield f"a route takes no {option}: say it at its router"


def _given(options: StepOptions, *names: str) -> list[str]:
    """Return those of these options that were typed."""
    fields = {name: name.removeprefix("--").replace("-", "_") for name in names}
    return [name for name, field in fields.items() if getattr(options, field)]


def _function_problems(name: str) -> Iterator[str]:
    try:
        check_function_name(name)
    except SpecError as error:
        yield f"--function: {error}"


def _queue_problems(options: StepOptions) -> Iterator[str]:
    if options.queue is None:
        return
    if problem := step_name_problem(options.queue):
        yield f"--queue: {problem}"
    if options.queue == options.name:
        yield f"--queue {options.queue}: a queue and its step need two names"
    if options.function is None:
        yield (
            "--queue needs --function F: the step behind a queue runs in a function "
            "of its own (in the notebook all run in one process)"
        )


def _join_problems(options: StepOptions) -> Iterator[str]:
    if options.join is not None and options.join not in JOINS:
        yield _choice("--join", options.join, JOINS)
    if options.missing is not None and options.missing not in MISSING:
        yield _choice("--missing", options.missing, MISSING)
    if options.join_timeout_s is not None and options.join != "all":
        yield "--join-timeout goes with --join all: other joins do not wait"
    if options.missing is not None and options.join != "all":
        yield "--missing goes with --join all: other joins miss nothing"


def _choice(option: str, value: str, known: tuple[str, ...]) -> str:
    return f"{option} is one of {', '.join(known)}, got {value!r}" + did_you_mean(
        value, known
    )


def _batch_problems(options: StepOptions) -> Iterator[str]:
    if options.vectorized and options.full_event:
        yield "--vectorized does not go with --full-event: it takes a table of bodies"
    if options.batch is None:
        if options.batch_wait_ms is not None:
            yield "--batch-wait goes with --batch N: it says how long a batch waits"
        return
    if options.full_event:
        yield "--batch does not go with --full-event: a batch is a list of bodies"


def _number_problems(options: StepOptions) -> Iterator[str]:
    for name, seconds in (
        ("--timeout", options.timeout_s),
        ("--join-timeout", options.join_timeout_s),
    ):
        if seconds is not None and not (math.isfinite(seconds) and seconds > 0):
            yield f"{name} must be seconds above 0, got {seconds:g}"
    for name, least, number in (
        ("--retries", 0, options.retries),
        ("--max-iterations", 1, options.max_iterations),
        ("--concurrency", 1, options.concurrency),
        ("--processes", 1, options.processes),
        ("--batch", 1, options.batch),
    ):
        if number is not None and number < least:
            yield f"{name} must be {least} or more, got {number}"
    for name, unit, amount in (
        ("--backoff", "seconds", options.backoff_s),
        ("--batch-wait", "milliseconds", options.batch_wait_ms),
    ):
        if amount is not None and not (math.isfinite(amount) and amount >= 0):
            yield f"{name} must be 0 or more {unit}, got {amount:g}"
