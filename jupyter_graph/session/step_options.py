"""What may be typed about a step, each word checked by itself."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from jupyter_graph.errors import MagicError, SpecError, did_you_mean, listed
from jupyter_graph.spec.edit import Place
from jupyter_graph.spec.field_types import LONGEST_S
from jupyter_graph.spec.names import check_function_name, step_name_problem
from jupyter_graph.spec.step_fields import BY_KEY, OPTIONS
from jupyter_graph.spec.subgraphs import EVERYWHERE

FIELD_OF = {option.flag: key for key, option in OPTIONS.items()}
"""The options that stand for a field of the step, to that field."""


@dataclass(frozen=True, kw_only=True)
class StepOptions(Place):
    """What is typed about one step: where it goes, and what it is.

    ``path`` is the URL of its queue's stream or, of a block, its argument ``path``.

    Attributes:
        name: the step's name, that of its function or class when None.
        graph: the graph's name; None for the cell's own or the current one.
        args: constructor arguments; ``"$clf"`` stands for the notebook's variable.
        handler: the method of the class to call.
        keep: under another name, keep the step that the cell made before.
        settings: the fields of the step that were typed, by their keys.
    """

    name: str | None = None
    graph: str | None = None
    args: Mapping[str, Any] = field(default_factory=dict)
    handler: str | None = None
    keep: bool = False
    settings: Mapping[str, Any] = field(default_factory=dict)

    def has(self, flag: str) -> bool:
        """Tell whether an option was typed, with a value that is not its default."""
        if flag in FIELD_OF:
            return bool(self.settings.get(FIELD_OF[flag]))
        return bool(getattr(self, flag.removeprefix("--").replace("-", "_")))


def check_options(options: StepOptions) -> None:
    """Raise one MagicError that lists what is wrong, or return quietly.

    >>> check_options(StepOptions(route="a", on_error="graph"))
    Traceback (most recent call last):
      ...
    jupyter_graph.errors.MagicError: --on-error and --route exclude each other: ...
    """
    problems = list(_problems(options))
    if problems:
        raise MagicError(listed("the options do not fit", problems))


def _problems(options: StepOptions) -> Iterator[str]:
    named = (("", options.name, options.is_route), ("--route: ", options.route, True))
    for what, name, is_route in named:
        if name is not None and (problem := step_name_problem(name, route=is_route)):
            yield f"{what}{problem}"
    if options.on_error is not None:
        yield from _handler_problems(options)
    if options.is_route:
        yield from _route_problems(options)
    yield from _queue_problems(options)
    yield from _value_problems(options.settings)
    yield from _problems_together(options)


def _handler_problems(options: StepOptions) -> Iterator[str]:
    if options.is_route:
        yield "--on-error and --route exclude each other: a route is no handler"
    if options.after is not None:
        yield "an error handler takes no --after: its events come from the error"
    if options.has("--respond"):
        yield (
            "--respond does not go with --on-error: without --before an error "
            "handler's result is the answer anyhow"
        )
    for flag in ("--queue", "--join", "--cycle-to", "--batch"):
        if options.has(flag):
            yield f"an error handler takes no {flag}: errors lead to it, one by one"


def check_route(options: StepOptions) -> None:
    """Raise a MagicError when what is typed does not fit a route."""
    problems = list(_route_problems(options))
    if problems:
        raise MagicError("; ".join(problems))


def _route_problems(options: StepOptions) -> Iterator[str]:
    if options.after is not None or options.before:
        yield "a route takes no --after and no --before: its place is in its router"
    if options.has("--respond"):
        yield "a route takes no --respond: let its router respond"
    for flag in ("--queue", "--join", "--cycle-to", "--function"):
        if options.has(flag):
            yield f"a route takes no {flag}: say it at its router"


def _queue_problems(options: StepOptions) -> Iterator[str]:
    if options.queue is None:
        return
    if problem := step_name_problem(options.queue):
        yield f"--queue: {problem}"
    if options.queue == options.name:
        yield f"--queue {options.queue}: a queue and its step need two names"
    if not options.has("--function"):
        yield (
            "--queue needs --function F: the step behind a queue runs in a function "
            "of its own (in the notebook all run in one process)"
        )


def _value_problems(settings: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is wrong with single values, by the types of their fields."""
    for key, value in settings.items():
        kind, flag = BY_KEY[key].type, OPTIONS[key].flag
        if key == "function" and value != EVERYWHERE:
            try:
                check_function_name(value)
            except SpecError as error:
                yield f"{flag}: {error}"
        elif kind.known and value not in kind.known:
            known = f"{flag} is one of {', '.join(kind.known)}, got {value!r}"
            yield known + did_you_mean(value, kind.known)
        elif kind.typed and not kind.fits(value):
            if LONGEST_S < value < math.inf:
                continue  # a rule of the graph: a note here, refused by check and run
            yield f"{flag} must be {kind.typed}, got {value:g}"


def _problems_together(options: StepOptions) -> Iterator[str]:
    settings = options.settings
    if settings.get("join") != "all":
        if "join_timeout_s" in settings:
            yield "--join-timeout goes with --join all: other joins do not wait"
        if "missing" in settings:
            yield "--missing goes with --join all: other joins miss nothing"
    if options.has("--full-event"):
        if options.has("--vectorized"):
            yield (
                "--vectorized does not go with --full-event: it takes a table of bodies"
            )
        if "batch" in settings:
            yield "--batch does not go with --full-event: a batch is a list of bodies"
    if "batch_wait_ms" in settings and "batch" not in settings:
        yield "--batch-wait goes with --batch N: it says how long a batch waits"
