"""Reads MLRun's ``api_handler_config`` documents; nothing is imported.

Source: MLRun 1.12, ``APIHandlerConfig.to_dict`` and the serving spec it travels in.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Any, Final

from jupyter_graph.errors import SpecError, did_you_mean
from jupyter_graph.frontend.endpoints import Endpoint, FieldMapping
from jupyter_graph.frontend.handler_config import ApiHandlerConfig

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
                continue
            if not self.is_object(row, _OF_MAPPING, place, _OF_MAPPING[:2]):
                continue
            try:
                yield FieldMapping(
                    **{key: row[key] for key in _OF_MAPPING if key in row}
                )
            except SpecError as error:
                self.problems += [f"{place}: {problem}" for problem in error.problems]

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
        missing = [repr(name) for name in needed if name not in value]
        if missing:
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
