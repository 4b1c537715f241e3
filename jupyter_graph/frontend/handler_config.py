"""The configuration of an API handler: its endpoints, their rules, and its documents.

Source: MLRun 1.12, ``APIHandlerConfig.to_dict`` and the serving spec it travels in.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Final

from jupyter_graph.errors import SpecError, did_you_mean
from jupyter_graph.frontend.endpoints import PARAMETER, Endpoint, FieldMapping, repeated


@dataclass(frozen=True, slots=True)
class ApiHandlerConfig:
    """All endpoints of a function.

    Args:
        endpoints: the endpoints.
        enabled: False lets every request through, as if there were no API handler.
        include_url_info: handlers also get ``mlrun_request_path`` and
            ``mlrun_request_method``.

    Raises:
        SpecError: endpoints contradict each other; all problems are listed.

    >>> ApiHandlerConfig((Endpoint("/chat"),)).to_dict()["endpoints"]
    {'POST:/chat': {'path': '/chat', 'http_method': 'POST', 'action': 'allow'}}
    """

    endpoints: tuple[Endpoint, ...] = ()
    enabled: bool = True
    include_url_info: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "endpoints", tuple(self.endpoints))
        problems = [problem for rule in RULES for problem in rule(self.endpoints)]
        for name in ("enabled", "include_url_info"):
            if not isinstance(getattr(self, name), bool):
                problems.append(f"{name} is true or false, got {getattr(self, name)!r}")
        SpecError.raise_all("invalid API handler", problems)

    def adding(self, *endpoints: Endpoint) -> ApiHandlerConfig:
        """Return a configuration with more endpoints; the same key is replaced."""
        table = {endpoint.key: endpoint for endpoint in (*self.endpoints, *endpoints)}
        return replace(self, endpoints=tuple(table.values()))

    def to_dict(self) -> dict[str, Any]:
        """Return the configuration as MLRun stores it at ``api_handler_config``."""
        return {
            "enabled": self.enabled,
            "endpoints": {each.key: _endpoint_dict(each) for each in self.endpoints},
            "include_url_info": self.include_url_info,
        }


def _endpoint_dict(endpoint: Endpoint) -> dict[str, Any]:

    document = asdict(endpoint)
    for name in ("input_body_mappings", "output_body_mappings"):
        document[name] = document[name] and {"mappings": list(document[name])}
    return {name: value for name, value in document.items() if value}


# -- rules ------------------------------------------------------------------------


def keys_are_unique(endpoints: tuple[Endpoint, ...]) -> Iterator[str]:
    for key, count in repeated(endpoint.key for endpoint in endpoints):
        yield f"{count} endpoints are {key!r}"


def paths_do_not_overlap(endpoints: tuple[Endpoint, ...]) -> Iterator[str]:
    """``/a/{x}`` and ``/a/{y}`` are the same paths."""
    seen: dict[tuple[str, str], Endpoint] = {}
    for endpoint in endpoints:
        shape = PARAMETER.sub("{}", endpoint.path)
        first = seen.setdefault((endpoint.http_method, shape), endpoint)
        if first.path != endpoint.path:
            yield (
                f"endpoints {first.key!r} and {endpoint.key!r} match the same set of "
                "paths"
            )


def names_come_from_one_place(endpoints: tuple[Endpoint, ...]) -> Iterator[str]:
    """A name in the path may not be that of a value from the body."""
    for endpoint in endpoints:
        for other in endpoints:
            covers = endpoint.parameters and _covers(other, endpoint)
            mappings = other.input_body_mappings if covers else ()
            names = {one.destination_path for one in mappings}
            for name in sorted(names.intersection(endpoint.parameters)):
                yield (
                    f"endpoint {endpoint.key!r}: {name!r} is a parameter of the path "
                    f"and a destination_path of {other.key!r}; rename one of them"
                )


def _covers(other: Endpoint, endpoint: Endpoint) -> bool:
    prefix = other.prefix
    is_above = prefix is not None and endpoint.path.startswith(prefix)
    is_met = other is endpoint or is_above
    return is_met and other.http_method == endpoint.http_method


RULES = (keys_are_unique, paths_do_not_overlap, names_come_from_one_place)


# -- documents --------------------------------------------------------------------

_OF_CONFIG: Final = tuple(field.name for field in fields(ApiHandlerConfig))
_OF_ENDPOINT: Final = tuple(field.name for field in fields(Endpoint))
_OF_MAPPING: Final = tuple(field.name for field in fields(FieldMapping))


def api_handler_config(document: Any) -> ApiHandlerConfig:
    """Return the configuration of a document.

    Args:
        document: a mapping as MLRun writes it, an ``ApiHandlerConfig``, or an object
            whose ``to_dict()`` gives such a mapping.

    Raises:
        SpecError: the document has a wrong shape, unknown fields or wrong values; all
            problems are listed.

    >>> document = {"endpoints": {"GET:/a": {"path": "/a", "http_method": "GET"}}}
    >>> api_handler_config(document).endpoints[0].key
    'GET:/a'
    """
    if isinstance(document, ApiHandlerConfig):
        return document
    if callable(to_dict := getattr(document, "to_dict", None)):
        document = to_dict()
    reader = _Reader()
    values = reader.config(document)
    SpecError.raise_all("invalid API handler", reader.problems)
    return ApiHandlerConfig(**values)


class _Reader:
    """Reads one document and collects everything that is wrong with it."""

    def __init__(self) -> None:
        self.problems: list[str] = []

    def config(self, document: Any) -> dict[str, Any]:
        if not self.is_object(document, _OF_CONFIG, "an API handler"):
            return {}
        values = {
            name: document[name]
            for name in ("enabled", "include_url_info")
            if document.get(name) is not None
        }
        endpoints = document.get("endpoints") or {}
        if not isinstance(endpoints, Mapping):
            self.problems.append(
                "field 'endpoints' is an object of METHOD:path and endpoints, "
                f"got {endpoints!r}"
            )
            return values
        read = [self.endpoint(key, value) for key, value in endpoints.items()]
        values["endpoints"] = tuple(one for one in read if one is not None)
        return values

    def endpoint(self, key: Any, document: Any) -> Endpoint | None:
        where = f"endpoint {key!r}"
        if isinstance(document, Endpoint):
            return document
        if not self.is_object(document, _OF_ENDPOINT, where, ("path", "http_method")):
            return None
        values = {name: document[name] for name in _OF_ENDPOINT if name in document}
        values["action"] = values.get("action") or "allow"
        for name in ("input_body_mappings", "output_body_mappings"):
            place = f"{name} of {where}"
            values[name] = tuple(self.mappings(document.get(name), place))
        try:
            endpoint = Endpoint(**values)
        except SpecError as error:
            self.problems += error.problems
            return None
        if endpoint.key != _key(key):
            self.problems.append(
                f"{where} is {endpoint.key!r} by its path and http_method; write that"
            )
        return endpoint

    def mappings(self, document: Any, where: str) -> Iterator[FieldMapping]:
        if isinstance(document, Mapping):
            self.is_object(document, ("mappings",), where)
            document = document.get("mappings")
        for position, row in enumerate(_rows(document)):
            place = f"{where}, mapping {position + 1}"
            if isinstance(row, FieldMapping):
                yield row
            elif self.is_object(row, _OF_MAPPING, place, _OF_MAPPING[:2]):
                given = {key: row[key] for key in _OF_MAPPING if key in row}
                try:
                    yield FieldMapping(**given)
                except SpecError as error:
                    self.problems += [f"{place}: {text}" for text in error.problems]

    def is_object(
        self,
        value: Any,
        known: tuple[str, ...],
        where: str,
        needed: tuple[str, ...] = (),
    ) -> bool:
        """Note what is wrong with the keys of an object.

        Returns:
            Whether it is one and has all the fields that are needed.
        """
        if not isinstance(value, Mapping):
            self.problems.append(f"{where} is an object of fields, got {value!r}")
            return False
        self.problems += unknown_fields(value, known, where)
        if missing := [repr(name) for name in needed if name not in value]:
            self.problems.append(f"{where} needs the field {' and '.join(missing)}")
        return not missing


def unknown_fields(
    document: Mapping[Any, Any], known: tuple[str, ...], where: str
) -> list[str]:
    """Return what is wrong with the keys of an object that takes only some."""
    return [
        f"{where} has an unknown field {key!r}{did_you_mean(str(key), known)}"
        for key in document
        if key not in known
    ]


def _rows(document: Any) -> list[Any]:
    if document is None:
        return []
    return list(document) if isinstance(document, list | tuple) else [document]


def _key(key: Any) -> str:
    method, colon, path = str(key).partition(":")
    path = path if path.startswith("/") else f"/{path}"
    return f"{method.upper()}:{path}" if colon else str(key)
