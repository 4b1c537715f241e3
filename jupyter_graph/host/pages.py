"""The host's own pages beside the graph: health, metrics, OpenAPI."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, get_type_hints

from jupyter_graph.answer.raw_response import TEXT, RawResponse
from jupyter_graph.compile.typed_body import is_made
from jupyter_graph.host.metrics import TICK_S
from jupyter_graph.host.metrics import page as metrics_page
from jupyter_graph.run.runner import Runner
from jupyter_graph.spec.subgraphs import own_name
from jupyter_graph.spec.topology import roots
from jupyter_graph.values.decode import JSON

_SCHEMAS: dict[Any, dict[str, str]] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    dict: {"type": "object"},
    list: {"type": "array"},
}
_MODEL_PATHS = ("infer", "predict", "explain")


def pages(
    runner: Runner | None, name: str
) -> dict[str, Callable[[], RawResponse | Awaitable[RawResponse]]]:
    """Return path → page; a worker that answers is alive, and ready with its models."""
    alive = json.dumps({"status": "ok", "function": name}).encode()
    health = partial(RawResponse, alive, 200, JSON)
    document = json.dumps(openapi(runner, name)).encode()

    async def metrics() -> RawResponse:
        await asyncio.sleep(2 * TICK_S)  # by then every worker has written its counts
        text, content_type = metrics_page()
        return RawResponse(text, 200, content_type)

    def ready() -> RawResponse:
        waiting = [] if runner is None else runner.not_ready()
        if not waiting:
            return health()
        text = json.dumps({"status": "loading", "steps": waiting}).encode()
        return RawResponse(text, 503, JSON)

    return {
        "/healthz": health,
        "/readyz": ready,
        "/__internal/health": lambda: RawResponse(b"", 200, TEXT),
        "/metrics": metrics,
        "/openapi.json": lambda: RawResponse(document, 200, JSON),
    }


def openapi(runner: Runner | None, name: str) -> dict[str, Any]:
    """Return the OpenAPI document of a graph; types come from its steps' hints."""
    paths: dict[str, Any] = {"/": {"post": _operation(name, {}, {})}}
    if runner is not None and runner.spec.router is not None:
        for model in map(own_name, runner.spec.router.routes):
            for operation in _MODEL_PATHS:
                path = f"/v2/models/{model}/{operation}"
                paths[path] = {"post": _operation(f"{model} {operation}", {}, {})}
    elif runner is not None:
        paths = {"/": {"post": _operation(name, *_schemas(runner))}}
    if runner is not None and (config := runner.endpoints) is not None:
        from jupyter_graph.frontend.openapi import api_paths

        paths = api_paths(config)
    return {
        "openapi": "3.1.0",
        "info": {"title": name, "version": "1"},
        "paths": paths,
    }


def _operation(
    summary: str, takes: dict[str, Any], gives: dict[str, Any]
) -> dict[str, Any]:
    problem = {"application/problem+json": {"schema": {"type": "object"}}}
    return {
        "summary": summary,
        "requestBody": {"content": {JSON: {"schema": takes}}},
        "responses": {
            "200": {"description": "answer", "content": {JSON: {"schema": gives}}},
            "default": {"description": "failure", "content": problem},
        },
    }


def _schemas(runner: Runner) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the schemas of the first step's body and of the responder's result."""
    compiled = runner.compiled
    first = roots(runner.spec)
    step = compiled.steps[first[0]] if len(first) == 1 else None
    takes = _hints(step) if step is not None else {}
    responder = compiled.responder
    gives = _hints(compiled.steps[responder]) if responder else {}
    body = next((hint for key, hint in takes.items() if key != "return"), None)
    body = step.takes if step is not None and step.takes is not None else body
    return _schema(body), _schema(gives.get("return"))


def _hints(step: Any) -> dict[str, Any]:
    code = getattr(step, "code", None)
    method = getattr(code, "do", code)
    try:
        hints = get_type_hints(method)
    except Exception:  # a hint may name what the function does not carry
        return {}
    return {key: hint for key, hint in hints.items() if key not in ("self", "context")}


def _schema_of_pydantic(hint: Any) -> dict[str, Any]:
    from pydantic import TypeAdapter

    from jupyter_graph.run.built_steps.typed_call import modern

    try:
        return TypeAdapter(modern(hint)).json_schema()
    except Exception:  # a type of the user's own has none
        return {}


def _schema(hint: Any) -> dict[str, Any]:
    """Return the JSON schema of a type hint, empty where there is no simple one.

    >>> _schema(dict[str, int]), _schema(float), _schema(object)
    ({'type': 'object'}, {'type': 'number'}, {})
    """
    if is_made(hint):
        return _schema_of_pydantic(hint)
    kind = getattr(hint, "__origin__", hint)
    try:
        return dict(_SCHEMAS.get(kind, {}))
    except TypeError:
        return {}
