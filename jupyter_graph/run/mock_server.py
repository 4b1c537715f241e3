"""MLRun's mock server over a Runner: live objects, no network, a deadline always."""

from __future__ import annotations

import json
import os
import traceback
import weakref
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from types import ModuleType
from typing import Any, Self

from jupyter_graph.answer.answer import Answer
from jupyter_graph.answer.response import Response
from jupyter_graph.compile.compiled_graph import CompiledGraph
from jupyter_graph.connectors.queues.memory_stream import MemoryStream
from jupyter_graph.errors import (
    BadRequestError,
    RunError,
    StatusError,
    StreamingError,
    blamed,
    said,
)
from jupyter_graph.event import Event, Trigger, own_id, own_path, read_event
from jupyter_graph.frontend.factory import make_frontend
from jupyter_graph.run.runner import Runner
from jupyter_graph.spec.builder import Graph
from jupyter_graph.spec.model import GraphSpec
from jupyter_graph.spec.subgraphs import EVERYWHERE
from jupyter_graph.spec.topology import followers
from jupyter_graph.values.decode import decode_body

START_FROM = "START_FROM_STEP"
JSON_TYPES = ("", "json", "application/json")


class MockServer:
    """Test a graph as MLRun's ``to_mock_server()`` does.

    Args:
        graph: the graph.
        namespace: names to objects, or a module.
        current_function: the function whose steps run; ``*`` = all of them.
        parameters: what ``context.get_param`` returns.
        secrets: what ``context.get_secret`` returns.
        load_mode: how models are loaded: ``sync``, or ``async`` in threads.
        error_stream: the URL of the stream for errors, kept for MLRun's calls; all
            errors stand in ``server.error_stream``.
        streaming: as MLRun's ``set_streaming()``: generators are streamed in any case,
            but an event that one would get from another one fails.
        default_content_type: what an event without a content type has.
        api_handler: endpoints in front of the graph: an ``ApiHandlerConfig`` or MLRun's
            document of one.
        openai_frontend: OpenAI's endpoints in front of it: True, a list of groups, or
            ``{"endpoints": …, "prefix": …}``.
        graph_initializer: called with the server before any step is built.
        verbose: the text of a failed event has its traceback.
        mlrun_status: a failed step answers 400, as in MLRun, instead of 500.
        timeout_s: seconds an event may take.

    ``START_FROM_STEP`` in the environment lets events begin with that step.

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
        current_function: str = EVERYWHERE,
        parameters: Mapping[str, Any] | None = None,
        secrets: Mapping[str, str] | None = None,
        load_mode: str | None = None,
        error_stream: str | None = None,
        streaming: bool = False,
        default_content_type: str | None = None,
        api_handler: Any = None,
        openai_frontend: Any = None,
        graph_initializer: Callable[[MockServer], None] | None = None,
        verbose: bool = False,
        mlrun_status: bool = False,
        timeout_s: float | None = 30.0,
    ) -> None:
        names = vars(namespace) if isinstance(namespace, ModuleType) else namespace
        self._default_content_type = default_content_type
        self._verbose = verbose
        self._mlrun_status = mlrun_status
        self.error_stream = MemoryStream()
        self.parameters = dict(parameters or {})
        if graph_initializer is not None:
            graph_initializer(self)
        self._runner = Runner(
            graph,
            namespace=names,
            parameters=self.parameters,
            secrets=secrets,
            timeout_s=timeout_s,
            load_mode=load_mode or "sync",
            current_function=current_function,
            from_step=os.environ.get(START_FROM) or None,
            is_mock=True,
            mlrun_status=mlrun_status,
            push_error=pushing_to(self),
            front=make_frontend(api_handler, openai_frontend),
        )
        self._runner.belong_to(self).open()
        self._stacked = _stream_on_stream(self._runner.compiled) if streaming else None

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
        trigger: Any = None,
        offset: int | None = None,
        time: datetime | str | None = None,
    ) -> Any:
        """Send one event; return the live answer.

        Args:
            path: the event's path.
            body: the event's body; texts and bytes are read as JSON where they are.
            method: POST when there is a body, else GET.
            headers: the event's headers.
            content_type: ``application/json`` must be JSON.
            event_id: the event's id.
            silent: return a failed event's ``Response`` instead of raising.
            get_body: return the body of a ``Response``, not the object, which has the
                status, headers and content type that a step gave.
            trigger: what the event came through: an object with ``kind`` and ``name``.
            offset: its place in a stream.
            time: when it came, in UTC where it names no time zone; by default now.

        Raises:
            RunError: the event failed; the text holds status and cause.
        """
        sent = dict(headers or {})
        event = Event.of_request(
            body,
            path=own_path(sent) or path or "/",
            method=method or ("POST" if body is not None else "GET"),
            headers=sent,
            content_type=content_type or self._default_content_type or "",
            id=event_id or own_id(sent),
            trigger=Trigger(getattr(trigger, "kind", ""), getattr(trigger, "name", "")),
            offset=offset,
            time=_moment(time),
        )
        is_raw = isinstance(body, bytes | bytearray) and content_type is None
        try:
            if is_raw and not self._default_content_type:
                read_event(event)  # what a caller sends, read as in the function
            else:
                event.body = _decoded(body, event.content_type)
        except StatusError as error:
            text = f"{error}" if is_raw else f"failed to json decode event, {error}"
            return self._refused(BadRequestError(text), error.status_code, silent)
        if self._stacked:
            status = 400 if self._mlrun_status else 500
            return self._refused(StreamingError(self._stacked), status, silent)
        answer = self._runner.handle(event, live=True, at_once=True)
        if answer.error is not None:
            return self._failed(answer, event, silent=silent, get_body=get_body)
        return self._answered(answer, silent=silent, get_body=get_body)

    def _answered(self, answer: Answer, *, silent: bool, get_body: bool) -> Any:
        if isinstance(answer.value, Response):
            response = answer.value
            if response.status_code >= 400 and not silent:
                raise RunError(f"failed ({response.status_code}): {response.body}")
            return response.body if get_body else response
        if answer.status_code in (202, 204):
            value, status = answer.body, 200 if answer.status_code == 202 else 204
        else:
            value, status = answer.value, answer.status_code
        if answer.stream_error is None and not answer.is_stream:
            return value if get_body else Response(value, status)
        items, kind = _streamed(value, answer.stream_error), answer.content_type
        return items if get_body else Response(items, status, answer.headers, kind)

    def _failed(
        self, answer: Answer, event: Event, *, silent: bool, get_body: bool
    ) -> Any:
        error = answer.error
        assert error is not None  # asked for by the caller
        step, cause = blamed(error)
        self._push_error(event, said(cause), step, cause)
        if self._runner.compiled.responder is None:
            return {"id": event.id}  # the caller has had his answer already
        detail = json.loads(answer.payload)["detail"]
        if self._verbose:
            detail = f"{detail}\n{_traceback_of(cause)}"
        return self._refused(RunError(detail), answer.status_code, silent, error)

    def _refused(
        self, error: Exception, status: int, silent: bool, cause: Any = None
    ) -> Response:
        if not silent:
            raise RunError(f"failed ({status}): {error}") from cause or error
        return Response(f"{error}", status)

    def _push_error(
        self,
        event: Any,
        message: str,
        source: str | None = None,
        error: BaseException | None = None,
    ) -> None:
        """Add a record as MLRun's error stream has it."""
        trace = _traceback_of(error) if error is not None else ""
        record = {
            "function_uri": self._runner.spec.name if hasattr(self, "_runner") else "",
            "worker": 0,
            "host": os.uname().nodename if hasattr(os, "uname") else "",
            "source": source or "_handler",
            "event": {"id": getattr(event, "id", None), "body": _plain_body(event)},
            "message": f"{message}\n{trace}" if trace else message,
            "args": {},
        }
        self.error_stream.push(record)

    def wait_for_completion(self) -> Any:
        """Wait for all events, close, and return the flow's last result."""
        self.close()
        return self._runner.termination

    def close(self) -> None:
        """Close the steps and what belongs to them."""
        self._runner.close()

    def __repr__(self) -> str:
        state = "open" if self._runner.is_open else "closed"
        return f"<MockServer of graph {self._runner.spec.name!r}, {state}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def pushing_to(server: MockServer) -> Callable[..., None]:
    """Return what pushes errors to a server, and does not keep it alive.

    A step that has a timer refers to it, and the timer's loop refers to the step.
    """
    push = weakref.WeakMethod(server._push_error)

    def push_error(*args: Any) -> None:
        if (call := push()) is not None:
            call(*args)

    return push_error


