"""The kinds of values that a field of a function's configuration may hold.

A kind is a function ``(value, path) -> list of problems``; an empty list means
that the value is right.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any

from jupyter_graph.argument_checks import is_count
from jupyter_graph.errors import did_you_mean

Kind = Callable[[Any, str], list[str]]

SECONDS = {
    "ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0,
}  # fmt: skip
DURATION = re.compile(r"(?=.*[a-zµ])((\d+(\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h))+")
CPU = re.compile(r"\d+m|\d+(\.\d+)?")
MEMORY = re.compile(r"\d+(\.\d+)?(Ki|Mi|Gi|Ti|Pi|k|M|G|T|P)?")
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\n]")


def kind(is_right: Callable[[Any], object], right: str) -> Kind:
    """Return the kind of the values for which ``is_right`` holds.

    Args:
        is_right: what is true of a right value.
        right: what a value must be, for the message.

    >>> kind(str.isupper, "in capitals")("a", "name")
    ["name is 'a', but must be in capitals"]
    """

    def check(value: Any, path: str) -> list[str]:
        return [] if is_right(value) else [f"{path} is {value!r}, but must be {right}"]

    return check


def matches(pattern: re.Pattern[str], right: str) -> Kind:
    """Return the kind of texts that a pattern describes as a whole."""
    return kind(
        lambda value: isinstance(value, str) and pattern.fullmatch(value), right
    )


def _amount(pattern: re.Pattern[str], right: str) -> Kind:
    """Return the kind of a quantity of Kubernetes, which may be a number too."""
    return kind(
        lambda value: not isinstance(value, bool) and pattern.fullmatch(str(value)),
        right,
    )


def is_whole(value: Any, low: int, high: float = math.inf) -> bool:
    """Return whether a value is a whole number from ``low`` to ``high``, both included.

    >>> is_whole(1, 1), is_whole(True, 0), is_whole(2, 0, 1)
    (True, False, False)
    """
    return is_count(value, low) and value <= high


def integer(low: int, high: float = math.inf) -> Kind:
    """Return the kind of whole numbers from ``low`` to ``high``, both included.

    >>> integer(1, 65535)(0, "port")
    ['port is 0, but must be a whole number from 1 to 65535']
    """
    upto = "" if high == math.inf else f" to {high}"
    right = f"a whole number from {low}{upto}"
    return kind(lambda value: is_whole(value, low, high), right)


anything = kind(lambda _: True, "anything")
text = kind(
    lambda value: isinstance(value, str) and not CONTROL.search(value),
    "one line of text",
)
flag = kind(lambda value: isinstance(value, bool), "true or false")
duration = matches(DURATION, "a duration with its unit, like '10s'")
"""Of Go, which always has a unit."""
cpu = _amount(CPU, "an amount of CPU, like '250m' or '0.5'")
memory = _amount(MEMORY, "an amount of memory, like '128Mi' or '1Gi'")
A_LIST = kind(lambda value: isinstance(value, list | tuple), "a list")
NAMES = kind(lambda value: isinstance(value, Mapping), "a mapping of names to values")
FIELDS = kind(lambda value: isinstance(value, Mapping), "a mapping of fields to values")


def seconds_of(text: str) -> float:
    """Return the seconds of a Go duration.

    >>> seconds_of("1m30s"), seconds_of("250ms")
    (90.0, 0.25)
    """
    parts = re.findall(r"(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h)", text)
    return sum(float(number) * SECONDS[unit] for number, unit in parts)


def one_of(*words: Any) -> Kind:
    """Return the kind that accepts exactly these words.

    >>> one_of("enable", "disable")("enabel", "mode")
    ["mode is 'enabel', but must be one of enable, disable; did you mean 'enable'?"]
    """

    def check(value: Any, path: str) -> list[str]:
        if any(value == word and type(value) is type(word) for word in words):
            return []
        texts = [str(word) for word in words]
        near = did_you_mean(str(value), texts)
        return [f"{path} is {value!r}, but must be one of {', '.join(texts)}{near}"]

    return check


def either(*kinds: Kind) -> Kind:
    """Return the kind that accepts what one of the kinds accepts."""

    def check(value: Any, path: str) -> list[str]:
        problems = [kind(value, path) for kind in kinds]
        return [] if [] in problems else problems[0]

    return check


def list_of(kind: Kind) -> Kind:
    """Return the kind of lists whose items are of ``kind``."""

    def check(value: Any, path: str) -> list[str]:
        return A_LIST(value, path) or [
            problem
            for number, item in enumerate(value)
            for problem in kind(item, f"{path}[{number}]")
        ]

    return check


def map_of(kind: Kind) -> Kind:
    """Return the kind of mappings from text to ``kind``."""

    def check(value: Any, path: str) -> list[str]:
        return NAMES(value, path) or [
            problem
            for key, item in value.items()
            for problem in [*text(key, f"{path} key"), *kind(item, f"{path}.{key}")]
        ]

    return check


def each(kind: Kind, names: str) -> dict[str, Kind]:
    """Return fields of one kind, their names parted by spaces.

    >>> sorted(each(flag, "noCache offline"))
    ['noCache', 'offline']
    """
    return dict.fromkeys(names.split(), kind)


def record(fields: Mapping[str, Kind], *, required: tuple[str, ...] = ()) -> Kind:
    """Return the kind of mappings with exactly these fields, all of them optional.

    >>> record({"host": text})({"hosst": "a"}, "ingress")
    ["ingress.hosst is not a field; did you mean 'host'?"]
    """

    def check(value: Any, path: str) -> list[str]:
        if problems := FIELDS(value, path):
            return problems
        problems = [
            f"{path}.{name} is missing" for name in required if name not in value
        ]
        for name, item in value.items():
            if name in fields:
                problems += fields[name](item, f"{path}.{name}")
            else:
                near = did_you_mean(str(name), fields)
                problems.append(f"{path}.{name} is not a field{near}")
        return problems

    return check
