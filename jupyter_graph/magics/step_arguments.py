"""The words that say what a step is and where it goes, read into options."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from typing import Any

from IPython.core.magic_arguments import argument

from jupyter_graph.errors import MagicError
from jupyter_graph.magics.notebook_expressions import (
    evaluate,
    pair,
    read_value,
    variable,
)
from jupyter_graph.session.step_options import StepOptions
from jupyter_graph.spec.argument_values import value_of
from jupyter_graph.spec.model import START_WORD

RAW = frozenset({"--args", "--arg", "--example"})


def seconds(text: str) -> float:
    """Read a number of seconds.

    >>> seconds("0.5")
    0.5
    """
    try:
        found = float(text)
    except ValueError:
        found = math.nan
    if not math.isfinite(found):
        raise argparse.ArgumentTypeError(
            f"must be a number of seconds such as 2.5, got {text!r}"
        )
    return found


def milliseconds(text: str) -> float:
    """Read a number of milliseconds."""
    try:
        return seconds(text)
    except argparse.ArgumentTypeError:
        raise argparse.ArgumentTypeError(
            f"must be a number of milliseconds such as 20, got {text!r}"
        ) from None


def whole(text: str) -> int:
    """Read a whole number."""
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"must be a whole number, got {text!r}"
        ) from None


ARGUMENTS = (
    argument("--after", metavar="A,B", help="upstream steps; start = none"),
    argument("--before", metavar="A", help="put it in front of these steps"),
    argument("--graph", metavar="G", help="which graph (default: the current one)"),
    argument("--args", metavar="EXPR", help="constructor arguments, an object"),
    argument(
        "--arg",
        metavar="K=V",
        action="append",
        help="one constructor argument; $NAME = the notebook's variable",
    ),
    argument("--handler", metavar="METHOD", help="method to call (default: do)"),
    argument("--input-path", metavar="P", help="part of the body the step gets"),
    argument("--result-path", metavar="P", help="where in the body its result goes"),
    argument("--full-event", action="store_true", help="takes and gives the event"),
    argument("--respond", action="store_true", help="its result answers the caller"),
    argument(
        "--on-error", metavar="STEP|graph", help="it handles the errors of this step"
    ),
    argument("--router", metavar="R", help="it is a route of this router"),
    argument("--route", metavar="KEY", help="the route's key (default: its name)"),
    argument("--timeout", metavar="S", type=seconds, help="seconds for one attempt"),
    argument("--retries", metavar="N", type=whole, default=0, help="more attempts"),
    argument(
        "--backoff",
        metavar="S",
        type=seconds,
        default=0.1,
        help="seconds before the first of them, doubled each time (default: 0.1)",
    ),
    argument("--blocking", action="store_true", help="run it in a thread pool"),
    argument(
        "--processes",
        metavar="N",
        type=whole,
        help="run it in so many processes of its own",
    ),
    argument(
        "--concurrency",
        metavar="N",
        type=whole,
        help="attempts of it that may run at once",
    ),
    argument("--cycle-to", metavar="A,B", help="it leads back to these earlier steps"),
    argument(
        "--max-iterations",
        metavar="N",
        type=whole,
        help="times an event may come to one step of a cycle (default: 100)",
    ),
    argument(
        "--queue", metavar="NAME", help="it stands behind this queue, made if need be"
    ),
    argument(
        "--function",
        metavar="F",
        help="the function it runs in (default: that of its upstream steps)",
    ),
    argument(
        "--batch",
        metavar="N",
        type=whole,
        help="takes a list of at most N bodies of concurrent callers, gives a list",
    ),
    argument(
        "--batch-wait",
        metavar="MS",
        type=milliseconds,
        help="milliseconds the first of a batch waits for others (default: 5)",
    ),
    argument(
        "--join",
        metavar="HOW",
        help="of several upstream steps: all (a list), any or first",
    ),
    argument(
        "--join-timeout",
        metavar="S",
        type=seconds,
        help="seconds that --join all waits for the last of them",
    ),
    argument(
        "--missing",
        metavar="HOW",
        help="what --join all puts for one that does not come: drop, null or error",
    ),
    argument(
        "--vectorized",
        action="store_true",
        help="takes and gives a DataFrame of bodies in batch runs",
    ),
)

ARGUMENTS_OF_STEPS = frozenset(
    {"--path"}  # %graph run has one, too, so that each magic declares it itself
    | {name for found in ARGUMENTS for name in found.args if name.startswith("--")}
)


def step_arguments(magic: Callable[..., Any]) -> Callable[..., Any]:
    """Declare the options of a step for a magic, all but ``--path``."""
    for declare in reversed(ARGUMENTS):
        magic = declare(magic)
    return magic


def read_step(
    name: str | None, words: argparse.Namespace, names: dict[str, Any], *, magic: str
) -> StepOptions:
    """Return the options that the words of a magic stand for."""
    after = _names(words.after, "--after", magic)
    if after is not None and START_WORD in after:
        if len(after) > 1:
            raise MagicError(
                f"{magic}: --after {START_WORD} stands alone: it means none"
            )
        after = ()
    return StepOptions(
        name=name,
        after=after,
        before=_names(words.before, "--before", magic) or (),
        graph=words.graph,
        args=_arguments(words, names),
        handler=words.handler,
        input_path=words.input_path,
        result_path=words.result_path,
        full_event=words.full_event,
        respond=words.respond,
        on_error=words.on_error,
        router=words.router,
        route=words.route,
        timeout_s=words.timeout,
        retries=words.retries,
        backoff_s=words.backoff,
        blocking=words.blocking,
        processes=words.processes,
        cycle_to=_names(words.cycle_to, "--cycle-to", magic) or (),
        max_iterations=words.max_iterations,
        queue=words.queue,
        path=words.path,
        function=words.function,
        concurrency=words.concurrency,
        batch=words.batch,
        batch_wait_ms=words.batch_wait,
        join=words.join,
        join_timeout_s=words.join_timeout,
        missing=words.missing,
        vectorized=words.vectorized,
        keep=getattr(words, "keep", False),
    )


def _names(text: str | None, option: str, magic: str) -> tuple[str, ...] | None:
    if text is None:
        return None
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    if not names:
        raise MagicError(f"{magic}: {option} names no step: {option} A,B")
    return names


def _arguments(words: argparse.Namespace, names: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if words.args is not None:
        given = evaluate(words.args, names, what="--args")
        if not isinstance(given, dict) or not all(isinstance(k, str) for k in given):
            raise MagicError(
                "--args must be an object of argument names and values, "
                f"got {type(given).__name__}: {words.args}"
            )
        found.update(given)
    for text in words.arg or ():
        key, value = pair(text, what="--arg", form="K=V")
        found[key] = argument_value(value, names, what=f"--arg {key}")
    return found


def argument_value(text: str, names: dict[str, Any], *, what: str) -> Any:
    """Read the V of ``K=V``; ``$NAME`` stands for the notebook's variable."""
    if text.startswith("$"):
        variable(text[1:], names, what=what)
        return value_of(text[1:])
    return read_value(text)
