"""What the host takes, refuses and says over HTTP."""

import concurrent.futures
import json
import socket

import pytest
import requests

pytestmark = pytest.mark.slow

STEP = """
import asyncio
from jupyter_graph.errors import NotFoundError

def words():
    yield "a"
    yield "b"

def broken():
    yield {"n": 1}
    raise ValueError("mid")

async def step(event):
    if event.path == "/sleep":
        await asyncio.sleep(event.body)
    if event.path == "/words":
        event.body = words()
    elif event.path == "/broken":
        event.body = broken()
    elif event.path == "/missing":
        raise NotFoundError("no such thing")
    else:
        event.body = {"path": event.path, "method": event.method, "body": event.body,
                      "fields": dict(event.fields), "user": event.header("X-User")}
    return event
"""


@pytest.fixture(scope="module")
def host(module_host):
    """A host whose step tells what it saw; an event may take a second."""
    return module_host(STEP, engine="async", full_event=True, config={"timeout_s": 1.0})


def raw(host, data, *, limit_s=5.0):
    """Send bytes on a socket of their own; return all that comes until it is closed."""
    with socket.create_connection(("127.0.0.1", host.state["port"])) as connection:
        connection.settimeout(limit_s)
        connection.sendall(data)
        parts = []
        try:
            while part := connection.recv(65536):
                parts.append(part)
        except (TimeoutError, ConnectionResetError):
            pass
        return b"".join(parts)


def test_the_step_sees_path_method_query_and_headers(host):
    answer = host.post({"a": 1}, "/orders/7?q=1&r=%C3%A9", headers={"x-user": "ann"})

    assert answer.json() == {
        "path": "/orders/7",
        "method": "POST",
        "body": {"a": 1},
        "fields": {"q": "1", "r": "é"},
        "user": "ann",
    }


def test_a_get_without_a_body_gives_none(host):
    assert requests.get(host.url, timeout=5).json()["body"] is None


def test_a_body_that_is_not_json_is_400_with_the_callers_event_id(host):
    headers = {"Content-Type": "application/json", "X-Event-Id": "order-7"}

    answer = requests.post(host.url, data=b"{", headers=headers, timeout=5)

    assert (answer.status_code, answer.headers["content-type"]) == (
        400, "application/problem+json",
    )  # fmt: skip
    assert answer.json()["event_id"] == "order-7"


@pytest.mark.parametrize(
    ("header", "value", "status"),
    [
        ("Host", "evil.example", 421),
        ("Host", "127.0.0.1.evil.example", 421),
        ("Origin", "http://evil.example", 403),
        ("Origin", "null", 403),
        ("Host", "localhost:1234", 200),
        ("Origin", "http://localhost:8888", 200),
        ("Origin", "http://[::1]:8888", 200),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE", "OPTIONS"])
@pytest.mark.parametrize("path", ["/", "/metrics", "/healthz"])
def test_only_names_of_this_machine_may_call(host, header, value, status, method, path):
    if status == 200 and path != "/" and method != "GET":
        status = 405

    answer = requests.request(
        method, host.url + path, headers={header: value}, timeout=5
    )

    assert answer.status_code == status


@pytest.mark.parametrize(
    ("head", "status"),
    [
        pytest.param(b"GET / HTTP/1.1\r\n\r\n", b"400", id="no-host"),
        pytest.param(
            b"GET / HTTP/1.1\r\nHost: localhost\r\nHost: a\r\n\r\n",
            b"4",
            id="two-hosts",
        ),
        pytest.param(
            b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n"
            b"Content-Length: 3\r\n\r\n{}x",
            b"400",
            id="two-lengths",
        ),
        pytest.param(
            b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            b"400",
            id="length-and-chunked",
        ),
        pytest.param(b"nonsense\r\n\r\n", b"400", id="nonsense"),
        pytest.param(
            b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 400_000,
            b"431",
            id="431",
        ),
    ],
)
def test_a_crooked_request_is_refused_and_closed(host, head, status):
    answer = raw(host, head)

    assert answer.split(b" ", 2)[1].startswith(status)


@pytest.mark.timeout(40)
def test_connections_that_do_not_send_their_head_are_closed(host):
    heads = [b"", b"GET / HTTP/1.1\r\nHo"]

    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda head: raw(host, head, limit_s=15), heads))

    assert [answer.split(b"\r\n")[0] for answer in answers] == [
        b"HTTP/1.1 408 Request Timeout"
    ] * 2


def chunks(size):
    yield b'"' + b"x" * size + b'"'


@pytest.mark.parametrize(
    "make", [lambda size: b"x" * size, chunks], ids=["whole", "chunked"]
)
def test_a_body_over_4_mib_is_413(host, make):
    answer = requests.post(host.url, data=make(5_000_000), timeout=10)

    assert answer.status_code == 413
    assert "4194304 bytes" in answer.json()["detail"]


def test_a_body_of_4_mib_goes_through(host):
    body = b'"' + b"x" * (4 * 1024 * 1024 - 2) + b'"'

    answer = requests.post(host.url, data=body, timeout=15)

    assert len(answer.json()["body"]) == len(body) - 2


