"""MLRun's mock server over a Runner: live objects, no network, a deadline always."""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import ModuleType
from typing import Any, Self

from jupyter_graph.errors import BadRequestError, RunError
from jupyter_graph.run.event import Event, decode_body, own_id
from jupyter_graph.run.response import Response
from jupyter_graph.run.runner import Runner
from jupyter_graph.spec.builder import Graph
from jupyter_graph.spec.model import GraphSpec


class MockServer:
    """Test a graph as MLRun's ``to_mock_server()`` does.

    Args:
        graph: the graph.
        namespace: names to objects, or a module.
        parameters: what ``context.get_param`` gives.
        secrets: what ``context.get_secret`` gives.
        default_content_type: what an event without a content type has.
        verbose: failed events say their cause at length.
        timeout_s: seconds an event may take.

    >>> graph = Graph("math")
    >>> _ = graph.to(name="double", handler=lambda x: x * 2).respond()
    >>> with MockServer(graph) as server:
    ...     server.test(body=4)
    8
    """

    def __init__(
        self,
        graph: Graph | GraphSpec,
        *,
        namespace: Mapping[str, Any] | ModuleType | None = None,
        parameters: Mapping[str, Any] | None = None,
        secrets: Mapping[str, str] | None = None,
        default_content_type: str | None = None,
        verbose: bool = False,
        timeout_s: float | None = 30.0,
    ) -> None:
        names = vars(namespace) if isinstance(namespace, ModuleType) else namespace
        self._default_content_type = default_content_type
        self._verbose = verbose
        self._runner = Runner(
            graph,
            namespace=names,
            parameters=parameters,
            secrets=secrets,
            timeout_s=timeout_s,
        ).open()

    def test(
        self,
        path: str = "/",
        body: Any = None,
        method: str = "",
        headers: Mapping[str, str] | None = None,
        content_type: str | None = None,
        *,
        event_id: str | None = None,
        silent: bool = False,
        get_body: bool = True,
    ) -> Any:
        """Send one event; give the live answer.

        Args:
            path: the event's path.
            body: the event's body; texts and bytes are read as JSON where they are.
            method: POST when there is a body, else GET.
            headers: the event's headers.
            content_type: ``application/json`` must be JSON.
            event_id: the event's id.
            silent: give the failed event's ``Response`` instead of raising.
            get_body: give the body of a ``Response``, not the object.

        Raises:
            RunError: the event failed; the text holds status and cause.
        """
        event = Event(
            body,
            path=path,
            method=method or ("POST" if body is not None else "GET"),
            headers=dict(headers or {}),
            content_type=content_type or self._default_content_type or "",
            id=event_id or own_id(headers or {}),
        )
        try:
            if isinstance(body, str | bytes | bytearray):
                event.body = decode_body(body, event.content_type)
        except BadRequestError as error:
            return self._refused(error, 400, silent)
        answer = self._runner.handle(event)
        if answer.error is not None:
            detail = json.loads(answer.payload)["detail"]
            return self._refused(RunError(detail), answer.status_code, silent, answer)
        if isinstance(answer.value, Response):
            response = answer.value
            if response.status_code >= 400 and not silent:
                raise RunError(f"failed ({response.status_code}): {response.body}")
            return response.body if get_body else response
        value = answer.body if answer.status_code in (202, 204) else answer.value
        return value if get_body else Response(value, answer.status_code)

    def _refused(
        self, error: Exception, status: int, silent: bool, answer: Any = None
    ) -> Response:
        if not silent:
            cause = answer.error if answer is not None else error
            raise RunError(f"failed ({status}): {error}") from cause
        return Response(str(error), status)

    def wait_for_completion(self) -> Any:
        """Let everything on its way end, close, and give the flow's last result."""
        self.close()
        return self._runner.termination

    def close(self) -> None:
        """Let go of everything."""
        self._runner.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
