"""What steps share that ask a server over HTTP: their client, its rules, their log."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from jupyter_graph.errors import AccessDeniedError, SpecError
from jupyter_graph.http_client.client import HttpClient, connections_of
from jupyter_graph.http_client.host_rules import HostRules
from jupyter_graph.http_client.urls import plain_url


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
