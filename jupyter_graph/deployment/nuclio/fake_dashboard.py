"""A Nuclio dashboard for tests: a real HTTP server that answers as a real one does.

It builds nothing. Recorded from Nuclio 1.14 with nuclio-jupyter 0.13: 202 with an
empty body for most wrong fields, the cause of a failure in ``status.logs[].err`` only.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from jupyter_graph.deployment.nuclio.nuclio_types import DURATION

STATES = (
    "waitingForBuild",
    "building",
    "waitingForResourceConfiguration",
    "configuringResources",
)
Route = Callable[[str, Any], tuple[int, Any]]


@dataclass
class Function:
    """One function: its document, and how many states it has been through."""

    document: dict[str, Any]
    end: str = "ready"
    err: str = ""
    asked: int = 0
    logs: list[dict[str, Any]] = field(default_factory=list)


class FakeDashboard:
    """A dashboard on 127.0.0.1; use it in a ``with`` statement.

    Attributes:
        url: where it listens.
        functions: name → function.
        requests: method, path and document of everything it was asked.
        end: the state in which the next function ends: ``ready``, ``error``,
            ``unhealthy``, ``scaledToZero``, ``imported``, or ``building`` for ever.
        err: what its logs then say.
        refusal: status and error of the next POST or PUT of a function.

    >>> with FakeDashboard() as dashboard:
    ...     dashboard.url.startswith("http://127.0.0.1:")
    True
    """

    def __init__(self) -> None:
        self.projects: dict[str, Any] = {
            "default": {"metadata": {"name": "default"}, "spec": {}}
        }
        self.functions: dict[str, Function] = {}
        self.requests: list[tuple[str, str, Any]] = []
        self.end = "ready"
        self.err = ""
        self.refusal: tuple[int, str] | None = None
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler_of(self))
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.01}
        )
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def sent(self, method: str, path: str) -> list[Any]:
        """Return the documents of the requests with this method and path."""
        return [doc for verb, at, doc in self.requests if (verb, at) == (method, path)]

    def answer(
        self, method: str, path: str, document: Any
    ) -> tuple[int, Mapping[str, Any] | None]:
        """Return status and document for one request; None is an empty body."""
        with self._lock:
            self.requests.append((method, path, document))
            for verb, prefix, answer in self._routes():
                if method == verb and path.startswith(prefix):
                    return answer(path.removeprefix(prefix).strip("/"), document)
        return 404, _error("Not Found")

    def _routes(self) -> Iterator[tuple[str, str, Route]]:
        yield "GET", "/api/projects", lambda _, __: (200, self.projects)
        yield "POST", "/api/projects", self._make_project
        yield "GET", "/api/functions", self._show
        yield "POST", "/api/functions", self._create
        yield "PUT", "/api/functions", self._update
        yield "DELETE", "/api/functions", self._delete
        yield (
            "GET",
            "/api/external_ip_addresses",
            lambda _, __: (200, {"externalIPAddresses": {"addresses": ["127.0.0.1"]}}),
        )
        yield "POST", "/events/", self._event

    def _make_project(self, _: str, document: Any) -> tuple[int, Any]:
        self.projects[document["metadata"]["name"]] = document
        return 201, document

    def _show(self, name: str, _: Any) -> tuple[int, Any]:
        if not name:
            return 200, {key: self._view(f) for key, f in self.functions.items()}
        if name not in self.functions:
            return 404, _error("Function not found")
        function = self.functions[name]
        function.asked += 1
        return 200, self._view(function)

    def _create(self, _: str, document: Any) -> tuple[int, Any]:
        name = (document.get("metadata") or {}).get("name")
        if not name:
            return 400, _error("Function name must be provided in metadata")
        if name in self.functions:
            return 409, _error("Function name already exists")
        return self._take(name, document)

    def _update(self, name: str, document: Any) -> tuple[int, Any]:
        if name not in self.functions:
            return 404, _error("Function not found")
        return self._take(name, document)

    def _take(self, name: str, document: Any) -> tuple[int, Any]:
        if self.refusal is not None:
            status, text = self.refusal
            return status, _error(text)
        if wrong := refused(document.get("spec") or {}):
            return 400, _error(wrong)
        timeout = document["spec"].get("eventTimeout", "1s")
        end, err = self.end, self.err
        if not DURATION.fullmatch(str(timeout)):  # accepted, and fails later
            end, err = "error", f'time: invalid duration "{timeout}"'
        self.functions[name] = Function(document, end, err)
        return 202, None

    def _delete(self, _: str, document: Any) -> tuple[int, Any]:
        name = document["metadata"]["name"]
        if self.functions.pop(name, None) is None:
            return 404, _error("Function not found")
        return 204, None

    def _event(self, name: str, document: Any) -> tuple[int, Any]:
        name = name.partition("/")[0]
        return 200, {"function": name, "body": document}

    def _view(self, function: Function) -> dict[str, Any]:
        """Show a function; asking moves it one state on."""
        # A client that looks once sees a function that is not ready.
        states: tuple[str, ...] = (*STATES, function.end)
        states = states[: states.index(function.end) + 1]
        state = states[min(function.asked, len(states)) - 1]
        self._log(function, state)
        status: dict[str, Any] = {"state": state, "logs": list(function.logs)}
        if state == "unhealthy":
            status["message"] = "\n"
        if state in ("ready", "scaledToZero"):
            name = function.document["metadata"]["name"]
            at = f"{self.url.removeprefix('http://')}/events/{name}"
            inside = f"nuclio-{name}.default.svc.cluster.local:8080"
            status["internalInvocationUrls"] = [inside]
            status["externalInvocationUrls"] = [at]
        return {**function.document, "status": status}

    def _log(self, function: Function, state: str) -> None:
        if state in [log["state"] for log in function.logs]:
            return
        has_failed = state in ("error", "unhealthy")
        log = {
            "level": "error" if has_failed else "info",
            "message": f"Function is {state}",
            "name": "deployer",
            "time": time.time() * 1000,
            "state": state,
        }
        if has_failed and function.err:
            log["err"] = function.err
        function.logs.append(log)


def refused(spec: Mapping[str, Any]) -> str:
    """Return why a real dashboard would refuse a spec at once; "" when it would not."""
    triggers = (spec.get("triggers") or {}).values()
    if sum(trigger.get("kind") == "http" for trigger in triggers) > 1:
        return "There's more than one http trigger (unsupported)"
    low, high = spec.get("minReplicas"), spec.get("maxReplicas")
    if low is not None and high is not None and low > high:
        return f"minReplicas ({low}) must be less than or equal to maxReplicas ({high})"
    for trigger in triggers:
        is_explicit = trigger.get("explicitAckMode") in ("enable", "explicitOnly")
        attributes = trigger.get("attributes") or {}
        if is_explicit and attributes.get("workerAllocationMode", "pool") == "pool":
            return "Explicit ack mode is not allowed when using worker pool allocation"
    return ""


def _error(text: str) -> dict[str, str]:
    return {"error": text, "errorStackTrace": f"\nError - {text}\n    server.go:1"}


def _handler_of(dashboard: FakeDashboard) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            try:
                document = json.loads(body) if body else None
            except ValueError:
                document = body.decode("utf-8", "replace")
            status, reply = dashboard.answer(self.command, self.path, document)
            payload = b"" if reply is None else json.dumps(reply).encode()
            self.send_response(status)
            if payload:
                self.send_header("Content-Type", "application/json")
            if status != 204:
                self.send_header("Content-Length", str(len(payload)))
            self.end_headers()
            self.wfile.write(payload)

        do_GET = do_POST = do_PUT = do_DELETE = _serve

        def log_message(self, format: str, *args: Any) -> None:
            """Write nothing: the test looks at ``requests``."""

    return Handler
