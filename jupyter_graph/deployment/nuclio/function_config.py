"""What a function is to Nuclio: the document that stands in ``function.yaml``."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from jupyter_graph.deployment.deploy_options import PYTHON, DeployOptions
from jupyter_graph.deployment.nuclio.function_fields import merged
from jupyter_graph.deployment.nuclio.trigger_fields import SENSITIVE

PROJECT_LABEL = "nuclio.io/project-name"
GRAPH_ANNOTATION = "jupyter-graph/graph"


def function_document(
    options: DeployOptions, graph_name: str, requirements: Sequence[str]
) -> dict[str, Any]:
    """Return the function's whole document, the user's own fields laid over ours."""
    ours: dict[str, Any] = {
        "apiVersion": "nuclio.io/v1",
        "kind": "Function",
        "metadata": {
            "name": options.name,
            "labels": {PROJECT_LABEL: options.project},
            "annotations": {GRAPH_ANNOTATION: graph_name},
        },
        "spec": {
            "runtime": PYTHON,
            "handler": "main:handler",
            "build": {},
            "triggers": {},
        },
    }
    users = options.spec
    document = merged(ours, options.document)
    spec = document["spec"]
    own_commands = users.get("build", {}).get("commands", [])
    spec["build"]["commands"] = [*install_commands(requirements), *own_commands]
    spec["env"] = [*environment(options), *users.get("env", [])]
    if options.http_trigger is not None:
        name, trigger = options.http_trigger
        spec["triggers"][name] = {"numWorkers": options.workers, **trigger}
    document["metadata"]["name"] = options.name
    return document


def environment(options: DeployOptions) -> list[dict[str, Any]]:
    """Return the variables of a function; a secret is a reference, never a value."""
    variables: list[dict[str, Any]] = [
        {"name": name, "value": value} for name, value in sorted(options.env.items())
    ]
    for name, at in sorted(options.secrets.items()):
        secret, _, key = at.partition("/")
        place = {"secretKeyRef": {"name": secret, "key": key}}
        variables.append({"name": name, "valueFrom": place})
    return variables


def install_commands(requirements: Sequence[str]) -> list[str]:
    """Return the build commands that install the requirements.

    >>> install_commands(["numpy==1.26.4", "a; rm -rf /"])
    ["python -m pip install --no-cache-dir numpy==1.26.4 'a; rm -rf /'"]
    """
    words = ["python", "-m", "pip", "install", "--no-cache-dir", *requirements]
    return [shlex.join(words)] if requirements else []


def public_part(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return a document without the values that only a dashboard may hold.

    >>> trigger = {"url": "amqp://h", "password": "p"}
    >>> public_part({"spec": {"triggers": {"q": trigger}}})
    {'spec': {'triggers': {'q': {'url': 'amqp://h'}}}}
    """
    spec = dict(document["spec"])
    for name in ("triggers", "dataBindings"):
        if name in spec:
            spec[name] = _without_secrets(spec[name])
    return {**document, "spec": spec}


def _without_secrets(value: Any) -> Any:
    if isinstance(value, Mapping):
        kept = {key: item for key, item in value.items() if key not in SENSITIVE}
        return {key: _without_secrets(item) for key, item in kept.items()}
    if isinstance(value, list):
        return [_without_secrets(item) for item in value]
    return value


def to_yaml(document: Mapping[str, Any]) -> str:
    """Write a document as YAML: every text that needs quotes has them."""
    return str(yaml.safe_dump(dict(document), sort_keys=True, allow_unicode=True))
