"""What a user may say about a deployment."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jupyter_graph.deployment.nuclio.function_fields import nested
from jupyter_graph.deployment.nuclio.nuclio_types import seconds_of
from jupyter_graph.deployment.nuclio.triggers import normal_trigger

PYTHON = f"python:{sys.version_info.major}.{sys.version_info.minor}"


@dataclass(frozen=True, kw_only=True)
class DeployOptions:
    """What ``deploy`` and ``%deploy`` take; ``read_options`` makes a checked one.

    Attributes:
        name: the function's name.
        target: the name of a deploy target, like ``local`` or ``nuclio``.
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
        own = document.get("spec", {}).get("triggers", {})
        # Those of triggers= win over those of the same name in config=.
        every = {**(own if isinstance(own, Mapping) else {}), **self.triggers}
        if every:
            normal = {name: normal_trigger(name, every[name]) for name in every}
            document.setdefault("spec", {})["triggers"] = normal
        return document

    @property
    def spec(self) -> dict[str, Any]:
        """The spec of that document."""
        return dict(self.document.get("spec", {}))

    @property
    def deadline_s(self) -> float:
        """Seconds one event may take: the graph's limit, or less by eventTimeout."""
        limit = self.spec.get("eventTimeout")
        seconds = seconds_of(limit) if limit else 0.0  # Nuclio: 0 is no limit
        return min(self.timeout_s, seconds) if seconds else self.timeout_s

    @property
    def http_trigger(self) -> tuple[str, Mapping[str, Any]] | None:
        """The http trigger and its name; None when only others call the function."""
        for name, trigger in self.spec.get("triggers", {}).items():
            if trigger.get("kind") == "http" and not trigger.get("disabled"):
                return name, trigger
        if self.spec.get("disableDefaultHTTPTrigger"):
            return None
        return "http", {"kind": "http", "numWorkers": self.workers}
