"""What the host uses of uvicorn's own: a new version that took it away fails here."""

import asyncio
import inspect
import re
from importlib import metadata
from pathlib import Path

import pytest
import uvicorn
from packaging.specifiers import SpecifierSet
from uvicorn.protocols.http import httptools_impl
from uvicorn.server import ServerState

from jupyter_graph.host import uvicorn_private
from jupyter_graph.host.nuclio_context import HostResponse
from jupyter_graph.host.send_response import send_result
from jupyter_graph.host.uvicorn_private import (
    CHECKED,
    USED,
    LimitedProtocol,
    QuietServer,
    cycle_of,
    has_begun,
    hung_up,
    whole_body,
)

NOW = f"uvicorn {metadata.version('uvicorn')}"
PYPROJECT = Path(__file__).parents[2] / "pyproject.toml"


class Wire(asyncio.Transport):
    """A transport that keeps what was written."""

    def __init__(self):
        super().__init__()
        self.written = b""
        self.is_closed = False

    def write(self, data):
        self.written += data

    def close(self):
        self.is_closed = True

    def is_closing(self):
        return self.is_closed

    def pause_reading(self):
        """Nothing is read."""

    resume_reading = pause_reading


def ask(app, *requests, end=None):
    """Send requests to an app over one connection; return its transport."""

    async def work():
        config = uvicorn.Config(app, lifespan="off", log_config=None, ws="none")
        config.load()
        state = ServerState()
        state.default_headers = [(b"date", b"today")]
        protocol = LimitedProtocol(config, state, {}, asyncio.get_running_loop())
        transport = Wire()
        protocol.connection_made(transport)
        for request in requests:
            protocol.data_received(request)
        if end is not None:
            await asyncio.sleep(0)
            end(protocol)
        await asyncio.gather(*state.tasks, return_exceptions=True)
        if protocol.parser is not None:
            protocol.connection_lost(None)
        return transport

    return asyncio.run(work())


POST = b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\n\r\n{}"


def test_the_version_of_uvicorn_is_one_that_was_checked():
    stated = re.search(r'"uvicorn(>=[^"]+)"', PYPROJECT.read_text()).group(1)

    assert stated == CHECKED
    assert metadata.version("uvicorn") in SpecifierSet(CHECKED), (
        f"{NOW} is outside of {CHECKED}: run these tests, then change CHECKED"
    )


def test_a_cycle_has_what_the_fast_way_uses():
    missing = []

    async def app(scope, receive, send):
        missing.extend(USED - vars(receive.__self__).keys())
        await send_result(HostResponse(body=b""), receive, send)

    ask(app, POST)

    assert not missing, f"the cycle of {NOW} lacks {missing}"
    assert uvicorn_private._CYCLE is httptools_impl.RequestResponseCycle


@pytest.mark.parametrize(
    ("ours", "theirs", "names"),
    [
        pytest.param(
            LimitedProtocol,
            httptools_impl.HttpToolsProtocol,
            "connection_made data_received on_message_begin on_headers_complete "
            "on_message_complete connection_lost",
            id="protocol",
        ),
        pytest.param(
            QuietServer, uvicorn.Server, "capture_signals on_tick", id="server"
        ),
    ],
)
def test_what_is_overridden_is_called_so_by_uvicorn(ours, theirs, names):
    def words(kind, name):
        method = getattr(kind, name, None)
        assert method is not None, f"{theirs.__name__} of {NOW} has no {name}"
        return list(inspect.signature(method).parameters)

    own = {name: words(ours, name) for name in names.split()}

    assert own == {name: words(theirs, name) for name in own}, NOW


ANSWERS = [
    pytest.param(
        HostResponse(body=b'{"a": 1}', content_type="application/json"), id="json"
    ),
    pytest.param(HostResponse(body=b""), id="empty"),
    pytest.param(HostResponse(body=b"no", status_code=404), id="404"),
    pytest.param(HostResponse(body=b"", status_code=204), id="204"),
    pytest.param(HostResponse({"x-a": "b"}, b"ok"), id="own-header"),
]


@pytest.mark.parametrize("answer", ANSWERS)
@pytest.mark.parametrize(
    "request_head", [b"POST / HTTP/1.1", b"HEAD / HTTP/1.1", b"GET / HTTP/1.0"]
)
def test_the_fast_way_sends_the_bytes_of_the_slow_one(
    monkeypatch, answer, request_head
):
    async def app(scope, receive, send):
        await send_result(answer, receive, send)

    asked = request_head + b"\r\nhost: a\r\n\r\n"
    fast = ask(app, asked).written
    monkeypatch.setattr(uvicorn_private, "_CYCLE", None)

    assert sorted(ask(app, asked).written.split(b"\r\n")) == sorted(fast.split(b"\r\n"))
    assert fast.endswith(b"\r\n\r\n" + answer.body) or b"HEAD" in asked


def test_without_the_cycle_everything_goes_the_slow_way(monkeypatch):
    monkeypatch.setattr(uvicorn_private, "_CYCLE", None)
    cycles = []

    async def app(scope, receive, send):
        cycles.append(cycle_of(receive))
        await send_result(HostResponse(body=b"ok"), receive, send)

    written = ask(app, POST).written

    assert cycles == [None]
    assert (whole_body(None), hung_up(None), has_begun(None)) == (None, False, False)
    assert written.endswith(b"\r\n\r\nok")


def test_two_answers_on_one_connection_are_whole():
    async def app(scope, receive, send):
        body = whole_body(cycle_of(receive))
        await send_result(HostResponse(body=body), receive, send)

    assert ask(app, POST + POST).written.count(b"\r\n\r\n{}") == 2


def test_a_caller_who_hangs_up_cancels_the_work():
    seen = []

    async def app(scope, receive, send):
        cycle = cycle_of(receive)
        cycle.task = asyncio.current_task()
        try:
            await asyncio.sleep(10)
        except asyncio.CancelledError as error:
            seen.append((str(error), hung_up(cycle)))

    ask(app, POST, end=lambda protocol: protocol.connection_lost(None))

    assert seen == [("the caller hung up", True)]


def test_a_request_that_does_not_arrive_is_refused():
    async def app(scope, receive, send):
        """Never called: the head does not end."""

    def later(protocol):
        protocol.close_when_overdue(protocol.since + uvicorn_private.HEADER_S + 1)

    transport = ask(app, b"POST / HTTP/1.1\r\n", end=later)

    assert transport.written.startswith(b"HTTP/1.1 408 ")
    assert transport.is_closed
