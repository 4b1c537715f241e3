"""Rows over HTTP, with a real server."""

import gzip
import io
import itertools
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pandas as pd
import pytest

from jupyter_graph import Graph
from jupyter_graph.connectors.http_source import HTTPSource
from jupyter_graph.connectors.http_target import HTTPTarget
from jupyter_graph.connectors.open_source import open_source
from jupyter_graph.errors import (
    GatewayTimeoutError,
    ServiceUnavailableError,
    SpecError,
    UnprocessableError,
)
from jupyter_graph.run.context import Context

pytestmark = pytest.mark.integration
ROWS = [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}]
CSV = b"a,b\n1,x\n2,y\n"
LINES = b'{"a": 1, "b": "x"}\n{"a": 2, "b": "y"}\n'


def parquet():
    kept = io.BytesIO()
    pd.DataFrame(ROWS).to_parquet(kept)
    return kept.getvalue()


PAGES = {
    "/rows.csv": ("text/plain", CSV),
    "/rows.csv.gz": ("application/gzip", gzip.compress(CSV)),
    "/rows.jsonl?day=1": ("text/plain", LINES),
    "/rows.parquet": ("x", parquet()),
    "/rows.tsv": ("x", CSV.replace(b",", b"\t")),
    "/typed/csv": ("text/csv; charset=utf-8", CSV),
    "/typed/lines": ("application/x-ndjson", LINES),
    "/typed/list": ("application/json", json.dumps(ROWS).encode()),
    "/unknown": ("text/html", b"<html>"),
}


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Answers)
        self.requests = []
        self.statuses = []  # of the next answers, 200 when there is none
        self.gate = threading.Event()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}"


