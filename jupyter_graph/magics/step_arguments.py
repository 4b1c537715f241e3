"""The command-line options of a step, parsed into ``StepOptions``."""

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
from jupyter_graph.spec.step_fields import OPTIONS, Option

RAW = frozenset({"--args", "--arg", "--example"})


def seconds(text: str) -> float:
    """Read a number of seconds.

    >>> seconds("0.5")
    0.5
    """
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise argparse.ArgumentTypeError(
            f"must be a number of seconds such as 2.5, got {text!r}"
        )
    return number


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


PARSERS: dict[str, Callable[[str], Any]] = {
    "S": seconds,
    "MS": milliseconds,
    "N": whole,
}
"""What reads the value of an option of this metavar; others are texts."""

PLACE_ARGUMENTS = (
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
    argument(
        "--on-error", metavar="STEP|graph", help="it handles the errors of this step"
    ),
    argument("--router", metavar="R", help="it is a route of this router"),
    argument("--route", metavar="KEY", help="the route's key (default: its name)"),
    argument("--cycle-to", metavar="A,B", help="it leads back to these earlier steps"),
    argument(
        "--queue", metavar="NAME", help="it stands behind this queue, made if need be"
    ),
)


def _argument(option: Option) -> argument:
    if not option.metavar:
        return argument(option.flag, action="store_true", help=option.help)
    parse = PARSERS.get(option.metavar, str)
    return argument(option.flag, metavar=option.metavar, type=parse, help=option.help)


ARGUMENTS = (*PLACE_ARGUMENTS, *map(_argument, OPTIONS.values()))
ARGUMENTS_OF_STEPS = frozenset(
    {"--path"}  # %graph run has one, too, so that each magic declares it itself
    | {name for declared in ARGUMENTS for name in declared.args}
)


def step_arguments(magic: Callable[..., Any]) -> Callable[..., Any]:
    """Declare the options of a step for a magic, all but ``--path``."""
    for declare in reversed(ARGUMENTS):  # decorators are applied from the last one up
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
    typed = {key: getattr(words, option.word) for key, option in OPTIONS.items()}
    return StepOptions(
        name=name,
        after=after,
        before=_names(words.before, "--before", magic) or (),
        graph=words.graph,
        args=_arguments(words, names),
        handler=words.handler,
        on_error=words.on_error,
        router=words.router,
        route=words.route,
        cycle_to=_names(words.cycle_to, "--cycle-to", magic) or (),
        queue=words.queue,
        path=words.path,
        keep=getattr(words, "keep", False),
        settings={
            key: value
            for key, value in typed.items()
            if value is not None and value is not False  # 0 is typed: --backoff 0
        },
    )


def _names(text: str | None, option: str, magic: str) -> tuple[str, ...] | None:
    if text is None:
        return None
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    if not names:
        raise MagicError(f"{magic}: {option} names no step: {option} A,B")
    return names


def _arguments(words: argparse.Namespace, names: dict[str, Any]) -> dict[str, Any]:
    arguments: dict[str, Any] = {}
    if words.args is not None:
        given = evaluate(words.args, names, what="--args")
        if not isinstance(given, dict) or not all(isinstance(k, str) for k in given):
            raise MagicError(
                "--args must be an object of argument names and values, "
                f"got {type(given).__name__}: {words.args}"
            )
        arguments.update(given)
    for text in words.arg or ():
        key, value = pair(text, what="--arg", form="K=V")
        arguments[key] = argument_value(value, names, what=f"--arg {key}")
    return arguments


def argument_value(text: str, names: dict[str, Any], *, what: str) -> Any:
    """Read the V of ``K=V``; ``$NAME`` stands for the notebook's variable."""
    if text.startswith("$"):
        variable(text[1:], names, what=what)
        return value_of(text[1:])
    return read_value(text)
