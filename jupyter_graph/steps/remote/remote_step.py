"""Steps that ask other services over HTTP."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, ClassVar

from jupyter_graph.errors import BadRequestError, SpecError, StatusError
from jupyter_graph.http_client.client import HttpRequest, connections_of
from jupyter_graph.http_client.retry import RetryableError, RetryPolicy, asked_wait_s
from jupyter_graph.http_client.secrets import secret_headers_of
from jupyter_graph.http_client.urls import check_headers, plain_url, shown_url
from jupyter_graph.steps.base_arguments import takes_arguments_of
from jupyter_graph.steps.remote.http_step import HttpStep, content_of, excerpt
from jupyter_graph.steps.remote.propagation import (
    EVENT_ID,
    attempt_headers,
    forwarded,
    hop_headers,
    path_header,
)
from jupyter_graph.steps.remote.remote_request import RequestPlan, checked_names

RETRIES = 6
BACKOFF_S = 1.0
BATCH_IN_FLIGHT = 8


class Remote(HttpStep):
    """Asks a service, again where that may help; the base of remote steps."""

    @takes_arguments_of(RequestPlan, positional=1)
    def __init__(
        self,
        *plan: Any,
        return_json: bool = True,
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
        **request: Any,
    ) -> None:
        self._requests = RequestPlan(
            *plan, headers_expression=headers_expression, **request
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


class RemoteStep(Remote):
    """Ask a service over HTTP; its answer is the next body.

    Body in: anything; an object, list or number is sent as JSON, text and bytes as
    they are, nothing with GET. Body out: the answer, read as JSON, or its bytes.

    The request carries the event's id (``MLRUN-EVENT-ID``) and path
    (``MLRUN-EVENT-PATH``), its trace (``traceparent``), the number of the attempt
    (``X-Event-Attempt``) and, where the event has a deadline, the time it has left
    (``X-Event-Time-Left-Ms``). During a parity check nothing is sent and the body goes
    on as it came.

    Args:
        url: an http or https URL; ``endpoint`` in ``url_expression``.
        subpath: what follows the URL; ``$path`` = the path of the event.
        method: the HTTP method; by default the event's, else POST.
        headers: headers of every request.
        url_expression: computes the URL from the body, such as ``event['url']``.
        body_expression: computes the request's body, such as ``event['data']``.
        return_json: read the answer as JSON; False gives bytes unless the answer says
            that it is JSON.
        max_in_flight: connections at once, 1 or more; by default 100.
        retries: attempts after the first, 0 to 100; a 4xx answer is final.
        backoff_factor: seconds before the second attempt, doubled before each further
            one, 120 at most.
        timeout: seconds of one attempt, above 0; by default as long as the event has.
        headers_expression: computes the headers, instead of ``headers``.
        allow_hosts: the only hosts it may ask: names (``models.internal``,
            ``*.example.com``), addresses, networks (``10.1.0.0/16``).
        forward_headers: names of headers of the event that go along.
        secret_headers: headers to names of secrets, such as
            ``{"Authorization": "Bearer {MODEL_TOKEN}"}``.
        verify: check the certificates of https hosts.
        name: the step's own name.
        context: the surroundings; None outside a graph.

    Raises:
        SpecError: an argument has a wrong value, or a secret has none.
        AccessDeniedError: (from ``do_event``) 403, the host may not be asked.
        StatusError: (from ``do_event``) 502, the service failed, refused the request,
            or gave no JSON.
        GatewayTimeoutError: (from ``do_event``) 504, it took too long.

    State: open connections, one pool for each event loop.

    Source: https://docs.mlrun.org/en/stable/serving/available-steps.html

    >>> RemoteStep("http://models.internal/v1", subpath="$path").name
    'RemoteStep'
    """

    async def do_event(self, event: Any) -> Any:
        if self.is_cut_off:
            return event
        hop = hop_headers(event)
        if self._requests.names_path:
            hop |= path_header(event)
        request = self.request(event, event.body, hop)
        event.body = await self.ask(request, event)
        return event


class BatchHttpRequests(Remote):
    """Ask a service once for each item of a list, several at a time.

    Body in: a list; each item is a body as of ``RemoteStep``. Body out: the list of
    the answers, in the order of the items. One item that fails, fails the event; those
    that are under way then are given up.

    Args:
        url: an http or https URL; not together with ``url_expression``.
        subpath: what follows the URL; ``$path`` = the path of the event.
        method: the HTTP method; by default the event's, else POST.
        headers: headers of every request.
        url_expression: computes an item's URL from the item, ``event`` in it.
        body_expression: computes the request's body from the item.
        return_json: read the answers as JSON; False gives bytes unless an answer says
            that it is JSON.
        max_in_flight: requests of one event at once, 1 or more; by default 8.
        retries: as of ``RemoteStep``, for each item.
        backoff_factor: as of ``RemoteStep``.
        timeout: as of ``RemoteStep``.
        headers_expression: computes the headers from the item, instead of ``headers``.
        allow_hosts: as of ``RemoteStep``.
        forward_headers: as of ``RemoteStep``.
        secret_headers: as of ``RemoteStep``.
        verify: check the certificates of https hosts.
        name: the step's own name.
        context: the surroundings; None outside a graph.

    Raises:
        SpecError: an argument has a wrong value, or a secret has none.
        BadRequestError: (from ``do_event``) the body is no list.
        AccessDeniedError, StatusError, GatewayTimeoutError: (from ``do_event``) as of
            ``RemoteStep``; the text says which item it was.

    State: open connections, one pool for each event loop.

    Source: https://docs.mlrun.org/en/stable/serving/available-steps.html

    >>> BatchHttpRequests("http://models.internal/v1", retries=0).max_in_flight
    8
    """

    @takes_arguments_of(Remote, name="BatchHttpRequests")
    def __init__(
        self, *request: Any, max_in_flight: int | None = None, **options: Any
    ) -> None:
        super().__init__(*request, **options)
        if self._requests.endpoint and not self._requests.names_path:
            raise SpecError("BatchHttpRequests takes url or url_expression, not both")
        self.max_in_flight = (
            BATCH_IN_FLIGHT if max_in_flight is None else connections_of(max_in_flight)
        )

    async def do_event(self, event: Any) -> Any:
        if self.is_cut_off:
            return event
        if not isinstance(event.body, list | tuple):
            kind = type(event.body).__name__
            raise BadRequestError(f"the body must be a list of requests, got a {kind}")
        event.body = await self._ask_all(list(event.body), event)
        return event

    async def _ask_all(self, items: list[Any], event: Any) -> list[Any]:
        import asyncio

        hop = hop_headers(event)
        hop.pop(EVENT_ID, None)  # one id for many requests would make them repetitions
        answers: list[Any] = [None] * len(items)

        async def work(pending: Iterator[tuple[int, Any]]) -> None:
            for at, item in pending:
                try:
                    request = self.request(event, item, hop)
                    answers[at] = await self.ask(request, event)
                except StatusError as error:
                    text = f"request {at + 1} of {len(items)}: {error}"
                    raise type(error)(text, status_code=error.status_code) from error

        pending = iter(enumerate(items))
        count = min(self.max_in_flight, len(items))
        # the workers share one iterator, so a slow request holds up its own worker only
        workers = [asyncio.ensure_future(work(pending)) for _ in range(count)]
        try:
            await asyncio.gather(*workers)
        finally:
            # the first error ends the event: requests under way are given up, and
            # waited for, so that their connections are free again
            for worker in workers:
                worker.cancel()
            await asyncio.gather(*workers, return_exceptions=True)
        return answers


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


# -- those of MLRun that ask an MLRun server, which is not here ------------------------


class _NeedsMLRun:
    instead: ClassVar[str]

    def __init__(self, **_: Any) -> None:
        raise SpecError(
            f"{type(self).__name__} needs an MLRun server, which is not here; "
            f"{self.instead}"
        )

    def do(self, body: Any) -> Any:
        return body


class MLRunAPIRemoteStep(_NeedsMLRun):
    """MLRun's step that asks MLRun's own API: refused, with what to write instead.

    Raises:
        SpecError: always.

    >>> MLRunAPIRemoteStep(method="GET", path="projects")
    Traceback (most recent call last):
    jupyter_graph.errors.SpecError: MLRunAPIRemoteStep needs an MLRun server, which is \
not here; write RemoteStep with the API's URL as url, and its token as secret_headers \
[JG110]
    """

    instead = (
        "write RemoteStep with the API's URL as url, and its token as secret_headers"
    )


class RemoteFunctionStep(_NeedsMLRun):
    """MLRun's step that looks a function up by name: refused, with what to write.

    Raises:
        SpecError: always.

    >>> RemoteFunctionStep(fn="project/scorer")
    Traceback (most recent call last):
    jupyter_graph.errors.SpecError: RemoteFunctionStep needs an MLRun server, which is \
not here; write RemoteStep with the function's URL as url [JG110]
    """

    instead = "write RemoteStep with the function's URL as url"
