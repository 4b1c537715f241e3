"""The API handler: which requests come in, what they carry, what goes out."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple
from urllib.parse import unquote

from jupyter_graph.answer.raw_response import RawResponse
from jupyter_graph.answer.response import Response, is_stream
from jupyter_graph.errors import (
    AccessDeniedError,
    BadRequestError,
    MethodNotAllowedError,
    NotFoundError,
)
from jupyter_graph.event import Event
from jupyter_graph.frontend.body_mappings import FieldMap, merged
from jupyter_graph.frontend.endpoint_routes import Match, Routes
from jupyter_graph.frontend.endpoints import METHODS
from jupyter_graph.frontend.handler_config import ApiHandlerConfig, api_handler_config
from jupyter_graph.frontend.interface import Exchange, is_over_http
from jupyter_graph.frontend.parameters import (
    URL_INFO,
    MappedBody,
    joined,
    split_path,
)
from jupyter_graph.types import NOTHING
from jupyter_graph.values.request_parts import RequestHeaders, query_parameters

_METHODS: Final = frozenset(METHODS)
_MAX_KNOWN: Final = 1024  # many templates may meet in many ways


class WrongMethodError(MethodNotAllowedError):
    """405: the path takes other methods; ``methods`` names them."""

    def __init__(
        self, message: str, *, methods: Sequence[str] = (), **more: Any
    ) -> None:
        super().__init__(message, **more)
        self.methods = tuple(methods)


class _Maps(NamedTuple):
    """What becomes of a request, and of its result."""

    input: FieldMap | None
    output: FieldMap | None


class ApiFrontend:
    """A front end made of endpoints, as MLRun's ``set_api_handler_config``.

    Args:
        config: an ``ApiHandlerConfig`` or its document.

    Raises:
        SpecError: the configuration is wrong; all problems are listed.

    State: none. Requests that came in before a change leave as they came in.

    Source: https://docs.mlrun.org/en/stable/serving/serving-graph.html

    >>> user = {"path": "/users/{id}", "http_method": "GET"}
    >>> frontend = ApiFrontend({"endpoints": {"GET:/users/{id}": user}})
    >>> event = Event(None, path="/users/7?full=yes", method="GET")
    >>> exchange = frontend.enter(event)
    >>> event.body, exchange.leave({"name": "ann"})
    ({'full': 'yes', 'id': '7'}, {'name': 'ann'})
    """

    def __init__(self, config: ApiHandlerConfig | Mapping[str, Any]) -> None:
        self.config = api_handler_config(config)
        self._routes = Routes(self.config.endpoints)
        self._known: dict[tuple[int, ...], _Maps] = {}

    def enter(self, event: Event) -> Exchange:
        """Let a request in.

        Raises:
            NotFoundError: no endpoint has this path.
            MethodNotAllowedError: none of those that have it takes this method.
            AccessDeniedError: the endpoint is forbidden.
            UnprocessableError: a mandatory field is not in the body.
            BadRequestError: the method is unknown, or a parameter has two values.
        """
        if not self.config.enabled or not is_over_http(event):
            return ApiExchange(None)
        return ApiExchange(self.maps(self.admit(event)).output)

    def admit(self, event: Event) -> Match:
        """Return the endpoint of a request; its body then holds the parameters.

        Raises:
            StatusError: as of ``enter``.
        """
        method = str(event.method).upper()
        if method not in _METHODS:
            raise BadRequestError(f"unsupported HTTP method: {event.method!r}")
        path, query = split_path(event.path) if _is_by_hand(event) else (event.path, "")
        if (match := self._routes.find(method, path)) is None:
            raise self._refusal(method, path)
        if match.endpoints[0].action == "forbid":
            raise AccessDeniedError(f"access forbidden to {method} {_shown(path)}")
        self._give_parameters(event, match, method, path, query)
        return match

    def _give_parameters(
        self, event: Event, match: Match, method: str, path: str, query: str
    ) -> None:
        body_map = self.maps(match).input
        from_body = (body_map.apply(event.body) if body_map else None) or {}
        from_query = query_parameters(query, event.fields)
        from_path = match.parameters
        if from_path and _is_by_hand(event):
            from_path = {name: unquote(value) for name, value in from_path.items()}
        parameters = joined(from_body, from_query, from_path)
        if self.config.include_url_info:
            parameters |= dict(zip(URL_INFO, (unquote(path), method), strict=True))
        if parameters:
            event.body = MappedBody(parameters, event.body, frozenset(from_query))

    def _refusal(self, method: str, path: str) -> Exception:
        if methods := self._routes.methods(path):
            return WrongMethodError(
                f"method not allowed: {method} {_shown(path)}; "
                f"the path takes {', '.join(methods)}",
                methods=methods,
            )
        return NotFoundError(f"endpoint not found: {method} {_shown(path)}")

    def maps(self, match: Match) -> _Maps:
        """Return the mappings of the endpoints of a request."""
        # Merging mappings is the costly part of a request; few combinations come up.
        key = tuple(map(id, match.endpoints))  # they live as long as the front end
        if (maps := self._known.get(key)) is None:
            ends = match.endpoints
            maps = _Maps(merged(ends, "input"), merged(ends, "output"))
            if len(self._known) < _MAX_KNOWN:
                self._known[key] = maps
        return maps

    def problem(
        self, error: BaseException, event: Event, response: RawResponse
    ) -> RawResponse:
        """Return the problem document; a 405 lists the methods of the path.

        Source: https://www.rfc-editor.org/rfc/rfc9110#section-15.5.6
        """
        if isinstance(error, WrongMethodError):
            response.headers["Allow"] = ", ".join(error.methods)
        return response


class ApiExchange:
    """One request behind an ``ApiFrontend``.

    Args:
        output: the mappings of its endpoints; None: results leave as they are.
    """

    __slots__ = ("_map",)

    def __init__(self, output: FieldMap | None) -> None:
        self._map = output

    def leave(self, value: Any, *, whole: bool = False) -> Any:
        """Return the fields of a result that the endpoint's mappings name.

        A stream, and a ``Response`` of status 300 or more, leave as they are.

        Raises:
            UnprocessableError: a mandatory field is not in the result.
        """
        return value if self._map is None else mapped(value, self._map)


def mapped(value: Any, output: FieldMap) -> Any:
    """Return a result, or the Response around it, with the fields of its mappings."""
    if is_response(value):
        if value.status_code >= 300 or is_stream(value):
            return value  # a redirect or an error is no result of the endpoint
        return with_body(value, mapped(value.body, output))
    if is_stream(value):
        return value
    fields = output.apply(None if value is NOTHING else value)
    return value if fields is None else fields


def is_response(value: Any) -> bool:
    """Tell whether a value has a status: our Response, Nuclio's or MLRun's."""
    return isinstance(value, Response) or (
        type(value).__name__ == "Response" and hasattr(value, "status_code")
    )


def with_body(response: Any, body: Any) -> Any:
    """Return a Response with another body, without the content type of the old one."""
    changed = copy.copy(response)
    changed.body = body
    if body is not response.body and not isinstance(body, str | bytes):
        changed.content_type = None
    return changed


def _shown(path: str) -> str:
    text = unquote(path)
    return text if len(text) <= 200 else f"{text[:199]}…"


def _is_by_hand(event: Event) -> bool:
    """Tell whether nobody has decoded the path yet: doing so twice makes A of %2541."""
    is_of_server = event.trigger is not None and bool(event.trigger.kind)
    return not (is_of_server or isinstance(event.headers, RequestHeaders))
