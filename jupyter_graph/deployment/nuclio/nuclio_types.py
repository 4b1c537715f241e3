"""The kinds of values that a field of a function's configuration may hold.

A kind is a function ``(value, path) -> list of problems``; an empty list means
that the value is right.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from jupyter_graph.errors import did_you_mean

Kind = Callable[[Any, str], list[str]]

SECONDS = {
    "ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0,
}  # fmt: skip
DURATION = re.compile(r"(?=.*[a-zµ])((\d+(\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h))+")
CPU = re.compile(r"\d+m|\d+(\.\d+)?")
MEMORY = re.compile(r"\d+(\.\d+)?(Ki|Mi|Gi|Ti|Pi|k|M|G|T|P)?")
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\n]")


def anything(value: Any, path: str) -> list[str]:
    """Accept whatever YAML and JSON can say."""
    return []


def _wrong(value: Any, path: str, right: str) -> list[str]:
    return [f"{path} is {value!r}, but must be {right}"]


def text(value: Any, path: str) -> list[str]:
    r"""Accept one line of text.

    >>> text("a\nb", "spec.description")
    ["spec.description is 'a\\nb', but must be one line of text"]
    """
    if isinstance(value, str) and not CONTROL.search(value):
        return []
    return _wrong(value, path, "one line of text")


def flag(value: Any, path: str) -> list[str]:
    """Accept true and false."""
    return [] if isinstance(value, bool) else _wrong(value, path, "true or false")


def duration(value: Any, path: str) -> list[str]:
    """Accept a Go duration, which always has a unit.

    >>> duration("10s", "spec.eventTimeout"), duration("1m30s", "spec.eventTimeout")
    ([], [])
    >>> duration("10", "spec.eventTimeout")
    ["spec.eventTimeout is '10', but must be a duration with its unit, like '10s'"]
    """
    if isinstance(value, str) and DURATION.fullmatch(value):
        return []
    return _wrong(value, path, "a duration with its unit, like '10s'")


def seconds_of(text: str) -> float:
    """Return the seconds of a Go duration.

    >>> seconds_of("1m30s"), seconds_of("250ms")
    (90.0, 0.25)
    """
    parts = re.findall(r"(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h)", text)
    return sum(float(number) * SECONDS[unit] for number, unit in parts)


def cpu(value: Any, path: str) -> list[str]:
    """Accept a CPU quantity of Kubernetes: ``"250m"``, ``"0.5"``, ``2``."""
    if not isinstance(value, bool) and CPU.fullmatch(str(value)):
        return []
    return _wrong(value, path, "an amount of CPU, like '250m' or '0.5'")


def memory(value: Any, path: str) -> list[str]:
    """Accept a memory quantity of Kubernetes.

    >>> memory("128Mi", "memory")
    []
    >>> memory("128MB", "memory")
    ["memory is '128MB', but must be an amount of memory, like '128Mi' or '1Gi'"]
    """
    if not isinstance(value, bool) and MEMORY.fullmatch(str(value)):
        return []
    return _wrong(value, path, "an amount of memory, like '128Mi' or '1Gi'")


def integer(low: int, high: int | None = None) -> Kind:
    """Return the kind of whole numbers from ``low`` to ``high``, both included.

    >>> integer(1, 65535)(0, "port")
    ['port is 0, but must be a whole number from 1 to 65535']
    """
    right = f"from {low}" + ("" if high is None else f" to {high}")

    def check(value: Any, path: str) -> list[str]:
        is_whole = isinstance(value, int) and not isinstance(value, bool)
        if is_whole and value >= low and (high is None or value <= high):
            return []
        return _wrong(value, path, f"a whole number {right}")

    return check


def one_of(*words: Any) -> Kind:
    """Return the kind that accepts exactly these words.

    >>> one_of("enable", "disable")("enabel", "mode")
    ["mode is 'enabel', but must be one of enable, disable; did you mean 'enable'?"]
    """

    def check(value: Any, path: str) -> list[str]:
        if any(value == word and type(value) is type(word) for word in words):
            return []
        near = did_you_mean(str(value), [str(word) for word in words])
        listed = ", ".join(str(word) for word in words)
        return _wrong(value, path, f"one of {listed}{near}")

    return check


def either(*kinds: Kind) -> Kind:
    """Return the kind that accepts what one of the kinds accepts."""

    def check(value: Any, path: str) -> list[str]:
        found = [kind(value, path) for kind in kinds]
        return [] if [] in found else found[0]

    return check


def list_of(kind: Kind) -> Kind:
    """Return the kind of lists whose items are of ``kind``."""

    def check(value: Any, path: str) -> list[str]:
        if not isinstance(value, list | tuple):
            return _wrong(value, path, "a list")
        return [
            problem
            for number, item in enumerate(value)
            for problem in kind(item, f"{path}[{number}]")
        ]

    return check


def map_of(kind: Kind) -> Kind:
    """Return the kind of mappings from text to ``kind``."""

    def check(value: Any, path: str) -> list[str]:
        if not isinstance(value, Mapping):
            return _wrong(value, path, "a mapping of names to values")
        return [
            problem
            for key, item in value.items()
            for problem in [*text(key, f"{path} key"), *kind(item, f"{path}.{key}")]
        ]

    return check


def record(
    fields: Mapping[str, Kind], *, required: tuple[str, ...] = (), what: str = "field"
) -> Kind:
    """Return the kind of mappings with exactly these fields, all of them optional.

    >>> record({"host": text})({"hosst": "a"}, "ingress")
    ["ingress.hosst is not a field; did you mean 'host'?"]
    """

    def check(value: Any, path: str) -> list[str]:
        if not isinstance(value, Mapping):
            return _wrong(value, path, "a mapping of fields to values")
        problems = [
            f"{path}.{name} is missing" for name in required if name not in value
        ]
        for name, item in value.items():
            if name in fields:
                problems += fields[name](item, f"{path}.{name}")
            else:
                near = did_you_mean(str(name), fields)
                problems.append(f"{path}.{name} is not a {what}{near}")
        return problems

    return check