class Answers(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if self.server.statuses:
            return self.answer(self.server.statuses.pop(0))
        if self.path == "/moved":
            return self.answer(302, location="/rows.csv")
        if self.path == "/short.csv":
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            self.wfile.write(CSV)
            self.close_connection = True
            return None
        if self.path == "/packed.csv":
            return self.answer(200, gzip.compress(CSV), "text/csv", packed="gzip")
        kind, data = PAGES.get(self.path, (None, b""))
        return self.answer(200 if kind else 404, data, kind or "x")

    def do_POST(self):
        data = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.requests.append((self.path, dict(self.headers), data))
        if self.path == "/slow":
            self.server.gate.wait(10)
        status = self.server.statuses.pop(0) if self.server.statuses else 200
        self.answer(status, b"no such user" if status == 422 else b"")

    do_PUT = do_POST

    def answer(self, status, data=b"", kind="x", location=None, packed=None):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        if location:
            self.send_header("Location", location)
        if packed:
            self.send_header("Content-Encoding", packed)
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    with Server() as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        server.gate.set()
        server.shutdown()


def bodies(server):
    return [json.loads(data) for _, _, data in server.requests]


@pytest.mark.parametrize("path", [*list(PAGES)[:-1], "/packed.csv", "/moved"])
def test_a_source_reads_each_format(server, path):
    options = {"format": "csv"} if path == "/moved" else {}
    source = open_source(server.url + path, **options)

    assert list(source) == ROWS
    assert [b.to_dict("records") for b in source.batches(1, kind="pandas")] == [
        [row] for row in ROWS
    ]


@pytest.mark.parametrize(
    ("path", "error", "message"),
    [
        pytest.param("/gone.csv", OSError, "GET .*/gone.csv answered 404", id="404"),
        pytest.param("/unknown", ValueError, "'text/html'.*format=", id="format"),
        pytest.param("/short.csv", OSError, "in the midst", id="cut"),
    ],
)
def test_a_source_says_what_went_wrong(server, path, error, message):
    with pytest.raises(error, match=message):
        list(HTTPSource(server.url + path, retries=0))


def test_a_source_asks_again_while_the_server_is_away(server):
    server.statuses = [503, 429]

    assert list(HTTPSource(f"{server.url}/rows.csv", backoff_s=0)) == ROWS


def test_bodies_are_sent_as_they_are(server, open_runner):
    graph = Graph("g")
    graph.to("HTTPTarget", name="send", url=f"{server.url}/in").respond()
    answers = [open_runner(graph).run(row) for row in ROWS]

    assert answers == bodies(server) == ROWS


@pytest.mark.parametrize(
    ("format", "sent"),
    [("json", [b'[{"n": 0},{"n": 1}]', b'[{"n": 2}]']),
     ("jsonlines", [b'{"n": 0}\n{"n": 1}', b'{"n": 2}'])],
)  # fmt: skip
def test_batches_are_sent_when_they_are_full_and_at_the_end(server, format, sent):
    target = HTTPTarget(f"{server.url}/in", batch=2, format=format)
    for number in range(3):
        target.do({"n": number})
    target.close()

    assert [data for _, _, data in server.requests] == sent


def test_a_request_that_failed_is_sent_again_under_the_same_key(server):
    server.statuses = [500, 503]
    HTTPTarget(f"{server.url}/in", backoff_s=0).do(ROWS[0])
    keys = {headers["Idempotency-Key"] for _, headers, _ in server.requests}

    assert len(server.requests) == 3
    assert len(keys) == 1


def test_rows_stay_while_the_server_is_away(server):
    target = HTTPTarget(f"{server.url}/in", batch=2, retries=0, name="send")
    target.do({"n": 0})
    server.statuses = [503]
    with pytest.raises(ServiceUnavailableError, match=r"step 'send' .*answered 503"):
        target.do({"n": 1})
    target.do({"n": 2})
    target.close()

    assert bodies(server)[1:] == [[{"n": 0}, {"n": 2}]]


def test_refused_rows_are_told_and_not_sent_again(server):
    told = []
    context = Context(name="send", push=lambda *said: told.append(said[1]))
    target = HTTPTarget(f"{server.url}/in", batch=2, context=context)
    target.do({"n": 0})
    server.statuses = [422, 422, 422]
    with pytest.raises(OSError, match=r"422 .*no such user"):
        target.do({"n": 1})
    target.close()

    assert bodies(server) == [[{"n": 0}, {"n": 1}], [{"n": 0}], [{"n": 1}]]
    assert len(told) == 1


def test_a_row_that_is_refused_does_not_take_its_neighbours_along(server):
    told = []
    context = Context(name="send", push=lambda *said: told.append(said[1]))
    target = HTTPTarget(f"{server.url}/in", batch=4, context=context)
    server.statuses = [422, 200, 422, 422, 200]
    for number in range(4):  # the third one is wrong
        target.do({"n": number})
    target.close()

    taken = [bodies(server)[at] for at in (1, 4)]
    assert taken == [[{"n": 0}, {"n": 1}], [{"n": 3}]]
    assert len(told) == 1


@pytest.mark.parametrize(
    ("statuses", "message"),
    [([401], "answered 401"), ([302], "answered 302"), ([422], "422")],
)
def test_other_failures_are_not_tried_again(server, statuses, message):
    server.statuses = statuses
    with pytest.raises(OSError, match=message):
        HTTPTarget(f"{server.url}/in").do(ROWS[0])

    assert len(server.requests) == 1


def test_a_server_that_is_slow_or_gone_is_told_apart(server):
    with pytest.raises(GatewayTimeoutError, match="in time"):
        HTTPTarget(f"{server.url}/slow", timeout_s=0.05, retries=0).do(1)
    with pytest.raises(ServiceUnavailableError, match="cannot be reached"):
        HTTPTarget("http://127.0.0.1:9/in", retries=0).do(1)


def test_a_secret_is_sent_as_a_token(server):
    context = Context(secrets={"TOKEN": "abc"})
    HTTPTarget(f"{server.url}/in", token_secret="TOKEN", context=context).do(1)
    [(_, headers, _)] = server.requests

    assert headers["Authorization"] == "Bearer abc"
    with pytest.raises(SpecError, match="no secret 'OTHER'"):
        HTTPTarget(server.url, token_secret="OTHER", context=context)


def test_many_threads_lose_nothing(server):
    target = HTTPTarget(f"{server.url}/in", batch=7)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(target.do, range(100)))
    target.close()

    assert sorted(itertools.chain(*bodies(server))) == list(range(100))


def test_a_parity_run_sends_nothing(server):
    HTTPTarget(f"{server.url}/in", context=Context(is_parity=True)).do(ROWS[0])

    assert server.requests == []


def test_a_value_without_a_form_is_refused(server):
    with pytest.raises(UnprocessableError, match="no JSON form"):
        HTTPTarget(f"{server.url}/in").do({"a": object()})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        pytest.param({"url": "ftp://x"}, "http://", id="url"),
        pytest.param({"url": "http://[x"}, "url cannot be read", id="half-address"),
        pytest.param({"batch": 0}, "batch must", id="batch"),
        pytest.param({"format": "xml"}, "format must", id="format"),
        pytest.param({"method": "GET"}, "method must", id="method"),
        pytest.param({"headers": {"a": 1}}, "headers must", id="headers"),
        pytest.param({"timeout_s": 0}, "timeout_s must", id="timeout"),
        pytest.param({"retries": -1}, "retries must", id="retries"),
        pytest.param({"backoff_s": -1}, "backoff_s must", id="backoff"),
    ],
)
def test_wrong_arguments_are_refused(options, message):
    with pytest.raises(SpecError, match=message):
        HTTPTarget(**{"url": "http://localhost/in", **options})
