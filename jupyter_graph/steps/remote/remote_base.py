"""The base of remote steps: from an event to the answer of a service."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from jupyter_graph.errors import StatusError
from jupyter_graph.http_client.client import HttpRequest
from jupyter_graph.http_client.retry import RetryableError, RetryPolicy, asked_wait_s
from jupyter_graph.http_client.secrets import secret_headers_of
from jupyter_graph.http_client.urls import check_headers, plain_url, shown_url
from jupyter_graph.steps.remote.http_bodies import content_of, excerpt
from jupyter_graph.steps.remote.http_step import HttpStep
from jupyter_graph.steps.remote.propagation import attempt_headers, forwarded
from jupyter_graph.steps.remote.remote_request import RequestPlan, checked_names

RETRIES = 6
BACKOFF_S = 1.0


class Remote(HttpStep):
    """Asks a service, again where that may help; the base of remote steps."""

    def __init__(
        self,
        url: str | None = None,
        subpath: str | None = None,
        method: str | None = None,
        headers: Mapping[str, Any] | None = None,
        url_expression: str | None = None,
        body_expression: str | None = None,
        return_json: bool = True,
        *,
        max_in_flight: int | None = None,
        retries: int | None = None,
        backoff_factor: float | None = None,
        timeout: float | None = None,
        headers_expression: str | None = None,
        allow_hosts: Iterable[str] = (),
        forward_headers: Iterable[str] = (),
        secret_headers: Mapping[str, str] | None = None,
        verify: bool = True,
        name: str = "RemoteStep",
        context: Any = None,
    ) -> None:
        self._requests = RequestPlan(
            url,
            subpath=subpath,
            method=method,
            headers=headers,
            url_expression=url_expression,
            body_expression=body_expression,
            headers_expression=headers_expression,
        )
        self._retries = RetryPolicy(
            RETRIES if retries is None else retries,
            BACKOFF_S if backoff_factor is None else backoff_factor,
            timeout,
        )
        super().__init__(
            self._requests.endpoint,
            max_in_flight=max_in_flight,
            allow_hosts=allow_hosts,
            verify=verify,
            name=name,
            context=context,
        )
        self.return_json = return_json
        self._forward = checked_names(forward_headers)
        # a parity check has no secrets, and sends nothing
        secrets = {} if self.is_cut_off else secret_headers or {}
        self._secret_headers = check_headers(secret_headers_of(secrets, context))

    def request(self, event: Any, body: Any, hop: Mapping[str, str]) -> HttpRequest:
        request = self._requests.request(
            body,
            method=getattr(event, "method", None) or "POST",
            path=getattr(event, "path", None) or "",
        )
        headers = _joined(
            request.headers, forwarded(event, self._forward), self._secret_headers, hop
        )
        return request._replace(headers=check_headers(headers))

    async def ask(self, request: HttpRequest, event: Any) -> Any:
        """Send a request, again where that may help; return what was answered."""
        deadline = getattr(event, "deadline", None)
        shown = shown_url(plain_url(request.url))
        about = f"{request.method}, event id {getattr(event, 'id', None)}, path "
        about += str(getattr(event, "path", None) or "/")

        async def once(number: int) -> Any:
            headers = {**request.headers, **attempt_headers(number, deadline)}
            reply = await self._client.send(request._replace(headers=headers))
            if reply.status < 400:
                return content_of(reply, shown, as_json=self.return_json)
            text = (
                f"{shown} gave a bad http response {reply.status} to method {about}: "
                f"{excerpt(reply.payload)}"
            )
            if reply.status < 500:
                raise StatusError(text, status_code=502)
            raise RetryableError(text, wait_s=asked_wait_s(reply.headers))

        return await self._retries.attempt(
            once, shown=shown, deadline=deadline, note=self._note
        )


def _joined(*parts: Mapping[str, str]) -> dict[str, str]:
    """Join headers; the later one of two with the same name in any case counts."""
    names: dict[str, str] = {}
    joined: dict[str, str] = {}
    for part in parts:
        for name, value in part.items():
            joined.pop(names.get(name.lower(), ""), None)
            names[name.lower()] = name
            joined[name] = value
    return joined
