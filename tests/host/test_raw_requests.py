"""One request has one answer: in the notebook, in a mock server, and in the host."""

import gzip
import http.client
import random
from urllib.parse import urlsplit

import pytest

from jupyter_graph.answer.response import encode
from jupyter_graph.run.mock_server import MockServer
from jupyter_graph.run.runner import Runner
from jupyter_graph.spec.builder import Graph

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

SOURCE = """
from jupyter_graph.answer.response import Response

def echo(body): return body
def kind(body): return [type(body).__name__, repr(body)]
def whole(event):
    event.body = [repr(event.body), event.path, event.method, event.content_type,
                  event.fields, event.header("X-User"), sorted(event.headers)[-1:]]
    return event
def field(body): return body["a"]
def fail(body): raise ValueError("no such thing")
def missing(body): raise KeyError(body)
def length(body): return {"n": len(body or ""), "text": str(body)[:20]}
def stream(body):
    for number in range(3):
        yield {"number": number, "text": str(body)[:10]}
async def words(body):
    for _ in range(2):
        yield str(body)[:5]
def created(body): return Response({"ok": True}, 201, {"X-Made": "yes"})
def text(body): return "h\\u00e4h " + str(body)[:30]
def raw(body): return b"\\x00\\xff" + str(body).encode("utf-8", "replace")[:9]
def nothing(body): return None
async def wait(body): return {"waited": str(body)[:20]}
def numbers(body): return {"value": float("nan"), "pair": (1, 2), "set": {3}}
def page(body): return Response("<b>x</b>", content_type="text/html")
def teapot(body): return Response(str(body)[:10], 418)
def swap(body): return {str(value): key for key, value in (body or {}).items()}
class Count:
    def __init__(self): self.n = 0
    def do(self, body):
        self.n += 1
        return self.n
class Slices:
    async def do(self, body): return body[:2]
"""

NAMES = (
    "echo", "kind", "whole", "field", "fail", "missing", "length",
    "stream", "words", "created", "text", "raw", "nothing", "wait",
    "numbers", "page", "teapot", "swap", "Count", "Slices",
)  # fmt: skip

PATHS = (
    "/", "/a", "/a/b", "/a%20b", "/a%2Fb", "/x?q=1", "/x?q=1&q=2", "/?q=", "/%3F%23",
    "/%C3%A4", "/x?a=%26", "//a", "/a/", "/a;b", "/a+b?c=d+e",
)  # fmt: skip
TYPES = (
    None, "application/json", "application/json; charset=utf-8", "text/plain",
    "text/plain; charset=latin-1", "application/octet-stream", "text/csv",
    "application/x-www-form-urlencoded", "application/vnd.x+json", "APPLICATION/JSON",
    "text/plain; charset=nope", "application/json; charset=utf-16",
)  # fmt: skip
BODIES = (
    b"", b"{}", b'{"a": 1}', b'{"a": [1, 2.5, null]}', b"[1,2]", b"text", b"\xff\xfe",
    b'"str"', b"12", b"null", b"true", b"{bad", b"a=1&b=2", b"NaN", b"1e999",
    '{"a":"ä"}'.encode(), "ä".encode("latin-1"), b' {"a": 1} ', b"\x00",
    '{"a": 1}'.encode("utf-16"), b'{"$": "tuple", "of": [1]}', b"[" * 200 + b"]" * 200,
)  # fmt: skip


def requests(seed=7, count=200):
    """Give raw requests: method, path, headers, bytes."""
    chance = random.Random(seed)
    for number in range(count):
        headers = {"x-event-id": f"e{number}"}
        body = chance.choice(BODIES)
        if kind := chance.choice(TYPES):
            headers["Content-Type"] = kind
        if chance.random() < 0.1:
            body, headers["Content-Encoding"] = gzip.compress(body, mtime=0), "gzip"
        elif chance.random() < 0.05:
            headers["Content-Encoding"] = chance.choice(["deflate", "br", "gzip"])
        if chance.random() < 0.3:
            headers["X-User"] = "ann"
        method = chance.choice(["POST", "POST", "POST", "GET", "PUT", "DELETE"])
        yield method, chance.choice(PATHS), headers, body


def graph_of(name):
    code = {}
    exec(SOURCE, code)
    graph, is_whole = Graph("made", engine="sync"), name == "whole"
    if isinstance(code[name], type):
        graph.to(code[name], name="step").respond()
    else:
        graph.to(name="step", handler=code[name], full_event=is_whole).respond()
    return graph


def over_http(url, asked):
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=20)
    for method, path, headers, body in asked:
        connection.request(method, path, body, headers)
        found = connection.getresponse()
        yield found.status, found.getheader("content-type"), found.read()
    connection.close()


def in_the_notebook(graph, asked):
    with Runner(graph) as runner:
        for method, path, headers, body in asked:
            facts = {"path": path, "method": method, "headers": headers}
            id = headers["x-event-id"]
            found = runner.answer(body, event_id=id, silent=True, **facts)
            yield found.status_code, found.content_type, found.payload


def in_a_mock_server(graph, asked):
    """A mock server gives live objects, and of errors the text alone."""
    with MockServer(graph) as server:
        for method, path, headers, body in asked:
            found = server.test(
                path, body, method, headers, silent=True, get_body=False
            )
            if found.status_code >= 400 or found.status_code == 204:
                yield found.status_code, None, None
                continue
            is_stream = hasattr(found.body, "__next__")
            raw = encode(list(found.body) if is_stream else found.body)
            yield found.status_code, None, None if is_stream else raw.payload


@pytest.mark.parametrize("name", NAMES)
def test_raw_requests_have_the_same_answers(module_host, name):
    asked = list(requests())
    host = module_host(SOURCE, handler=name, full_event=name == "whole")
    found = list(over_http(host.url, asked))

    assert [*in_the_notebook(graph_of(name), asked)] == found
    for theirs, ours in zip(
        found, in_a_mock_server(graph_of(name), asked), strict=True
    ):
        assert ours[0] == theirs[0]
        assert ours[2] in (None, theirs[2])


def test_the_requests_are_of_all_kinds(module_host):
    statuses = {
        status
        for name in ("echo", "field")
        for status, _, _ in over_http(
            module_host(SOURCE, handler=name, full_event=False).url, requests()
        )
    }

    assert {200, 400, 415, 500} <= statuses
