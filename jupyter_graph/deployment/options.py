"""The options of a deployment, all checked in one place."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import fields
from os import PathLike
from pathlib import Path
from typing import Any

from jupyter_graph.argument_checks import is_number
from jupyter_graph.deployment.deploy_options import PYTHON, DeployOptions
from jupyter_graph.deployment.nuclio.function_fields import (
    bundle_problems,
    check_config,
)
from jupyter_graph.deployment.nuclio.nuclio_types import (
    CONTROL,
    Kind,
    each,
    flag,
    integer,
    is_whole,
    kind,
    matches,
)
from jupyter_graph.deployment.nuclio.triggers import normal_trigger, read_trigger
from jupyter_graph.deployment.targets.target_registry import TARGETS, load_target
from jupyter_graph.errors import DeployError, did_you_mean, listed
from jupyter_graph.spec.names import function_name, function_name_problem

RUNTIMES = ("bundled", "pip")


def _items(value: Any) -> tuple[Any, ...]:
    """Return the items of a list; one text is a list of one."""
    return tuple(value) if isinstance(value, tuple | list) else (value,)


TEXTS = kind(
    lambda value: all(isinstance(item, str | Path) for item in _items(value)), "texts"
)
SECONDS = kind(
    lambda value: is_number(value) and value > 0, "a number of seconds above 0"
)
SHAPES: dict[str, Kind] = {
    **each(
        kind(lambda value: isinstance(value, Mapping), "a mapping"),
        "env secrets triggers config parameters",
    ),
    **each(flag, "dry_run with_events fresh_env parity replace"),
    **each(TEXTS, "requirements pip allow_pickle"),
    "output": kind(lambda value: isinstance(value, str | PathLike), "a path"),
}
"""What is looked at first: the others are read from what has these shapes."""

NUMBERS: dict[str, Kind] = {
    "workers": kind(lambda value: is_whole(value, 1, 1024), "a whole number from 1"),
    "port": integer(0, 65535),
    **each(SECONDS, "wait_s timeout_s"),
}
PLACES: dict[str, Kind] = {
    "project": matches(
        re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"), "like 'my-project'"
    ),
    "dashboard": kind(
        lambda value: re.fullmatch(r"https?://[^\s/]+[^\s]*", str(value)),
        "a URL, like 'http://localhost:8070'",
    ),
}
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SECRET = re.compile(r"(?P<name>[a-z0-9]([a-z0-9.-]*[a-z0-9])?)/(?P<key>[\w.-]+)")


def read_options(graph_name: str, given: Mapping[str, Any]) -> DeployOptions:
    """Check the options of a deployment; every problem is listed at once.

    Args:
        graph_name: the graph's name, from which the function has its own.
        given: the options; those that are None have their default.

    Raises:
        DeployError: at least one is unknown or wrong.

    >>> read_options("my_graph", {"workers": 2}).name
    'my-graph'
    >>> read_options("g", {"worker": 2})
    Traceback (most recent call last):
      ...
    jupyter_graph.errors.DeployError: unknown option 'worker'; did you mean 'workers'? \
[JG600]
    """
    known = {entry.name for entry in fields(DeployOptions)}
    problems = [
        f"unknown option {name!r}{did_you_mean(name, known)}"
        for name in given
        if name not in known
    ]
    chosen = {k: v for k, v in given.items() if k in known and v is not None}
    chosen["name"] = chosen.get("name") or function_name(graph_name)
    problems += _wrong(chosen, SHAPES)
    if not problems:
        options = DeployOptions(**_normal(chosen))
        problems = [*_problems(options)]
        if not problems:
            return options
    raise DeployError(listed("the deployment cannot be made", problems))


def _wrong(values: Mapping[str, Any], checks: Mapping[str, Kind]) -> Iterator[str]:
    """Yield what is wrong with the values that are given."""
    for name, check in checks.items():
        if values.get(name) is not None:
            yield from check(values[name], name)


def _normal(chosen: Mapping[str, Any]) -> dict[str, Any]:
    """Return lists as tuples, paths as paths and triggers in Nuclio's own form."""
    values = dict(chosen)
    for name in ("requirements", "pip", "allow_pickle"):
        values[name] = tuple(map(str, _items(values.get(name, ()))))
    if "output" in values:
        values["output"] = Path(values["output"])
    values["triggers"] = {
        name: read_trigger(f"{name}={trigger}")[1]
        if isinstance(trigger, str)
        else normal_trigger(name, trigger)
        for name, trigger in values.get("triggers", {}).items()
    }
    return values


def _problems(options: DeployOptions) -> Iterator[str]:
    if problem := function_name_problem(options.name):
        yield problem
    for name, allowed in (("target", tuple(TARGETS)), ("runtime", RUNTIMES)):
        value = getattr(options, name)
        if value not in allowed:
            known = f" (known: {', '.join(allowed)})"
            near = did_you_mean(str(value), allowed) or known
            yield f"unknown {name} {value!r}{near}"
    yield from _wrong(vars(options), NUMBERS)
    yield from _environment_problems(options)
    yield from _wrong(vars(options), PLACES)
    target = load_target(options.target) if options.target in [*TARGETS] else None
    if target is not None and target.needs_output and options.output is None:
        yield (
            f"target {target.name} needs output: a folder, or a file that ends in .zip"
        )
    yield from check_config(options.document)
    yield from bundle_problems(options.spec, PYTHON)
    if target is not None:
        yield from target.option_problems(options)
    for line in options.pip:
        if CONTROL.search(line) or line.startswith("-"):
            yield f"pip is {line!r}, but must be one requirement, like 'numpy==2.0'"


def _environment_problems(options: DeployOptions) -> Iterator[str]:
    for name in [*options.env, *options.secrets]:
        if not isinstance(name, str) or not _VARIABLE.fullmatch(name):
            yield f"{name!r} cannot be the name of an environment variable"
    for name, value in options.env.items():
        if not isinstance(value, str):
            yield f"env {name} is {value!r}, but must be text"
        elif CONTROL.search(value):
            yield f"env {name} is {value!r}, but must be one line of text"
    for name, value in options.secrets.items():
        if not isinstance(value, str) or not _SECRET.fullmatch(value):
            # The value is not shown: somebody may have typed the secret itself.
            yield (
                f"secret {name} must be NAME/KEY, the place of the secret, "
                "never its value"
            )
    for name in sorted(set(options.env) & set(options.secrets)):
        yield f"{name} is both an env and a secret"
