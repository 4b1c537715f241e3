"""The fields of a Nuclio function: what each may hold, and how to write them.

The dashboard answers 202 to unknown fields, wrong units and wrong runtimes and fails
later or never says so; here they are named before anything is sent.
Source: https://docs.nuclio.io/en/stable/reference/function-configuration/
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Mapping
from typing import Any

from jupyter_graph.deployment.nuclio.nuclio_types import (
    FIELDS,
    Kind,
    anything,
    cpu,
    duration,
    each,
    either,
    flag,
    integer,
    list_of,
    map_of,
    matches,
    memory,
    one_of,
    record,
    text,
)
from jupyter_graph.deployment.nuclio.triggers import normal_trigger, trigger_problems
from jupyter_graph.errors import DeployError, did_you_mean
from jupyter_graph.values.dotted_path import MISSING, find

TEXTS = list_of(text)
AMOUNTS = record(
    {
        "cpu": cpu,
        "memory": memory,
        "ephemeral-storage": memory,
        "nvidia.com/gpu": either(integer(0), text),
    }
)
METRIC: dict[str, Kind] = {
    "metricName": text,
    "windowSize": one_of("1m", "2m", "5m", "10m", "30m"),
    "threshold": integer(0),
}


BUILD: dict[str, Kind] = {
    **each(
        text,
        "path functionSourceCode functionConfigPath tempDir registry baseImageRegistry "
        "image baseImage onbuildImage builderServiceAccount",
    ),
    **each(flag, "noBaseImagesPull noCache noCleanup offline"),
    **each(TEXTS, "commands scriptPaths dependencies flags"),
    **each(map_of(text), "addedPaths args"),
    **each(map_of(anything), "runtimeAttributes codeEntryAttributes"),
    "directives": map_of(list_of(record({"kind": text, "value": text}))),
    "codeEntryType": one_of("sourceCode", "image", "archive", "git", "github", "s3"),
    "timestamp": integer(0),
    "buildTimeoutSeconds": integer(1),
    "mode": one_of("neverBuild", "alwaysBuild"),
}

SPEC: dict[str, Kind] = {
    **each(
        text,
        "description handler image imageHash alias runRegistry imagePullSecrets "
        "serviceAccount nodeName priorityClassName",
    ),
    **each(
        flag,
        "disable publish waitReadinessTimeoutBeforeFailure disableDefaultHTTPTrigger "
        "disableSensitiveFieldsMasking hostIPC",
    ),
    **each(integer(0), "replicas minReplicas maxReplicas"),
    **each(
        map_of(anything),
        "dataBindings triggers runtimeAttributes securityContext affinity "
        "deploymentStrategy",
    ),
    **each(list_of(anything), "envFrom customScalingMetricSpecs"),
    **each(list_of(map_of(anything)), "tolerations sidecars initContainers"),
    # Without a version Nuclio takes a Python of long ago.
    "runtime": matches(re.compile(r"python:3\.\d+"), "a Python, like 'python:3.11'"),
    "env": list_of(
        record({"name": text, "value": text, "valueFrom": anything}, required=("name",))
    ),
    "resources": record({"requests": AMOUNTS, "limits": AMOUNTS}),
    "targetCPU": integer(1, 100),
    "volumes": list_of(
        record(
            {"volume": anything, "volumeMount": anything},
            required=("volume", "volumeMount"),
        )
    ),
    "version": integer(-1),
    "build": record(BUILD),
    "imagePullPolicy": one_of("Always", "IfNotPresent", "Never"),
    "loggerSinks": list_of(
        record({"level": one_of("debug", "info", "warning", "error"), "sink": text})
    ),
    "platform": record({"attributes": map_of(anything)}),
    "readinessTimeoutSeconds": integer(1),
    "serviceType": one_of("ClusterIP", "NodePort", "LoadBalancer"),
    "scaleToZero": record({"scaleResources": list_of(record(METRIC))}),
    "autoScaleMetrics": list_of(
        record({**METRIC, "sourceType": text, "displayType": text})
    ),
    "devices": TEXTS,
    "nodeSelector": map_of(text),
    "preemptionPolicy": one_of("Never", "PreemptLowerPriority"),
    "preemptionMode": one_of("allow", "constrain", "prevent", "none"),
    "eventTimeout": duration,
}

METADATA: dict[str, Kind] = {
    **each(text, "name namespace"),
    **each(map_of(text), "labels annotations"),
}

# What the bundle itself decides; another value would not run it.
OURS = {
    "handler": "it is main:handler, the function of the bundle",
    "image": "an image is built from the bundle",
    "build.functionSourceCode": "it is the bundle",
    "build.codeEntryType": "the bundle travels as source code",
    "build.path": "the bundle travels as source code",
}


def nested(config: Mapping[str, Any]) -> dict[str, Any]:
    r"""Turn dotted fields into a document with ``spec`` and ``metadata``.

    ``spec.`` may be left out; ``\.`` is a dot inside a name.

    Raises:
        DeployError: a field is set both as a value and as a group, or is no field.

    >>> nested({"minReplicas": 1, "spec.resources.limits.cpu": "1"})
    {'spec': {'minReplicas': 1, 'resources': {'limits': {'cpu': '1'}}}}
    """
    document: dict[str, Any] = {}
    for name, value in copy.deepcopy(dict(config)).items():
        wrong = text(name, "config key")
        if name in ("spec", "metadata"):
            wrong = FIELDS(value, f"config {name!r}")
        if wrong:
            raise DeployError(wrong[0])
        keys = [key.replace("\0", ".") for key in name.replace(r"\.", "\0").split(".")]
        if keys[0] not in ("spec", "metadata"):
            keys.insert(0, "spec")
        place = document
        for key in keys[:-1]:
            place = place.setdefault(key, {})
            if not isinstance(place, dict):
                raise DeployError(f"config {name!r}: {key!r} is already a value")
        if keys[-1] in place and place[keys[-1]] != value:
            raise DeployError(f"config {name!r} is set twice")
        place[keys[-1]] = value
    return document


def merged(low: Mapping[str, Any], high: Mapping[str, Any]) -> dict[str, Any]:
    """Lay ``high`` over ``low``: mappings join, lists and values are replaced.

    >>> merged({"a": {"b": 1, "c": 2}}, {"a": {"c": 3}})
    {'a': {'b': 1, 'c': 3}}
    """
    joined = dict(low)
    for key, value in high.items():
        before = joined.get(key)
        both = isinstance(before, Mapping) and isinstance(value, Mapping)
        joined[key] = merged(before, value) if both else value  # type: ignore[arg-type]
    return joined


def check_config(document: Mapping[str, Any]) -> list[str]:
    """List everything that is wrong with a function's document.

    Args:
        document: ``{"metadata": …, "spec": …}``, or the spec alone.

    >>> check_config({"spec": {"minReplica": 1}})
    ["spec.minReplica is not a field; did you mean 'minReplicas'?"]
    >>> check_config({"minReplicas": 3, "maxReplicas": 2})
    ['spec.minReplicas is 3, more than spec.maxReplicas, which is 2']
    """
    is_whole = "spec" in document or "metadata" in document
    parts = document if is_whole else {"spec": document}
    spec = parts.get("spec", {})
    problems = [
        f"{name} is not a part of a function{did_you_mean(name, ['spec', 'metadata'])}"
        for name in parts
        if name not in ("spec", "metadata", "apiVersion", "kind", "status")
    ]
    problems += record(METADATA)(parts.get("metadata", {}), "metadata")
    problems += record(SPEC)(spec, "spec")
    if isinstance(spec, Mapping):
        problems += [*_replica_rules(spec), *_trigger_rules(spec.get("triggers", {}))]
    return problems


def _replica_rules(spec: Mapping[str, Any]) -> Iterator[str]:
    low, high = spec.get("minReplicas"), spec.get("maxReplicas")
    if isinstance(low, int) and isinstance(high, int) and low > high:
        yield f"spec.minReplicas is {low}, more than spec.maxReplicas, which is {high}"


def _trigger_rules(triggers: Any) -> Iterator[str]:
    if not isinstance(triggers, Mapping):
        return
    http = []
    for name, trigger in triggers.items():
        if not isinstance(trigger, Mapping):
            yield f"trigger {name!r} is {trigger!r}, but must be a mapping with a kind"
            continue
        normal = normal_trigger(name, trigger)
        yield from trigger_problems(str(name), normal)
        if normal.get("kind") == "http" and not normal.get("disabled"):
            http.append(str(name))
    if len(http) > 1:
        yield f"a function takes one http trigger, found {', '.join(http)}"


def bundle_problems(spec: Mapping[str, Any], python: str) -> Iterator[str]:
    """Yield the fields of a user's spec that the bundle itself decides, as problems."""
    for name, why in OURS.items():
        if find(spec, name) is not MISSING:
            yield f"spec.{name} cannot be set: {why}"
    if spec.get("runtime", python) != python:
        yield f"spec.runtime is {spec['runtime']!r}, but the notebook runs {python!r}"