def test_an_endless_body_is_not_read_to_its_end(host):
    head = b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunk = b"100000\r\n" + b"x" * 0x100000 + b"\r\n"
    sent = 0
    with socket.create_connection(("127.0.0.1", host.state["port"])) as connection:
        connection.settimeout(8)
        connection.sendall(head)
        try:
            while sent < 200:
                connection.sendall(chunk)
                sent += 1
        except OSError:
            pass

    assert sent < 100


def test_an_event_past_its_deadline_is_408_and_its_neighbours_go_on(host):
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        slow = pool.submit(host.post, 5, "/sleep")
        quick = pool.submit(host.post, 0.1, "/sleep")

        assert quick.result().status_code == 200
        assert slow.result().status_code == 408


def test_a_step_says_404_by_a_status_error(host):
    answer = host.post({}, "/missing")

    assert (answer.status_code, answer.json()["step"]) == (404, "step")


def test_a_generator_leaves_piece_by_piece(host):
    answer = host.post({}, "/words")

    assert answer.headers["transfer-encoding"] == "chunked"
    assert answer.text == "ab"


def test_a_stream_that_breaks_off_is_seen_to_break_off(host):
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        host.post({}, "/broken")

    assert host.post({}).status_code == 200


def test_several_requests_on_one_connection_are_answered_in_order(host):
    one = b"GET /%d HTTP/1.1\r\nHost: localhost\r\n%s\r\n"
    close = b"Connection: close\r\n"

    answer = raw(host, one % (1, b"") + one % (2, b"") + one % (3, close))

    assert [answer.find(b'"/%d"' % number) > 0 for number in (1, 2, 3)] == [True] * 3
    assert answer.find(b'"/1"') < answer.find(b'"/2"') < answer.find(b'"/3"')


def test_expect_100_continue_is_answered(host):
    head = (
        b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n"
        b"Connection: close\r\nExpect: 100-continue\r\n\r\n{}"
    )

    answer = raw(host, head)

    assert answer.startswith(b"HTTP/1.1 100 Continue")
    assert b"HTTP/1.1 200 OK" in answer


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/__internal/health"])
def test_health_is_asked_with_get(host, path):
    assert requests.get(host.url + path, timeout=5).status_code == 200
    assert requests.head(host.url + path, timeout=5).status_code == 200


def test_openapi_names_the_function(host):
    document = requests.get(host.url + "/openapi.json", timeout=5).json()

    assert document["info"]["title"] == "made"
    assert "/" in document["paths"]


def test_too_many_in_flight_are_429_with_retry_after(module_host):
    host = module_host(STEP, "--max-in-flight", "2", engine="async", full_event=True)

    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: host.post(0.5, "/sleep"), range(6)))
    refused = [answer for answer in answers if answer.status_code == 429]

    assert len(refused) == 4
    assert {answer.headers["retry-after"] for answer in refused} == {"1"}


@pytest.mark.parametrize(
    ("token", "status"), [(None, 401), ("wrong", 401), ("right", 200)]
)
def test_a_token_is_asked_for_where_one_is_set(module_host, token, status):
    host = module_host(
        STEP, engine="async", full_event=True, env={"JUPYTER_GRAPH_TOKEN": "right"}
    )
    headers = {"Authorization": f"Bearer {token}"} if token else {}

    answer = host.post({}, headers=headers)
    health = requests.get(host.url + "/healthz", timeout=5)

    assert (answer.status_code, health.status_code) == (status, 200)


def test_a_name_that_is_allowed_may_call(module_host):
    host = module_host(
        STEP, "--allow-host", "Proxy.example", engine="async", full_event=True
    )

    answer = host.post({}, headers={"Host": "proxy.example:443"})

    assert answer.status_code == 200


def test_metrics_are_the_sum_over_all_workers(module_host):
    host = module_host(STEP, "--workers", "2", engine="async", full_event=True)
    answers = [requests.get(host.url, timeout=5).status_code for _ in range(20)]

    text = requests.get(host.url + "/metrics", timeout=5).text
    samples = {
        line.partition("{")[0]: float(line.rpartition(" ")[2])
        for line in text.splitlines()
        if "{" in line and 'result="failure"' not in line
    }

    assert answers == [200] * 20
    assert samples["nuclio_processor_handled_events_total"] == 20
    assert samples["nuclio_processor_handled_events_duration_milliseconds_count"] == 20
    assert samples["nuclio_processor_handled_events_duration_milliseconds_sum"] > 0
    assert samples["nuclio_processor_worker_allocation_count"] == 20


def test_what_steps_print_and_log_become_lines_of_json(module_host):
    source = (
        "def step(body, context):\n"
        "    print('printed', body)\n"
        "    context.logger.info_with('logged', order=body)\n"
        "    return body\n"
    )
    host = module_host(source)
    host.post(7)

    lines = {line["message"]: line for line in host.log}

    assert lines["printed 7"]["with"]["worker_id"] == "0"
    assert lines["logged"]["with"] == {"worker_id": "0", "order": 7}
    assert {"datetime", "level", "message", "with"} == set(lines["logged"])


def test_json_of_the_state_file_is_complete(host):
    assert set(host.state) == {"pid", "port", "url", "name", "started", "workers"}
    assert json.loads((host.folder / "state" / "host.json").read_text()) == host.state
