"""The OpenAPI description of endpoints, for ``/openapi.json``."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, Final

from jupyter_graph.answer.problem import PROBLEM
from jupyter_graph.frontend.endpoints import Endpoint, FieldMapping
from jupyter_graph.frontend.jsonpath import json_path
from jupyter_graph.values.decode import JSON

_BODILESS: Final = frozenset(("GET", "HEAD", "DELETE", "OPTIONS", "TRACE"))
_KNOWN: Final = frozenset((*_BODILESS, "POST", "PUT", "PATCH"))
_REST: Final = "rest"


def api_paths(endpoints: Sequence[Endpoint]) -> dict[str, Any]:
    """Return the ``paths`` of an OpenAPI 3.1 document, without forbidden endpoints.

    A path that ends with ``*`` ends with the parameter ``rest`` here: OpenAPI has no
    word for what may hold slashes.

    Source: https://spec.openapis.org/oas/v3.1.0

    >>> api_paths([Endpoint("/users/{id}", "GET", description="one user")]).keys()
    dict_keys(['/users/{id}'])
    """
    paths: dict[str, Any] = {}
    for one in endpoints:
        if one.action == "allow" and one.http_method in _KNOWN:
            path = one.path if one.prefix is None else f"{one.prefix}{{{_REST}}}"
            paths.setdefault(path, {})[one.http_method.lower()] = _operation(one)
    return paths


def _operation(endpoint: Endpoint) -> dict[str, Any]:
    operation: dict[str, Any] = {"summary": endpoint.description or endpoint.key}
    if names := (*endpoint.parameters, *((_REST,) if endpoint.prefix else ())):
        text = {"type": "string"}
        operation["parameters"] = [
            {"name": name, "in": "path", "required": True, "schema": text}
            for name in names
        ]
    if endpoint.http_method not in _BODILESS:
        mappings = endpoint.input_body_mappings
        operation["requestBody"] = {
            "content": {JSON: {"schema": _taken(mappings)}},
            "required": any(one.mandatory for one in mappings),
        }
    answer = {JSON: {"schema": _given(endpoint.output_body_mappings)}}
    responses: dict[str, Any] = {"200": {"description": "answer", "content": answer}}
    for status in (400, 422) if endpoint.input_body_mappings else (400,):
        responses[str(status)] = _problem(HTTPStatus(status).phrase)
    operation["responses"] = {**responses, "default": _problem("failure")}
    return operation


def _problem(description: str) -> dict[str, Any]:
    content = {PROBLEM: {"schema": {"type": "object"}}}
    return {"description": description, "content": content}


def _taken(mappings: Sequence[FieldMapping]) -> dict[str, Any]:
    """Return the schema of a request: the places that plain expressions name."""
    schema: dict[str, Any] = {}
    for one in mappings:
        if (keys := json_path(one.source_path).keys) is None:
            continue  # ``$..name`` and the like name no one place
        place = schema
        for key in keys:
            place["type"] = "object"
            required = place.get("required", [])
            if one.mandatory and key not in required:
                place["required"] = [*required, key]
            place = place.setdefault("properties", {}).setdefault(key, {})
    return schema


def _given(mappings: Sequence[FieldMapping]) -> dict[str, Any]:
    """Return the schema of an answer: every mapped field is there."""
    if not (names := [one.destination_path for one in mappings]):
        return {}
    properties: dict[str, Any] = {name: {} for name in names}
    return {"type": "object", "properties": properties, "required": names}
