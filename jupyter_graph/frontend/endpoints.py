"""One endpoint of an API handler, checked where it is written."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from http import HTTPMethod
from typing import Any, Final, Literal

from jupyter_graph.errors import SpecError, did_you_mean
from jupyter_graph.frontend.jsonpath import json_path

Action = Literal["allow", "forbid"]

ACTIONS: Final = ("allow", "forbid")
METHODS: Final = tuple(method.value for method in HTTPMethod)
PARAMETER: Final = re.compile(r"\{([^{}]*)\}")


@dataclass(frozen=True, slots=True)
class FieldMapping:
    """One field's way from a request into the graph, or from its result out.

    Args:
        source_path: JSONPath of the value: in the request's body (input), in the
            graph's result (output).
        destination_path: the parameter of the handler (input), the field of the answer
            (output).
        mandatory: a body without the field is refused with 422.

    Raises:
        SpecError: a path is empty or no JSONPath.

    >>> FieldMapping("$.model", "model", mandatory=True).destination_path
    'model'
    """

    source_path: str
    destination_path: str
    mandatory: bool = False

    def __post_init__(self) -> None:
        SpecError.raise_all("invalid body mapping", self._problems())

    def _problems(self) -> Iterator[str]:
        for name in ("source_path", "destination_path"):
            value = getattr(self, name)
            if not isinstance(value, str) or not value:
                yield f"{name} of a body mapping is a text, got {value!r}"
            elif name == "source_path":
                try:
                    json_path(value)
                except SpecError as error:
                    yield f"source_path of {self.destination_path!r}: {error}"
        if not isinstance(self.mandatory, bool):
            yield f"mandatory is true or false, got {self.mandatory!r}"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One path and method that the API has, or refuses.

    Args:
        path: ``/users/{id}`` (a parameter stands for what is between two slashes) or
            ``/files/*`` (everything below).
        http_method: GET, POST …
        action: ``allow`` or ``forbid``.
        description: for ``/openapi.json``.
        input_body_mappings: what of the request's body becomes a parameter.
        output_body_mappings: what of the result becomes the answer; none: all of it.

    Raises:
        SpecError: a value is wrong; all problems are listed.

    >>> Endpoint("items/{id}", "get").key
    'GET:/items/{id}'
    """

    path: str
    http_method: str = "POST"
    action: Action = "allow"
    description: str | None = None
    input_body_mappings: tuple[FieldMapping, ...] = ()
    output_body_mappings: tuple[FieldMapping, ...] = ()

    def __post_init__(self) -> None:
        def put(name: str, value: Any) -> None:
            object.__setattr__(self, name, value)  # the dataclass is frozen

        if isinstance(self.path, str) and not self.path.startswith("/"):
            put("path", f"/{self.path}")
        if isinstance(self.http_method, str):
            put("http_method", str(self.http_method).upper())
        if isinstance(self.action, str):
            put("action", str(self.action).lower())
        for name in ("input_body_mappings", "output_body_mappings"):
            put(name, tuple(getattr(self, name) or ()))
        SpecError.raise_all(f"invalid endpoint {self.path!r}", self._problems())

    @property
    def key(self) -> str:
        """``METHOD:path``, the endpoint's key in a stored configuration."""
        return f"{self.http_method}:{self.path}"

    @property
    def parameters(self) -> tuple[str, ...]:
        """The names that stand in braces."""
        return tuple(PARAMETER.findall(self.path))

    @property
    def prefix(self) -> str | None:
        """What a path below ``*`` begins with; None where the path has no ``*``."""
        if not self.path.endswith("*"):
            return None
        return self.path[:-1].removesuffix("/") + "/"

    def _problems(self) -> Iterator[str]:
        if not isinstance(self.path, str):
            yield f"path is a text, got {self.path!r}"
            return
        where = f"endpoint {self.path!r}"
        yield from (f"{where}: {problem}" for problem in self._of_path())
        if self.http_method not in METHODS:
            near = did_you_mean(str(self.http_method), METHODS)
            known = ", ".join(METHODS)
            yield f"{where}: unknown method {self.http_method!r}{near} (known: {known})"
        if self.action not in ACTIONS:
            near = did_you_mean(str(self.action), ACTIONS)
            yield f"{where}: action is 'allow' or 'forbid', got {self.action!r}{near}"
        for name in ("input_body_mappings", "output_body_mappings"):
            yield from (f"{where}: {one}" for one in _clashes(getattr(self, name)))

    def _of_path(self) -> Iterator[str]:
        if "*" in self.path[:-1]:
            yield "* stands for all that follows, so only once and at the end"
        if not {"{", "}"}.isdisjoint(PARAMETER.sub("", self.path)):
            yield "braces do not match"
        for name, count in Counter(self.parameters).items():
            if not name.isidentifier():
                yield f"a parameter is a Python name, got {name!r}"
            if count > 1:
                yield f"parameter {name!r} stands there {count} times"
        if self.parameters and self.path.endswith("*"):
            yield "a path that ends with * takes no {parameters}"


def _clashes(mappings: tuple[FieldMapping, ...]) -> Iterator[str]:
    for name in ("source_path", "destination_path"):
        for value, count in repeated(getattr(one, name) for one in mappings):
            yield f"{count} body mappings have the {name} {value!r}"


def repeated(values: Iterable[str]) -> list[tuple[str, int]]:
    """Return what comes more than once, and how often.

    >>> repeated("abba")
    [('a', 2), ('b', 2)]
    """
    return [(value, count) for value, count in Counter(values).items() if count > 1]
