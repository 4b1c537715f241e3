"""The HTTP client of threads: sources, targets and downloads."""

from __future__ import annotations

import traceback
from collections.abc import Container
from typing import Any

from jupyter_graph.http_client.client import HttpRequest
from jupyter_graph.http_client.host_rules import HostRules
from jupyter_graph.http_client.retry import RetryableError, RetryPolicy, asked_wait_s
from jupyter_graph.http_client.urls import without_password

AGAIN = frozenset({429, 500, 502, 503, 504})
"""Answers after which another attempt may help."""


class BlockingClient:
    """An HTTP client for code without an event loop; safe from several threads.

    It obeys the same rules as ``HttpClient`` at each hop. Redirects of a GET are
    followed, to another host without the headers of the request; those of other
    methods are failures.

    Args:
        rules: which hosts may be called.
        retries: how often and how long; ``timeout_s`` holds for connecting, and for
            waiting for the next bytes.
        netrc: requests without credentials get those of the user's ``.netrc``.
    """

    def __init__(
        self, rules: HostRules, retries: RetryPolicy, *, netrc: bool = True
    ) -> None:
        self._rules = rules
        self._retries = retries

        self._netrc = netrc
        self._session: Any = None

    def open(
        self,
        request: HttpRequest,
        *,
        stream: bool = False,
        accepted: Container[int] = (),
    ) -> Any:
        """Send a request and return the answer, a ``requests.Response``.

        Args:
            request: what is sent.
            stream: leave the body of the answer to be read.
            accepted: statuses to return although they are failures.

        Raises:
            AccessDeniedError: the host, or one it redirects to, may not be called.
            ServiceUnavailableError: the server stays away.
            GatewayTimeoutError: it does not answer in time.
            OSError: it answers with another failure.
        """
        return self._retries.attempt_blocking(
            lambda: self._once(request, stream, accepted)
        )

    def _once(
        self, request: HttpRequest, stream: bool, accepted: Container[int]
    ) -> Any:
        import requests

        shown = without_password(request.url)
        try:
            response = self._opened().request(
                request.method,
                request.url,
                headers=request.headers,
                data=request.payload,
                stream=stream,
                timeout=self._retries.timeout_s,
                allow_redirects=request.method == "GET",
            )
        except (requests.Timeout, requests.ConnectionError) as error:
            _clear_frames(error)
            is_late = isinstance(error, requests.Timeout)
            why = "did not answer in time" if is_late else f"cannot be reached: {error}"
            status = 504 if is_late else 503
            raise RetryableError(f"{shown} {why}", status_code=status) from error
        except OSError as error:  # requests' own are OSErrors
            raise OSError(f"{shown}: {error}") from error
        if response.status_code < 300 or response.status_code in accepted:
            return response
        with response:
            _raise_for(response, request.method, shown)

    def _opened(self) -> Any:
        if self._session is None:
            from jupyter_graph.http_client.checked_requests import CheckedSession

            self._session = CheckedSession(self._rules, netrc=self._netrc)
        return self._session

    def close(self) -> None:
        """Close the connections; harmless twice, the next request opens new ones."""
        session, self._session = self._session, None
        if session is not None:
            session.close()


def _clear_frames(error: BaseException) -> None:
    """Take an error of urllib3 out of the frames of its own traceback.

    ``urlopen`` keeps it in a local, a cycle that would leave the session, and with it
    the open sockets, to the next garbage collection.
    """
    cause: BaseException | None = error
    while cause is not None:
        traceback.clear_frames(cause.__traceback__)
        cause = cause.__context__


def _raise_for(response: Any, method: str, shown: str) -> None:
    text = f"{method} {shown} answered {response.status_code} {response.reason}"
    if response.status_code in AGAIN:
        wait_s = asked_wait_s(response.headers)
        raise RetryableError(text, status_code=503, wait_s=wait_s)
    if response.is_redirect:
        text += f"; the place is now {response.headers['Location']!r}"
    raise OSError(text)
