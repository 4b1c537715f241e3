"""Everything a user may say about a deployment, checked in one place."""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from jupyter_graph.deployment.nuclio.function_fields import (
    bundle_problems,
    check_config,
    nested,
)
from jupyter_graph.deployment.nuclio.nuclio_types import CONTROL, seconds_of
from jupyter_graph.deployment.nuclio.triggers import normal_trigger, read_trigger
from jupyter_graph.errors import DeployError, SpecError, did_you_mean
from jupyter_graph.spec.names import check_function_name, function_name

TARGETS = ("local", "nuclio", "archive")
RUNTIMES = ("bundled", "pip")
PYTHON = f"python:{sys.version_info.major}.{sys.version_info.minor}"

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_PROJECT = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_SECRET = re.compile(r"(?P<name>[a-z0-9]([a-z0-9.-]*[a-z0-9])?)/(?P<key>[\w.-]+)")


@dataclass(frozen=True, kw_only=True)
class DeployOptions:
    """What ``deploy`` and ``%deploy`` take; ``read_options`` makes a checked one.

    Attributes:
        name: the function's name.
        target: ``local``, ``nuclio`` or ``archive``.
        workers: processes that serve events, 1 or more.
        port: where the host listens; None = a free one, a redeploy keeps it.
        wait_s: seconds until the function must be ready.
        output: where the archive target puts the bundle; a zip when it ends so.
        dry_run: build and check everything, start and send nothing.
        env: plain environment variables.
        secrets: environment variable → ``NAME/KEY`` of a secret, never its value.
        triggers: name → Nuclio trigger; one http trigger when there is none.
        config: fields of the function spec, dotted, ``spec.`` may be left out.
        requirements: files in the format of pip, added to what the imports say.
        pip: requirements, added to what the imports say.
        project: Nuclio's group of functions.
        dashboard: URL of the Nuclio dashboard, else ``$NUCLIO_DASHBOARD_URL``.
        runtime: ``bundled`` (our runtime travels in the bundle) or ``pip``.
        with_events: put the recorded events into the archive.
        fresh_env: check in a new virtual environment with the requirements alone.
        parity: compare the bundle's answers with the notebook's.
        replace: take a name that belongs to somebody else.
        allow_pickle: variables that may travel as pickle.
        timeout_s: seconds one event may take; ``spec.eventTimeout`` may say less.
        parameters: what steps read with ``context.get_param``.
        mlrun_status: answer 400, as MLRun, when a step fails.
        api_handler: endpoints in front of the graph, MLRun's document of them.
        openai_frontend: OpenAI's endpoints in front of it: True, a list of groups, or
            ``{"endpoints": ..., "prefix": ...}``.
    """

    name: str
    target: str = "local"
    workers: int = 1
    port: int | None = None
    wait_s: float = 120.0
    output: Path | None = None
    dry_run: bool = False
    env: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)
    triggers: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    config: Mapping[str, Any] = field(default_factory=dict)
    requirements: tuple[str, ...] = ()
    pip: tuple[str, ...] = ()
    project: str = "default"
    dashboard: str | None = None
    runtime: str = "bundled"
    with_events: bool = False
    fresh_env: bool = False
    parity: bool = True
    replace: bool = False
    allow_pickle: tuple[str, ...] = ()
    timeout_s: float = 30.0
    parameters: Mapping[str, Any] = field(default_factory=dict)
    mlrun_status: bool = False
    api_handler: Any = None
    openai_frontend: Any = None

    @property
    def document(self) -> dict[str, Any]:
        """What the user says about the function, as Nuclio's document."""
        document = nested(self.config)
        named = {name: normal_trigger(trigger) for name, trigger in _triggers(self)}
        if named:
            document.setdefault("spec", {})["triggers"] = named
        return document

    @property
    def deadline_s(self) -> float:
        """Seconds one event may take: the graph's limit, or less by eventTimeout."""
        limit = self.document.get("spec", {}).get("eventTimeout")
        seconds = seconds_of(limit) if limit else 0.0  # Nuclio: 0 is no limit
        return min(self.timeout_s, seconds) if seconds else self.timeout_s

    @property
    def http_trigger(self) -> tuple[str, Mapping[str, Any]] | None:
        """The http trigger and its name; None when only others call the function."""
        triggers = self.document.get("spec", {}).get("triggers", {})
        for name, trigger in triggers.items():
            if trigger.get("kind") == "http" and not trigger.get("disabled"):
                return name, trigger
        spec = self.document.get("spec", {})
        if spec.get("disableDefaultHTTPTrigger"):
            return None
        return "http", {"kind": "http", "numWorkers": self.workers}


