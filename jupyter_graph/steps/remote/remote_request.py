"""From an event to the HTTP request that a remote step sends for it."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from jupyter_graph.argument_checks import require, telling
from jupyter_graph.errors import (
    AccessDeniedError,
    BadRequestError,
    MethodNotAllowedError,
    SpecError,
)
from jupyter_graph.http_client.client import HttpRequest
from jupyter_graph.http_client.urls import check_headers, leads_upwards, plain_url
from jupyter_graph.spec.expressions import compile_expression
from jupyter_graph.spec.python_syntax import parse
from jupyter_graph.steps.remote.http_step import json_payload

METHODS = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")
WITHOUT_BODY = ("GET", "HEAD")


class RequestPlan:
    """Makes requests of bodies.

    Args:
        url: what is called; in ``url_expression`` it is ``endpoint``.
        subpath: what follows the URL, ``$path`` = the event's path.
        method: the HTTP method; by default the event's.
        headers: headers of every request.
        url_expression: computes the URL from the body, ``event`` in the expression.
        body_expression: computes the request's body from a body that is no text.
        headers_expression: computes the headers, instead of ``headers``.

    Raises:
        SpecError: there is no URL, or an argument has a wrong value.

    >>> plan = RequestPlan("http://models", body_expression="event['data']")
    >>> plan.request({"data": [1]}, method="POST").payload
    b'[1]'
    """

    def __init__(
        self,
        url: str | None = None,
        subpath: str | None = None,
        method: str | None = None,
        headers: Mapping[str, Any] | None = None,
        url_expression: str | None = None,
        body_expression: str | None = None,
        *,
        headers_expression: str | None = None,
    ) -> None:
        if not url and not url_expression:
            raise SpecError("url or url_expression must say what is called")
        self.endpoint = _endpoint(url) if url else ""
        self.method = None if method is None else _method(method)
        self.headers = _static(headers or {})
        self._url_of = _url_expression(url_expression, self.endpoint)
        self._body_of = compile_expression(body_expression) if body_expression else None
        self._headers_of = (
            compile_expression(headers_expression) if headers_expression else None
        )
        self._appends_path = subpath == "$path"
        if subpath and not self._appends_path:
            self.endpoint += "/" + _text("subpath", subpath).lstrip("/")

    @property
    def names_path(self) -> bool:
        """Whether the event's path goes along as a header: not with a computed URL."""
        return self._url_of is None

    def request(
        self, body: Any, *, method: str = "POST", path: str = ""
    ) -> HttpRequest:
        """Return the request for a body; its headers are not complete yet.

        Args:
            body: the event's body.
            method: the event's method.
            path: the event's path.

        Raises:
            BadRequestError: the path leads upwards, or a header cannot be sent.
            MethodNotAllowedError: 405, the event's method is none that is sent on.
        """
        used = self.method or method.upper() or "POST"
        if used not in METHODS:
            raise MethodNotAllowedError(f"{used!r:.40} is no method that is sent on")
        headers = dict(self.headers)
        if self._headers_of:
            headers = check_headers(self._headers_of(body))
        url = self._url_of(body) if self._url_of else self._url_with(path)
        if used in WITHOUT_BODY:
            return HttpRequest(used, url, headers)
        return HttpRequest(used, url, headers, self._payload(body, headers))

    def _url_with(self, path: str) -> str:
        if not self._appends_path:
            return self.endpoint
        if leads_upwards(path.partition("?")[0]):
            raise BadRequestError(f"the path {path!r:.80} leads upwards")
        return f"{self.endpoint}/{path.lstrip('/')}"

    def _payload(self, body: Any, headers: dict[str, str]) -> bytes | None:
        if body is None:
            return None
        if isinstance(body, str):
            return body.encode()
        if isinstance(body, bytes | bytearray | memoryview):
            return bytes(body)
        if self._body_of is not None:
            body = self._body_of(body)
        if "content-type" not in {name.lower() for name in headers}:
            headers["Content-Type"] = "application/json"
        return json_payload(body)


def checked_names(names: Iterable[str]) -> tuple[str, ...]:
    """Return the names of headers that go on from an event."""
    require(not isinstance(names, str), "forward_headers must be a list", names)
    return tuple(_static(dict.fromkeys(names, "")))


def _endpoint(url: Any) -> str:
    if isinstance(url, str) and "://" not in url:
        raise SpecError(
            f"url must be an http:// or https:// URL, got {url!r}; the name of an "
            "MLRun function is not looked up, give the function's URL"
        )
    with telling("url", AccessDeniedError):
        plain_url(url)
    return str(url).rstrip("/")


def _method(method: Any) -> str:
    upper = method.upper() if isinstance(method, str) else method
    require(upper in METHODS, f"method must be one of {', '.join(METHODS)}", method)
    return str(upper)


def _static(headers: Any) -> dict[str, str]:
    try:
        return check_headers(headers)
    except BadRequestError as error:
        raise SpecError(f"{error}") from None


def _text(what: str, value: Any) -> str:
    if not isinstance(value, str):
        raise SpecError(f"{what} must be a text, got {value!r:.80}")
    return value


def _url_expression(text: str | None, endpoint: str) -> Callable[[Any], Any] | None:
    """Return the function of an expression in which ``endpoint`` is the step's URL."""
    if text is None:
        return None
    try:
        tree = parse(_text("url_expression", text).strip(), "eval")
        text = ast.unparse(_Endpoint(endpoint).visit(tree))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        pass  # compile_expression says what is wrong with it
    return compile_expression(text)


class _Endpoint(ast.NodeTransformer):
    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return ast.Constant(self.endpoint) if node.id == "endpoint" else node
