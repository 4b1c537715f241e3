"""What remote steps share: whom they ask, how, and how often."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from jupyter_graph.errors import AccessDeniedError, SpecError, StatusError
from jupyter_graph.http_client.client import HttpClient, HttpRequest, connections_of
from jupyter_graph.http_client.host_rules import HostRules
from jupyter_graph.http_client.retry import RetryableError, RetryPolicy, asked_wait_s
from jupyter_graph.http_client.secrets import secret_headers_of
from jupyter_graph.http_client.urls import check_headers, plain_url, shown_url
from jupyter_graph.steps.remote.http_bodies import content_of, excerpt
from jupyter_graph.steps.remote.propagation import attempt_headers, forwarded
from jupyter_graph.steps.remote.remote_request import RequestPlan, checked_names


class Remote:
    """Asks a service, again where that may help; what remote steps are made of."""

    def __init__(
        self,
        plan: RequestPlan,
        patience: RetryPolicy,
        *,
        return_json: bool,
        max_in_flight: int | None,
        allow_hosts: Iterable[str],
        forward_headers: Iterable[str],
        secret_headers: Mapping[str, str] | None,
        verify: bool,
        name: str,
        context: Any,
    ) -> None:
        allow_local = not getattr(context, "is_deployed", False)
        rules = HostRules(allow_hosts, allow_local=allow_local, own_host=plan.own_host)
        if plan.endpoint:
            _check_endpoint(rules, plan.endpoint)
        self.name = name
        self.return_json = return_json
        self._plan = plan
        self._patience = patience
        self._forward = checked_names(forward_headers)
        self._is_cut_off = bool(getattr(context, "is_parity", False))
        self._context = context
        secrets = {} if self._is_cut_off else secret_headers or {}
        self._secret_headers = check_headers(secret_headers_of(secrets, context))
        self._client = HttpClient(
            rules, connections=connections_of(max_in_flight), verify=verify
        )

    def request(self, event: Any, body: Any, hop: Mapping[str, str]) -> HttpRequest:
        request = self._plan.request(
            body,
            method=getattr(event, "method", None) or "POST",
            path=getattr(event, "path", None) or "",
        )
        headers = _joined(
            request.headers, forwarded(event, self._forward), self._secret_headers, hop
        )
        return request._replace(headers=check_headers(headers))

    async def ask(self, request: HttpRequest, event: Any) -> Any:
        """Send a request, again where that may help, and give what the answer holds."""
        deadline = getattr(event, "deadline", None)
        shown = shown_url(plain_url(request.url))
        about = f"{request.method}, event id {getattr(event, 'id', None)}, path "
        about += str(getattr(event, "path", None) or "/")

        async def once(number: int) -> Any:
            headers = {**request.headers, **attempt_headers(number, deadline)}
            reply = await self._client.send(request._replace(headers=headers))
            if reply.status < 400:
                return content_of(reply, shown, as_json=self.return_json)
            said = (
                f"{shown} gave a bad http response {reply.status} to method {about}: "
                f"{excerpt(reply.payload)}"
            )
            if reply.status < 500:
                raise StatusError(said, status_code=502)
            raise RetryableError(said, wait_s=asked_wait_s(reply.headers))

        return await self._patience.attempt(
            once, shown=shown, deadline=deadline, note=self._note
        )

    def _note(self, text: str) -> None:
        if self._context is not None:
            self._context.logger.warning(f"step {self.name!r}: {text}")

    def close(self) -> None:
        """Close the connections."""
        self._client.close()


def _check_endpoint(rules: HostRules, endpoint: str) -> None:
    try:
        rules.check_url(endpoint)
    except AccessDeniedError as error:
        raise SpecError(f"{error}") from None


def _joined(*parts: Mapping[str, str]) -> dict[str, str]:
    """Join headers; the later one of two with the same name in any case counts."""
    names: dict[str, str] = {}
    found: dict[str, str] = {}
    for part in parts:
        for name, value in part.items():
            found.pop(names.get(name.lower(), ""), None)
            names[name.lower()] = name
            found[name] = value
    return found