def _triggers(options: DeployOptions) -> Iterator[tuple[str, Mapping[str, Any]]]:
    in_config = nested(options.config).get("spec", {}).get("triggers", {})
    yield from in_config.items() if isinstance(in_config, Mapping) else ()
    yield from options.triggers.items()


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
    said = {k: v for k, v in given.items() if k in known and v is not None}
    said["name"] = said.get("name") or function_name(graph_name)
    problems += _shape_problems(said)
    if not problems:
        options = DeployOptions(**_normal(said))
        problems = [*_problems(options)]
        if not problems:
            return options
    if len(problems) == 1:
        raise DeployError(problems[0])
    raise DeployError("the deployment cannot be made:\n  - " + "\n  - ".join(problems))


def _shape_problems(said: Mapping[str, Any]) -> Iterator[str]:
    for name in ("env", "secrets", "triggers", "config", "parameters"):
        if not isinstance(said.get(name, {}), Mapping):
            yield f"{name} is {said[name]!r}, but must be a mapping"
    for name in ("dry_run", "with_events", "fresh_env", "parity", "replace"):
        if not isinstance(said.get(name, False), bool):
            yield f"{name} is {said[name]!r}, but must be true or false"
    for name in ("requirements", "pip", "allow_pickle"):
        value = said.get(name, ())
        items = (value,) if isinstance(value, str | Path) else value
        if not isinstance(items, tuple | list) or not all(
            isinstance(item, str | Path) for item in items
        ):
            yield f"{name} is {value!r}, but must be texts"


def _normal(said: Mapping[str, Any]) -> dict[str, Any]:
    """Return lists as tuples, paths as paths and triggers in Nuclio's own form."""
    values = dict(said)
    for name in ("requirements", "pip", "allow_pickle"):
        value = values.get(name, ())
        items = (value,) if isinstance(value, str | Path) else value
        values[name] = tuple(str(item) for item in items)
    if "output" in values:
        values["output"] = Path(values["output"])
    values["triggers"] = {
        name: _trigger(name, trigger)
        for name, trigger in values.get("triggers", {}).items()
    }
    return values


def _trigger(name: str, trigger: Any) -> Mapping[str, Any]:
    if isinstance(trigger, str):
        return read_trigger(f"{name}={trigger}")[1]
    if not isinstance(trigger, Mapping):
        raise DeployError(
            f"trigger {name!r} is {trigger!r}, but must be a mapping with a kind"
        )
    return normal_trigger(trigger)


def _problems(options: DeployOptions) -> Iterator[str]:
    try:
        check_function_name(options.name)
    except SpecError as error:
        yield f"{error}"
    for name, words in (("target", TARGETS), ("runtime", RUNTIMES)):
        value = getattr(options, name)
        if value not in words:
            near = did_you_mean(str(value), words) or f" (known: {', '.join(words)})"
            yield f"unknown {name} {value!r}{near}"
    yield from _number_problems(options)
    yield from _environment_problems(options)
    if not isinstance(options.project, str) or not _PROJECT.fullmatch(options.project):
        yield f"project is {options.project!r}, but must be like 'my-project'"
    url = options.dashboard
    if url is not None and not re.fullmatch(r"https?://[^\s/]+[^\s]*", str(url)):
        yield f"dashboard is {url!r}, but must be a URL, like 'http://localhost:8070'"
    if options.target == "archive" and options.output is None:
        yield "target archive needs output: a folder, or a file that ends in .zip"
    yield from check_config(options.document)
    yield from bundle_problems(options.document.get("spec", {}), PYTHON)
    yield from _target_problems(options)


def _number_problems(options: DeployOptions) -> Iterator[str]:
    if not _is_whole(options.workers, 1, 1024):
        yield f"workers is {options.workers!r}, but must be a whole number from 1"
    if options.port is not None and not _is_whole(options.port, 0, 65535):
        yield f"port is {options.port!r}, but must be a whole number from 0 to 65535"
    for name in ("wait_s", "timeout_s"):
        value = getattr(options, name)
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if not is_number or not math.isfinite(value) or value <= 0:
            yield f"{name} is {value!r}, but must be a number of seconds above 0"


def _is_whole(value: Any, low: int, high: int) -> bool:
    is_whole = isinstance(value, int) and not isinstance(value, bool)
    return is_whole and low <= value <= high


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


def _target_problems(options: DeployOptions) -> Iterator[str]:
    spec = options.document.get("spec", {})
    triggers = spec.get("triggers", {})
    if options.target == "local" and isinstance(triggers, Mapping):
        for name, trigger in triggers.items():
            if trigger.get("kind") != "http":
                yield (
                    f"trigger {name!r} is of kind {trigger.get('kind')!r}, which the "
                    "local host does not serve; deploy it with target nuclio"
                )
    for line in options.pip:
        if CONTROL.search(line) or line.startswith("-"):
            yield f"pip is {line!r}, but must be one requirement, like 'numpy==2.0'"
