"""RemoteStep and BatchHttpRequests against a real HTTP server."""

import asyncio
import gzip
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from jupyter_graph import Graph, StepError
from jupyter_graph.errors import DeadlineError, GatewayTimeoutError, SpecError
from jupyter_graph.event import Event
from jupyter_graph.run.context import Context
from jupyter_graph.steps.remote.remote_step import BatchHttpRequests, RemoteStep


class Peer(BaseHTTPRequestHandler):
    """Answers with what it got; a path may ask for a status, a failure, a redirect."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body in one packet

    def log_message(self, *_):
        pass

    def handle_any(self):
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length).decode()
        self.server.seen.append((self.path, dict(self.headers)))
        kind, _, rest = self.path.lstrip("/").partition("/")
        answer = getattr(self, f"answer_{kind}", self.answer_echo)
        status, headers, payload = answer(rest, body)
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(payload)

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = do_HEAD = handle_any

    def answer_echo(self, _, body):
        said = {
            "method": self.command,
            "path": self.path,
            "body": body,
            "type": self.headers.get("Content-Type"),
        }
        return 200, {"Content-Type": "application/json"}, json.dumps(said).encode()

    def answer_status(self, rest, _):
        return int(rest), {"Content-Type": "application/json"}, b'{"why": "so"}'

    def answer_flaky(self, rest, _):
        count = sum(path == self.path for path, _ in self.server.seen)
        status = 503 if count <= int(rest.partition("/")[0]) else 200
        return status, {"Retry-After": "0"}, json.dumps({"attempt": count}).encode()

    def answer_slow(self, *_):
        self.server.gate.wait(5)
        return 200, {}, b"1"

    def answer_text(self, *_):
        return 200, {"Content-Type": "text/plain"}, b"hello"

    def answer_empty(self, *_):
        return 204, {}, b""

    def answer_gzip(self, *_):
        return 200, {"Content-Encoding": "gzip"}, gzip.compress(b'{"packed": true}')

    def answer_to(self, rest, _):
        status, _, place = rest.partition("/")
        return int(status), {"Location": place}, b"away"

    def answer_around(self, *_):
        return 302, {"Location": "/around"}, b""


@pytest.fixture
def peer():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Peer)
    server.daemon_threads, server.seen = True, []
    server.handle_error = lambda *_: None  # callers that do not wait for the answer
    server.gate = threading.Event()
    server.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield server
    server.gate.set()
    server.shutdown()
    server.server_close()
    thread.join()


def ask(step, body=None, **facts):
    """Send one event through a step on a loop of its own; give the new body."""

    async def once():
        return (await step.do_event(Event(body, **facts))).body

    return asyncio.run(once())


# -- requests -------------------------------------------------------------------


@pytest.mark.parametrize("engine", ["sync", "async"])
def test_a_graph_of_either_engine_asks_the_service(open_runner, peer, engine):
    graph = Graph("asks", engine=engine)
    graph.to("$remote", "r", class_args={"url": f"{peer.url}/echo"}).respond()

    answer = open_runner(graph).run({"z": 1})

    assert answer["body"] == '{"z": 1}'
    assert answer["type"] == "application/json"


@pytest.mark.parametrize(
    ("body", "sent", "content_type"),
    [
        pytest.param({"z": 1}, '{"z": 1}', "application/json", id="object"),
        pytest.param([1, None], "[1, null]", "application/json", id="list"),
        pytest.param(0, "0", "application/json", id="number"),
        pytest.param("text", "text", None, id="text"),
        pytest.param(b"raw", "raw", None, id="bytes"),
        pytest.param(None, "", None, id="nothing"),
    ],
)
def test_a_body_is_sent_as_what_it_is(peer, body, sent, content_type):
    answer = ask(RemoteStep(f"{peer.url}/echo"), body)

    assert (answer["body"], answer["type"]) == (sent, content_type)


@pytest.mark.parametrize(
    ("own", "events", "sent"),
    [
        pytest.param("put", "POST", "PUT", id="the-steps"),
        pytest.param(None, "PATCH", "PATCH", id="the-events"),
        pytest.param(None, "", "POST", id="none"),
    ],
)
def test_the_method_is_the_steps_else_the_events(peer, own, events, sent):
    step = RemoteStep(f"{peer.url}/echo", method=own)

    assert ask(step, {"z": 1}, method=events)["method"] == sent


def test_get_sends_no_body(peer):
    answer = ask(RemoteStep(f"{peer.url}/echo"), {"z": 1}, method="GET")

    assert (answer["body"], answer["type"]) == ("", None)


@pytest.mark.parametrize(
    ("arguments", "path", "asked"),
    [
        pytest.param({"subpath": "$path"}, "/a/b", "/echo/a/b", id="events-path"),
        pytest.param({"subpath": "/v1/x"}, "/a", "/echo/v1/x", id="fixed"),
        pytest.param({}, "/a", "/echo", id="none"),
        pytest.param(
            {"url_expression": "endpoint + '/' + event['to']"}, "/", "/echo/t", id="e"
        ),
    ],
)
def test_the_url_may_grow(peer, arguments, path, asked):
    step = RemoteStep(f"{peer.url}/echo/", **arguments)

    assert ask(step, {"to": "t"}, path=path)["path"] == asked


@pytest.mark.parametrize(
    "path", ["/../admin", "/a/%2e%2e/admin", "/a\\..\\admin", "/a/..;x/admin"]
)
def test_the_events_path_does_not_lead_upwards(peer, path):
    with pytest.raises(Exception, match="leads upwards"):
        ask(RemoteStep(f"{peer.url}/echo", subpath="$path"), {}, path=path)

    assert peer.seen == []


def test_expressions_compute_body_and_headers(peer):
    step = RemoteStep(
        f"{peer.url}/echo",
        body_expression="event['data']",
        headers_expression="{'X-User': event['user'], 'X-None': None}",
    )

    answer = ask(step, {"data": [1], "user": "ann"})

    assert answer["body"] == "[1]"
    assert peer.seen[0][1]["X-User"] == "ann"
    assert "X-None" not in peer.seen[0][1]


def test_an_event_takes_its_id_path_and_trace_along(peer):
    trace = "00-" + "a" * 32 + "-" + "b" * 16 + "-01"
    headers = {"Traceparent": trace, "tracestate": "v=1", "X-User": "ann"}
    step = RemoteStep(f"{peer.url}/echo", forward_headers=["x-user", "X-Not-There"])

    ask(step, {}, id="ev-1", path="/p", headers=headers)
    sent = {name.lower(): value for name, value in peer.seen[0][1].items()}

    assert sent["mlrun-event-id"] == "ev-1"
    assert sent["mlrun-event-path"] == "/p"
    assert sent["traceparent"].startswith("00-" + "a" * 32)
    assert sent["traceparent"][36:52] != "b" * 16
    assert (sent["tracestate"], sent["x-user"]) == ("v=1", "ann")
    assert sent["x-event-attempt"] == "1"
    assert "x-not-there" not in sent


def test_an_event_without_a_trace_begins_one_under_its_id(peer):
    event_id = "0123456789abcdef" * 2

    ask(RemoteStep(f"{peer.url}/echo"), {}, id=event_id)

    assert peer.seen[0][1]["traceparent"].split("-")[1] == event_id


def test_the_root_path_is_not_sent(peer):
    ask(RemoteStep(f"{peer.url}/echo"), {}, path="/")

    assert "MLRUN-EVENT-PATH" not in peer.seen[0][1]


def test_secrets_are_named_and_never_shown(peer):
    context = Context(secrets={"TOKEN": "hunter2"})
    step = RemoteStep(
        f"{peer.url}/status/401",
        secret_headers={"Authorization": "Bearer {TOKEN}"},
        context=context,
    )

    with pytest.raises(Exception, match="bad http response 401") as failed:
        ask(step, {})

    assert peer.seen[0][1]["Authorization"] == "Bearer hunter2"
    assert "hunter2" not in f"{failed.value!r}{step!r}"


@pytest.mark.parametrize(
    "path", ["/a\r\nX-Injected: 1", "/a\nb", "/\x00"], ids=["crlf", "lf", "nul"]
)
def test_no_header_is_smuggled_in_by_an_event(peer, path):
    with pytest.raises(Exception, match="control character"):
        ask(RemoteStep(f"{peer.url}/echo"), {}, path=path)

    assert peer.seen == []


# -- answers --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "return_json", "answer"),
    [
        pytest.param("text", False, b"hello", id="bytes"),
        pytest.param("status/200", False, {"why": "so"}, id="said-to-be-json"),
        pytest.param("gzip", True, {"packed": True}, id="packed"),
        pytest.param("empty", True, None, id="nothing"),
    ],
)
def test_an_answer_is_read(peer, path, return_json, answer):
    assert ask(RemoteStep(f"{peer.url}/{path}", return_json=return_json), {}) == answer


def test_an_answer_that_is_not_json_says_so(peer):
    with pytest.raises(Exception, match=r"not JSON \(text/plain\): Expecting value"):
        ask(RemoteStep(f"{peer.url}/text"), {})


def test_a_4xx_answer_is_final(peer):
    step = RemoteStep(f"{peer.url}/status/404", backoff_factor=0)

    with pytest.raises(Exception, match=r"bad http response 404.*so") as failed:
        ask(step, {}, id="e1", path="/x")

    assert len(peer.seen) == 1
    assert failed.value.status_code == 502
    assert "method POST, event id e1, path /x" in str(failed.value)


def test_a_5xx_answer_is_tried_again_until_it_works(peer):
    step = RemoteStep(f"{peer.url}/flaky/2", retries=2, backoff_factor=0)

    assert ask(step, {}) == {"attempt": 3}
    assert [sent["X-Event-Attempt"] for _, sent in peer.seen] == ["1", "2", "3"]


def test_the_last_failure_is_the_one_that_is_told(peer):
    step = RemoteStep(f"{peer.url}/status/500", retries=2, backoff_factor=0)

    with pytest.raises(Exception, match=r"bad http response 500.*\(3 attempts\)"):
        ask(step, {})


def test_a_slow_service_is_a_504(peer):
    step = RemoteStep(f"{peer.url}/slow", timeout=0.05, retries=1, backoff_factor=0)

    with pytest.raises(GatewayTimeoutError, match=r"timed out after 0\.05 s"):
        ask(step, {})

    assert len(peer.seen) == 2


def test_nobody_there_is_a_502():
    step = RemoteStep("http://127.0.0.1:9/x", retries=0)

    with pytest.raises(Exception, match="cannot invoke url") as failed:
        ask(step, {})

    assert failed.value.status_code == 502


def test_an_event_whose_time_is_up_is_not_sent(peer):
    with pytest.raises(DeadlineError, match="nothing was sent"):
        ask(RemoteStep(f"{peer.url}/echo"), {}, deadline=time.monotonic() - 1)

    assert peer.seen == []


def test_the_time_left_goes_along_and_ends_the_retries(peer):
    step = RemoteStep(f"{peer.url}/status/500", retries=5, backoff_factor=60)

    with pytest.raises(Exception, match="bad http response 500"):
        ask(step, {}, deadline=time.monotonic() + 5)

    [(_, sent)] = peer.seen
    assert 0 < int(sent["X-Event-Time-Left-Ms"]) <= 5000


def test_other_events_go_on_while_one_waits(open_runner, peer):
    graph = Graph("waits")
    expression = "endpoint + event['to']"
    graph.to("$remote", "r", url=peer.url, url_expression=expression).respond()
    runner = open_runner(graph)

    async def both():
        slow = asyncio.ensure_future(runner.arun({"to": "/slow"}))
        fast = await runner.arun({"to": "/echo"})
        peer.gate.set()
        return fast["path"], await slow

    assert asyncio.run(both()) == ("/echo", 1)


# -- redirects ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "method", "body"),
    [
        pytest.param(307, "POST", '{"z": 1}', id="307-keeps-the-body"),
        pytest.param(308, "POST", '{"z": 1}', id="308-keeps-the-body"),
        pytest.param(302, "GET", "", id="302-becomes-get"),
        pytest.param(303, "GET", "", id="303-becomes-get"),
    ],
)
def test_a_redirect_within_the_host_is_followed(peer, status, method, body):
    answer = ask(RemoteStep(f"{peer.url}/to/{status}//echo"), {"z": 1})

    assert (answer["path"], answer["method"], answer["body"]) == ("/echo", method, body)


@pytest.mark.parametrize(
    "place",
    [
        "http://169.254.169.254/latest/meta-data/",
        "http://localhost:{port}/echo",
        "http://127.0.0.1:9/echo",
        "//example.com/echo",
        "https://127.0.0.1:{port}/echo",
        "file:///etc/passwd",
        "http://[::1/",
    ],
)
def test_a_redirect_elsewhere_is_not_followed(peer, place):
    place = place.format(port=peer.server_port)

    with pytest.raises(Exception, match="redirects to another host"):
        ask(RemoteStep(f"{peer.url}/to/307/{place}", retries=0), {})

    assert len(peer.seen) == 1


def test_a_redirect_in_a_circle_ends(peer):
    with pytest.raises(Exception, match="more than 5 redirects"):
        ask(RemoteStep(f"{peer.url}/around"), {})


# -- what may be asked ----------------------------------------------------------


def test_a_deployed_function_does_not_start_with_a_loopback_url():
    with pytest.raises(SpecError, match="allow_hosts opens it"):
        RemoteStep("http://127.0.0.1:8000/", context=Context(is_deployed=True))


def test_a_deployed_function_calls_no_private_host_that_an_event_names():
    step = RemoteStep(url_expression="event['url']", context=Context(is_deployed=True))

    with pytest.raises(Exception, match="closed here") as failed:
        ask(step, {"url": "http://10.0.0.1/"})

    assert failed.value.status_code == 403


def test_a_list_opens_loopback_in_a_deployed_function(peer):
    step = RemoteStep(
        f"{peer.url}/echo",
        allow_hosts=["127.0.0.0/8"],
        context=Context(is_deployed=True),
    )

    assert ask(step, {"z": 1})["path"] == "/echo"


def test_a_parity_check_sends_nothing(peer):
    for kind in (RemoteStep, BatchHttpRequests):
        step = kind(f"{peer.url}/echo", context=Context(is_parity=True))

        assert ask(step, [{"z": 1}]) == [{"z": 1}]
    assert peer.seen == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "url or url_expression"),
        ({"url_expression": 5}, "an expression is a text, got 5"),
        ({"url": "scorer"}, "name of an MLRun function"),
        ({"url": "ftp://x"}, "other schemes"),
        ({"url": "http://x", "method": "FLY"}, "method must be one of"),
        ({"url": "http://x", "headers": {"A": "1\r\nB: 2"}}, "line break"),
        ({"url": "http://x", "headers": {"A B": "1"}}, "name of a header"),
        ({"url": "http://x", "headers": [1]}, "headers must be an object"),
        ({"url": "http://x", "retries": -1}, "retries must be 0 to 100"),
        ({"url": "http://x", "backoff_factor": -1}, "backoff must be 0"),
        ({"url": "http://x", "timeout": 0}, "timeout must be above 0"),
        ({"url": "http://x", "max_in_flight": 0}, "max_in_flight must be 1"),
        ({"url": "http://x", "url_expression": "event.__class__"}, "__class__"),
        ({"url_expression": "open('x')"}, "open"),
        ({"url_expression": "endpoint +"}, "endpoint"),
        ({"url": "http://x", "secret_headers": {"A": "NO_SUCH"}}, "NO_SUCH"),
        ({"url": "http://x", "secret_headers": {"A": "sk-123"}}, "never its value"),
        ({"url": "http://x", "forward_headers": "x-user"}, "must be a list"),
    ],
)
def test_a_wrong_argument_is_refused_before_any_event(arguments, message):
    with pytest.raises(SpecError, match=message):
        RemoteStep(**arguments)


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("mlrun.serving.remote.MLRunAPIRemoteStep", "the API's URL"),
        ("RemoteFunctionStep", "the function's URL"),
    ],
)
def test_steps_that_need_mlrun_say_what_to_write(open_runner, name, hint):
    graph = Graph("needs")
    graph.to(name, "r", class_args={"method": "GET"}).respond()

    with pytest.raises(SpecError, match=hint):
        open_runner(graph)


# -- many at once ---------------------------------------------------------------


def test_a_list_is_asked_for_item_by_item(run_graph, peer):
    graph = Graph("batch")
    graph.to(
        "BatchHttpRequests",
        "r",
        url_expression="event['url']",
        body_expression="event['data']",
        method="POST",
        max_in_flight=2,
    ).respond()
    items = [{"url": f"{peer.url}/echo/{at}", "data": at} for at in range(5)]

    [answers] = run_graph(graph, [items])

    assert [answer["path"] for answer in answers] == [f"/echo/{at}" for at in range(5)]
    assert [answer["body"] for answer in answers] == ["0", "1", "2", "3", "4"]
    assert all("MLRUN-EVENT-ID" not in sent for _, sent in peer.seen)


def test_items_without_a_body_and_an_empty_list(peer):
    step = BatchHttpRequests(f"{peer.url}/echo")

    assert [answer["body"] for answer in ask(step, [None, "t"])] == ["", "t"]
    assert ask(step, []) == []


def test_an_item_that_fails_is_named_and_ends_the_others(peer):
    step = BatchHttpRequests(url_expression="event", retries=0, max_in_flight=2)
    items = [f"{peer.url}/slow", f"{peer.url}/status/404", f"{peer.url}/echo"]

    with pytest.raises(Exception, match=r"request 2 of 3: .* bad http response 404"):
        ask(step, items)

    assert len(peer.seen) <= 2


@pytest.mark.parametrize("body", [{"a": 1}, "text", None])
def test_a_batch_takes_a_list(body):
    with pytest.raises(Exception, match="must be a list of requests"):
        ask(BatchHttpRequests("http://models.internal"), body)


def test_a_batch_takes_one_way_to_say_the_url():
    with pytest.raises(SpecError, match="not both"):
        BatchHttpRequests("http://x", url_expression="event")


def test_a_failed_event_names_its_step(run_step, peer):
    with pytest.raises(StepError, match=r"step 'it' failed.*404"):
        run_step(RemoteStep, [{}], url=f"{peer.url}/status/404")


def test_a_step_works_on_one_loop_after_another(peer):
    step = RemoteStep(f"{peer.url}/echo")

    assert [ask(step, at)["body"] for at in range(3)] == ["0", "1", "2"]