def _traceback_of(error: BaseException) -> str:
    try:
        return "".join(traceback.format_exception(error))
    except Exception:  # an error that cannot be looked at
        return "".join([*traceback.format_tb(error.__traceback__), said(error)])


def _moment(given: datetime | str | None) -> datetime | None:
    try:
        moment = datetime.fromisoformat(given) if isinstance(given, str) else given
    except ValueError:
        raise RunError(
            f"time must be a moment such as '2026-01-31T12:00:00Z', got {given!r}"
        ) from None
    return moment.replace(tzinfo=UTC) if moment and moment.tzinfo is None else moment


def _stream_on_stream(compiled: CompiledGraph) -> str | None:
    """Return the text of the error where a generator gets the items of another one."""
    ways = followers(compiled.spec)
    streams = {name for name, code in compiled.steps.items() if code.is_stream}
    for first in (name for name in ways if name in streams):
        todo, seen = list(ways[first]), {first}
        while todo:
            name = todo.pop(0)
            if name in seen or compiled.steps[name].collects:
                continue
            if name in streams:
                return (
                    "Streaming on top of streaming is not allowed. Step "
                    f"{name!r} received a streaming event from {first!r}."
                )
            seen.add(name)
            todo += ways[name]
    return None


def _streamed(items: list[Any], error: BaseException | None) -> Iterator[Any]:
    """Yield the items of a stream one by one, and its failure where it broke off."""
    yield from items
    if error is not None:
        _, cause = blamed(error)
        raise StreamingError(said(cause)) from error


def _decoded(body: Any, content_type: str) -> Any:
    """Read a body as MLRun does: JSON where it says so, or says nothing and is."""
    if not isinstance(body, str | bytes | bytearray):
        return body
    kind = content_type.partition(";")[0].strip().lower()
    if kind not in JSON_TYPES:
        return body
    if kind and not body:
        raise BadRequestError(
            "Expecting value: line 1 column 1 (char 0), body is empty"
        )
    decoded = decode_body(body, "application/json" if kind else "")
    is_null = decoded is None and body.strip() in ("null", b"null")
    return body if decoded is None and not kind and not is_null else decoded


def _plain_body(event: Any) -> Any:
    body: Any = getattr(event, "body", None)
    is_binary = isinstance(body, bytes | bytearray)
    return body.decode("utf-8", "replace") if is_binary else body
