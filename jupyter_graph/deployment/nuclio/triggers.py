"""Nuclio triggers: how to write one in a line, and what is wrong with it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from jupyter_graph.deployment.nuclio.trigger_fields import (
    ALIASES,
    COMMON,
    KINDS,
    REQUIRED,
)
from jupyter_graph.errors import DeployError, did_you_mean


def read_trigger(words: str) -> tuple[str, dict[str, Any]]:
    """Read ``NAME=KIND[:k=v,…]``; a value is JSON when it parses, else text.

    Raises:
        DeployError: the words have another form.

    >>> read_trigger('q=kafka:brokers=["b:9092"],topics=["t"],numWorkers=2')[0]
    'q'
    >>> read_trigger("tick=cron:interval=5s")[1]
    {'kind': 'cron', 'attributes': {'interval': '5s'}}
    """
    name, equals, rest = words.partition("=")
    kind, _, pairs = rest.partition(":")
    if not equals or not name.strip() or not kind.strip():
        raise DeployError(f"trigger {words!r} must be NAME=KIND or NAME=KIND:key=value")
    fields: dict[str, Any] = {}
    for pair in _split(pairs):
        key, equals, value = pair.partition("=")
        if not equals:
            raise DeployError(f"trigger {name!r}: {pair!r} must be key=value")
        _put(fields, key.strip().split("."), _value(value.strip()))
    return name.strip(), normal_trigger(name, {"kind": kind.strip(), **fields})


def _put(fields: dict[str, Any], keys: list[str], value: Any) -> None:
    for key in keys[:-1]:
        fields = fields.setdefault(key, {})
    fields[keys[-1]] = value


def _value(words: str) -> Any:
    try:
        return json.loads(words)
    except ValueError:
        return words


def _split(pairs: str) -> Iterator[str]:
    """Cut at commas that stand in no bracket and in no quotes."""
    depth, quote, start = 0, "", 0
    for place, char in enumerate(pairs):
        if quote:
            quote = "" if char == quote else quote
        elif char in "\"'":
            quote = char
        elif char in "[{(":
            depth += 1
        elif char in "]})":
            depth -= 1
        elif char == "," and depth == 0:
            yield pairs[start:place]
            start = place + 1
    if pairs[start:].strip():
        yield pairs[start:]


def normal_trigger(name: str, trigger: Any) -> dict[str, Any]:
    """Put every field where Nuclio reads it: at the top or among the attributes.

    Raises:
        DeployError: it is no mapping.
    """
    if not isinstance(trigger, Mapping):
        raise DeployError(
            f"trigger {name!r} is {trigger!r}, but must be a mapping with a kind"
        )
    top: dict[str, Any] = {}
    attributes: dict[str, Any] = {}
    kind, nested = trigger.get("kind"), trigger.get("attributes")
    if isinstance(kind, str):
        kind = ALIASES.get(kind, kind)
    own = KINDS.get(str(kind), {})
    for key, value in trigger.items():
        # v3ioItemPoller has a list of this name among its attributes.
        if key == "attributes" and isinstance(value, Mapping):
            continue
        if key == "maxWorkers":  # its old name, gone in Nuclio 1.15
            top["numWorkers"] = value
        elif (key in COMMON and key not in own) or key == "batch":
            top[key] = value
        else:
            attributes[key] = value
    if isinstance(nested, Mapping):
        attributes.update(nested)
    return {**top, "kind": kind, **({"attributes": attributes} if attributes else {})}


def trigger_problems(name: str, trigger: Mapping[str, Any]) -> list[str]:
    """List what is wrong with one trigger, in the words of its user.

    >>> trigger_problems("q", {"kind": "kafkaa"})
    ["trigger 'q': unknown kind 'kafkaa'; did you mean 'kafka'?"]
    >>> trigger_problems("t", {"kind": "cron", "attributes": {"interval": "5"}})
    ["trigger 't': interval is '5', but must be a duration with its unit, like '10s'"]
    """
    kind = trigger.get("kind")
    if kind not in [*KINDS]:
        near = did_you_mean(str(kind), [*KINDS, *ALIASES])
        hint = near or f" (known: {', '.join(KINDS)})"
        return [f"trigger {name!r}: unknown kind {kind!r}{hint}"]
    return [f"trigger {name!r}: {problem}" for problem in _problems(kind, trigger)]


def _problems(kind: str, trigger: Mapping[str, Any]) -> Iterator[str]:
    known = KINDS[kind]
    attributes = trigger.get("attributes", {})
    if not isinstance(attributes, Mapping):
        yield f"attributes is {attributes!r}, but must be a mapping"
        return
    for key, value in trigger.items():
        if key == "batch":
            yield "batch is not built yet; leave it out"
        elif key not in COMMON:
            yield f"{key} is not a field{did_you_mean(str(key), COMMON)}"
        else:
            yield from COMMON[key](value, key)
    for key, value in attributes.items():
        if key in known:
            yield from known[key](value, key)
        else:
            near = did_you_mean(str(key), [*known, *COMMON])
            yield f"{key} is not a field of a {kind} trigger{near}"
    given = {**attributes, "url": trigger.get("url")}  # beside the attributes
    for names in REQUIRED.get(kind, ()):
        if not any(given.get(key) for key in names.split("|")):
            yield f"a {kind} trigger needs {names.replace('|', ' or ')}"
    yield from _rules_between_fields(kind, trigger)


def _rules_between_fields(kind: str, trigger: Mapping[str, Any]) -> Iterator[str]:
    attributes = trigger.get("attributes", {})
    if kind == "cron" and attributes.get("interval") and attributes.get("schedule"):
        yield "a cron trigger takes interval or schedule, not both"
    schedule = attributes.get("schedule")
    words = schedule.split() if isinstance(schedule, str) else []
    if words and not words[0].startswith("@") and len(words) not in (5, 6):
        yield f"schedule {schedule!r} must have 5 fields, like '*/5 * * * *'"
    is_explicit = trigger.get("explicitAckMode") in ("enable", "explicitOnly")
    if is_explicit and attributes.get("workerAllocationMode", "pool") == "pool":
        yield (
            f"explicitAckMode {trigger['explicitAckMode']} does not work with"
            " workerAllocationMode pool; add workerAllocationMode=static"
        )
