"""What steps share that ask a server over HTTP: client and rules, log, and bodies."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from jupyter_graph.errors import AccessDeniedError, SpecError, StatusError
from jupyter_graph.event import header_in
from jupyter_graph.http_client.client import HttpClient, HttpReply, connections_of
from jupyter_graph.http_client.host_rules import HostRules
from jupyter_graph.http_client.urls import plain_url
from jupyter_graph.values.decode import JSON, media_type
from jupyter_graph.values.json_form import to_json
from jupyter_graph.values.json_rules import REQUEST

LONGEST_EXCERPT = 200


class HttpStep:
    """A step with an HTTP client of its own; nothing is sent during a parity check.

    Args:
        url: what the graph itself names, "" when events name it.
        max_in_flight: connections at once, 1 or more; None for the usual number.
        allow_hosts: the only hosts that may be called.
        verify: check the certificates of https hosts.
        argument: begins the text of an error about ``url``.
        name: the step's own name.
        context: the surroundings; None outside a graph.

    Raises:
        SpecError: an argument has a wrong value, or ``url`` may not be called.
    """

    asks_others = True
    """While answers are compared it is not called, and gives what it gave before."""

    def __init__(
        self,
        url: str,
        *,
        max_in_flight: int | None = None,
        allow_hosts: Iterable[str] = (),
        verify: bool = True,
        argument: str = "",
        name: str,
        context: Any = None,
    ) -> None:
        self.name = name
        self.is_cut_off = bool(getattr(context, "is_parity", False))
        self._context = context
        if allow_hosts is None:  # which means to HostRules that there is no such list
            raise SpecError("allow_hosts must be a list, got None")
        allow_local = not getattr(context, "is_deployed", False)
        try:
            own_host = str(plain_url(url).raw_host).lower() if url else None
            rules = HostRules(allow_hosts, allow_local=allow_local, own_host=own_host)
            if url:
                rules.check_url(url)
        except AccessDeniedError as error:
            raise SpecError(f"{argument}{error}") from None
        self._client = HttpClient(
            rules, connections=connections_of(max_in_flight), verify=verify
        )

    def _note(self, text: str) -> None:
        if self._context is not None:
            self._context.logger.warning(f"step {self.name!r}: {text}")

    def close(self) -> None:
        """Close the connections."""
        self._client.close()


def json_payload(body: Any) -> bytes:
    """Return a value as JSON, by the value table of docs/answers.md.

    Raises:
        TypeError: a value has no form in JSON; the text names the key that holds it.

    >>> json_payload({"z": 1})
    b'{"z": 1}'
    """
    return to_json(body, "the request's body", REQUEST)


def content_of(reply: HttpReply, shown: str, *, as_json: bool) -> Any:
    """Return what an answer holds: JSON where asked for or declared, else its bytes.

    Raises:
        StatusError: 502, it should be JSON and is not.

    >>> content_of(HttpReply(200, {}, b"[1]"), "http://models", as_json=True)
    [1]
    """
    kind = media_type(header_in(reply.headers, "content-type") or "")
    if not as_json and kind != JSON:
        return reply.payload
    if not reply.payload.strip():
        return None
    try:
        return json.loads(reply.payload)
    except ValueError as error:
        raise StatusError(
            f"the answer of {shown} is not JSON ({kind or 'no content type'}): {error}",
            status_code=502,
        ) from None


def excerpt(payload: bytes) -> str:
    """Return the beginning of an answer for a message.

    >>> excerpt(b'{"status": 404}')
    '{"status": 404}'
    """
    text = " ".join(payload[: 4 * LONGEST_EXCERPT].decode("utf-8", "replace").split())
    return text if len(text) <= LONGEST_EXCERPT else f"{text[:LONGEST_EXCERPT]}…"
