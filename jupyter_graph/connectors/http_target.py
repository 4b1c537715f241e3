"""Rows that are sent to a URL."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from jupyter_graph.argument_checks import is_count, require
from jupyter_graph.connectors.buffered_target import Buffered, Refused
from jupyter_graph.connectors.http_arguments import (
    checked_headers,
    checked_url,
    http_client,
)
from jupyter_graph.connectors.rows import json_texts
from jupyter_graph.errors import short
from jupyter_graph.http_client.client import HttpRequest
from jupyter_graph.http_client.secrets import secret_of
from jupyter_graph.http_client.urls import without_password
from jupyter_graph.types import Body

_REFUSED = frozenset({400, 409, 413, 415, 422})
"""Statuses that speak of the rows, so sending them again does not help."""


class HTTPTarget(Buffered):
    """Send rows to a URL as JSON, one by one or many at once.

    Body in: anything that JSON can hold; a list is a batch of bodies, a frame a batch
    of rows. Body out: the same.

    Args:
        url: an ``http://`` or ``https://`` URL.
        batch: bodies of a request. 1 sends each body as it is, and its event fails
            when the server refuses; more are sent as a list, or as lines.
        format: ``json`` or ``jsonlines``.
        method: ``POST``, ``PUT`` or ``PATCH``.
        headers: sent with each request.
        token_secret: the name of a secret, sent as a bearer token.
        timeout_s: seconds to connect, and to wait for an answer.
        retries: further attempts after a lost connection and the statuses 429 and
            500 to 504; each carries the same ``Idempotency-Key``.
        backoff_s: seconds before the first of them; each next waits twice as long,
            longer where ``Retry-After`` says so, 30 at most.
        flush_every_s: seconds until a batch is sent that is not full.

    Raises:
        SpecError: an argument has a wrong value, or there is no such secret.
        AccessDeniedError: (from ``do`` and ``flush``) the host has a link-local,
            metadata or reserved address.
        UnprocessableError: (from ``do``) a value has no form in JSON.
        ServiceUnavailableError: (from ``do`` and ``flush``) the server stays away;
            the rows of earlier events stay for the next attempt.
        GatewayTimeoutError: as above, it does not answer in time.
        OSError: (from ``do`` and ``flush``) the server refuses. Of a batch that it
            calls wrong (400, 409, 413, 415, 422) halves are sent, down to the rows at
            fault, which are not sent again.

    State: a batch that is not full is in memory; a restart loses it, each worker has
        its own. Late events are sent last.

    Source: https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header

    >>> HTTPTarget("http://localhost:8080/rows", batch=100).flush(end=True)
    []
    """

    def __init__(
        self,
        url: str,
        *,
        batch: int = 1,
        format: str = "json",
        method: str = "POST",
        headers: Mapping[str, str] | None = None,
        token_secret: str | None = None,
        timeout_s: float = 10.0,
        retries: int = 3,
        backoff_s: float = 0.5,
        flush_every_s: float | None = 1.0,
        name: str = "",
        context: Any = None,
    ) -> None:
        require(is_count(batch), "batch must be 1 or more", batch)
        is_known = format in ("json", "jsonlines")
        require(is_known, "format must be json or jsonlines", format)
        is_sent = method in ("POST", "PUT", "PATCH")
        require(is_sent, "method must be POST, PUT or PATCH", method)
        self._url = checked_url(url)
        super().__init__(without_password(url), name, context, batch, flush_every_s)
        if batch == 1:
            self.flush_every_s = None
        self._method = method
        is_list = format == "json" and batch > 1
        self._marks = ("[", ",", "]") if is_list else ("", "\n", "")
        kind = "application/json" if format == "json" else "application/x-ndjson"
        self._headers = {"Content-Type": kind, **checked_headers(headers)}
        if token_secret is not None:
            self._headers["Authorization"] = (
                f"Bearer {secret_of(context, token_secret)}"
            )
        self._client = http_client(timeout_s, retries, backoff_s)

    def do(self, body: Body) -> Body:
        """Send the rows of a body and return the body."""
        if self._max > 1 or self._is_parity:
            return super().do(body)
        for item in self._take(body):  # no lock: several threads send at once
            try:
                self._send([item])
            except Exception as error:
                raise self._failure(error) from error
        return body

    def _take(self, body: Body) -> list[str]:
        return json_texts(body, self._where)

    def _write(self, items: list[Any]) -> None:
        try:
            self._send(items)
        except RowsRefusedError as error:
            if refused := self._bad_ones(items, error):
                raise Refused(refused) from error

    def _bad_ones(self, items: list[Any], error: Exception) -> dict[int, Exception]:
        """Send halves of what was refused; return the rows that are refused alone."""
        if len(items) == 1:
            return {0: error}
        half, refused = len(items) // 2, dict[int, Exception]()
        for start, some in ((0, items[:half]), (half, items[half:])):
            try:
                self._send(some)
            except RowsRefusedError as why:
                inner = self._bad_ones(some, why)
                refused |= {start + at: one for at, one in inner.items()}
        return refused

    def _send(self, items: list[str]) -> None:
        first, between, last = self._marks
        data = (first + between.join(items) + last).encode()
        headers = {**self._headers, "Idempotency-Key": str(uuid.uuid4())}
        request = HttpRequest(self._method, self._url, headers, data)
        response = self._client.open(request, accepted=_REFUSED)
        if response.status_code in _REFUSED:
            text = short(response.text[:200])
            raise RowsRefusedError(f"{response.status_code} {response.reason}: {text}")

    def _disconnect(self) -> None:
        self._client.close()


class RowsRefusedError(ValueError):
    """The server says that the rows are wrong."""
