"""The command-line options of a step, parsed into ``StepOptions``."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

from jupyter_graph.errors import MagicError
from jupyter_graph.magics.declared_options import option
from jupyter_graph.magics.notebook_expressions import (
    evaluate,
    pairs,
    read_value,
    variable,
)
from jupyter_graph.session.step_options import StepOptions
from jupyter_graph.spec.argument_values import value_of
from jupyter_graph.spec.model import START_WORD
from jupyter_graph.spec.step_fields import OPTIONS

AS_TYPED = ("graph", "handler", "on_error", "router", "route", "queue", "path")

ARGUMENTS = (
    option("--after A,B", "upstream steps; start = none"),
    option("--before A", "put it in front of these steps"),
    option("--graph G", "which graph (default: the current one)"),
    option("--args EXPR", "constructor arguments, an object"),
    option(
        "--arg K=V",
        "one constructor argument; $NAME = the notebook's variable",
        action="append",
    ),
    option("--handler METHOD", "method to call (default: do)"),
    option("--on-error STEP|graph", "it handles the errors of this step"),
    option("--router R", "it is a route of this router"),
    option("--route KEY", "the route's key (default: its name)"),
    option("--cycle-to A,B", "it leads back to these earlier steps"),
    option("--queue NAME", "it stands behind this queue, made if need be"),
    *(option(row.form, row.help) for row in OPTIONS.values()),
)
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
    typed = {key: getattr(words, row.word) for key, row in OPTIONS.items()}
    return StepOptions(
        name=name,
        after=after,
        before=_names(words.before, "--before", magic) or (),
        args=_arguments(words, names),
        cycle_to=_names(words.cycle_to, "--cycle-to", magic) or (),
        keep=getattr(words, "keep", False),
        **{key: getattr(words, key) for key in AS_TYPED},
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
    no_args = words.args is None
    given = {} if no_args else evaluate(words.args, names, what="--args")
    if not isinstance(given, dict) or not all(isinstance(k, str) for k in given):
        raise MagicError(
            "--args must be an object of argument names and values, "
            f"got {type(given).__name__}: {words.args}"
        )
    typed = pairs(words.arg, what="--arg", form="K=V")
    read = {k: argument_value(v, names, what=f"--arg {k}") for k, v in typed}
    return {**given, **read}


def argument_value(text: str, names: dict[str, Any], *, what: str) -> Any:
    """Read the V of ``K=V``; ``$NAME`` stands for the notebook's variable."""
    if text.startswith("$"):
        variable(text[1:], names, what=what)
        return value_of(text[1:])
    return read_value(text)
