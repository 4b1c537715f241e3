"""One rule for whoever calls a host: metadata addresses are closed to all of them."""

import gc
import socket
import threading
import weakref
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address

import pytest
import requests

from jupyter_graph.connectors.files.places import place_of
from jupyter_graph.connectors.http_source import HTTPSource
from jupyter_graph.connectors.http_target import HTTPTarget
from jupyter_graph.connectors.open_source import open_source
from jupyter_graph.errors import (
    AccessDeniedError,
    BadRequestError,
    ServiceUnavailableError,
    SpecError,
)
from jupyter_graph.http_client import addresses
from jupyter_graph.http_client.blocking_client import BlockingClient
from jupyter_graph.http_client.checked_requests import CheckedSession
from jupyter_graph.http_client.client import HttpRequest
from jupyter_graph.http_client.host_rules import HostRules
from jupyter_graph.http_client.retry import RetryPolicy
from jupyter_graph.http_client.secrets import secret_of
from jupyter_graph.run.context import Context
from jupyter_graph.steps import LLM, BatchHttpRequests, LLMStream, RemoteStep
from jupyter_graph.steps.models.model_files import local_copy
from jupyter_graph.steps.routers.input_downloads import checked_prefixes, download

METADATA = "169.254.169.254"
SPELLINGS = {
    "plain": METADATA,
    "decimal": "2852039166",
    "hex": "0xA9FEA9FE",
    "octal": "0251.0376.0251.0376",
    "hex-parts": "0xa9.0xfe.0xa9.0xfe",
    "two-parts": "169.16689662",
    "mapped": "[::ffff:169.254.169.254]",
    "mapped-hex": "[::ffff:a9fe:a9fe]",
    "nat64": "[64:ff9b::a9fe:a9fe]",
    "amazon-ipv6": "[fd00:ec2::254]",
    "with-a-dot": f"{METADATA}.",
    "alibaba": "100.100.100.200",
}
CALLERS = {
    "remote-step": lambda url: RemoteStep(url),
    "language-model": lambda url: LLM("m", "hi", base_url=url),
    "http-source": lambda url: list(HTTPSource(url, retries=0)),
    "csv-source": lambda url: list(open_source(f"zip://a.csv::{url}")),
    "http-target": lambda url: HTTPTarget(url, retries=0).do({}),
    "model-download": local_copy,
    "router-input": lambda url: download(url, [url[:12]]),
}
NOTHING_LEAVES = HostRules(None)


@pytest.fixture
def connections(monkeypatch):
    """Record what is connected to; nothing is."""
    made = []

    def connect(_, address):
        made.append(address)
        raise OSError("a test connects to nothing")

    monkeypatch.setattr(socket.socket, "connect", connect)
    return made


@pytest.mark.parametrize("host", SPELLINGS.values(), ids=SPELLINGS)
@pytest.mark.parametrize("call", CALLERS.values(), ids=CALLERS)
def test_nobody_calls_a_metadata_address(call, host, connections):
    with pytest.raises((SpecError, AccessDeniedError)) as caught:
        call(f"http://{host}/rows.csv")

    assert not connections
    words = "closed here", "in disguise", "write an IPv6 address in full"
    assert any(word in str(caught.value) for word in words)


@pytest.mark.parametrize("call", CALLERS.values(), ids=CALLERS)
def test_the_reason_is_the_same_text_for_all(call):
    with pytest.raises(
        (SpecError, AccessDeniedError),
        match=r"http://169\.254\.169\.254/\S+: 169\.254\.169\.254 is a link-local, "
        "metadata or reserved address, which is closed here",
    ):
        call(f"http://{METADATA}/rows.csv")


@contextmanager
def served(answer, host="127.0.0.1"):
    """Serve HTTP on the loopback; ``answer`` gets the request's handler."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            length = int(self.headers.get("Content-Length", 0))
            self.rfile.read(length)
            server.seen.append(dict(self.headers))
            server.paths.append(self.path)
            status, headers, data = answer(self)
            self.send_response(status)
            for name, value in {"Content-Length": len(data), **headers}.items():
                self.send_header(name, str(value))
            self.end_headers()
            self.wfile.write(data)

        do_POST = do_HEAD = do_GET

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer((host, 0), Handler) as server:
        server.daemon_threads = True
        server.seen = []
        server.paths = []
        server.url = f"http://{host}:{server.server_port}"
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        try:
            yield server
        finally:
            server.shutdown()


def to_metadata(_):
    place = f"http://{METADATA}/latest/meta-data"
    return 302, {"Location": place, "Connection": "close"}, b""


@pytest.mark.parametrize("caller", ["http-source", "model-download", "csv-source"])
def test_a_redirect_leads_nobody_to_a_metadata_address(caller, tmp_path, monkeypatch):
    monkeypatch.setenv("JUPYTER_GRAPH_CACHE", str(tmp_path))
    with served(to_metadata) as server, pytest.raises(Exception, match=r"\S") as caught:
        CALLERS[caller](f"{server.url}/rows.csv")

    chain = [caught.value]
    while chain[-1].__cause__ or chain[-1].__context__:
        chain.append(chain[-1].__cause__ or chain[-1].__context__)
    assert any("metadata or reserved" in str(error) for error in chain)


def test_an_input_of_a_router_follows_no_redirect_to_another_place():
    with served(to_metadata) as server, pytest.raises(BadRequestError, match="begin"):
        download(f"{server.url}/a", [server.url])


def test_a_redirect_to_another_host_is_followed_without_the_callers_headers():
    with served(lambda _: (200, {}, b'{"a":1}\n')) as other:
        place = other.url.replace("127.0.0.1", "localhost") + "/rows.jsonl"
        with served(lambda _: (302, {"Location": place}, b"")) as first:
            source = HTTPSource(
                f"{first.url}/r", format="jsonlines", headers={"X-Api-Key": "key"}
            )
            rows = list(source)

    assert rows == [{"a": 1}]
    assert first.seen[0]["X-Api-Key"] == "key"
    assert "X-Api-Key" not in other.seen[0]
    assert "Accept-Encoding" in other.seen[0]


def test_a_redirect_within_a_host_keeps_the_headers():
    def answer(handler):
        if handler.path == "/r":
            return 302, {"Location": "/rows.jsonl"}, b""
        return 200, {}, b'{"a":1}\n'

    with served(answer) as server:
        list(HTTPSource(f"{server.url}/r", format="jsonlines", headers={"X-Key": "k"}))

    assert [headers["X-Key"] for headers in server.seen] == ["k", "k"]


def answers_of(*addresses):
    """Return a ``getaddrinfo`` that answers with the next address each time."""
    left = list(addresses)

    def getaddrinfo(host, port, *_, **__):
        address = left.pop(0) if len(left) > 1 else left[0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    return getaddrinfo


def test_a_name_with_a_metadata_address_is_not_connected_to(monkeypatch, connections):
    monkeypatch.setattr(socket, "getaddrinfo", answers_of(METADATA))
    with pytest.raises(AccessDeniedError, match=r"models\.test: 169\.254\.169\.254"):
        HTTPTarget("http://models.test/in", retries=0).do({})

    assert not connections


def test_a_name_that_is_resolved_anew_gets_no_request(monkeypatch):
    rules = HostRules(["198.51.100.7"])
    with served(lambda _: (200, {}, b"")) as server:
        url = server.url.replace("127.0.0.1", "models.test")
        monkeypatch.setattr(
            socket, "getaddrinfo", answers_of("198.51.100.7", "127.0.0.1")
        )
        with pytest.raises(AccessDeniedError, match=r"it is at 127\.0\.0\.1"):
            BlockingClient(rules, RetryPolicy(0, 0, 5)).open(
                HttpRequest("GET", url, {})
            )
        monkeypatch.undo()

    assert server.seen == []


def test_a_user_name_in_a_url_still_becomes_a_header():
    with served(lambda _: (200, {}, b"")) as server:
        url = server.url.replace("http://", "http://ada:secret@")
        HTTPTarget(f"{url}/in").do({})

    assert server.seen[0]["Authorization"] == "Basic YWRhOnNlY3JldA=="


@pytest.mark.parametrize(
    ("asked", "waited"),
    [
        pytest.param("7", 7.0, id="seconds"),
        pytest.param("Wed, 21 Oct 2915 07:28:00 GMT", 30.0, id="date"),
        pytest.param("Wed, 21 Oct 2015 07:28:00 GMT", 0.5, id="past-date"),
        pytest.param("100", 30.0, id="too-long"),
    ],
)
def test_a_target_waits_as_long_as_the_server_asks(asked, waited, monkeypatch):
    waits = []
    monkeypatch.setattr("jupyter_graph.http_client.retry.time.sleep", waits.append)
    statuses = [429, 200]
    with served(lambda _: (statuses.pop(0), {"Retry-After": asked}, b"")) as server:
        HTTPTarget(f"{server.url}/in").do({})

    assert waits == [waited]


def test_a_failed_target_leaves_nothing_to_the_collector(monkeypatch):
    sessions = []
    opened = CheckedSession.__init__

    def remember(self, *args, **options):
        opened(self, *args, **options)
        sessions.append(weakref.ref(self))

    monkeypatch.setattr(CheckedSession, "__init__", remember)
    gc.collect()
    gc.disable()
    try:
        client = BlockingClient(NOTHING_LEAVES, RetryPolicy(1, 0, 1))
        with pytest.raises(ServiceUnavailableError, match="cannot be reached"):
            client.open(HttpRequest("POST", "http://127.0.0.1:9/in", {}, b"{}"))
        del client

        assert [session() for session in sessions] == [None]
    finally:
        gc.enable()


def test_a_failed_answer_is_gone_with_its_error(monkeypatch):
    responses = []
    plain = requests.Session.request

    def remember(self, *args, **kwargs):
        response = plain(self, *args, **kwargs)
        responses.append(weakref.ref(response))
        return response

    monkeypatch.setattr(requests.Session, "request", remember)
    with served(lambda _: (503, {}, b"")) as server:
        gc.collect()
        gc.disable()
        try:
            target = HTTPTarget(f"{server.url}/in", retries=1, backoff_s=0)
            with pytest.raises(ServiceUnavailableError):
                target.do({})

            assert [response() for response in responses] == [None, None]
        finally:
            gc.enable()
            target.close()


def test_a_secret_may_be_a_variable_of_the_environment(monkeypatch):
    monkeypatch.setenv("TOKEN", "of the environment")

    assert secret_of(Context(secrets={}), "TOKEN") == "of the environment"
    assert secret_of(Context(secrets={"TOKEN": "given"}), "TOKEN") == "given"


# -- fsspec's chained URLs ------------------------------------------------------


@pytest.fixture
def closed(monkeypatch):
    """Serve at a loopback address that counts as one of a cloud's secrets."""
    there = addresses.METADATA | {ip_address("127.0.0.2")}
    monkeypatch.setattr(addresses, "METADATA", there)
    with served(lambda _: (200, {}, b"secret"), "127.0.0.2") as server:
        yield server


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("simplecache::{url}/latest?]", id="a-bracket-behind"),
        pytest.param("simplecache::{url}/[a]", id="brackets-behind"),
        pytest.param("zip://x/[a::{url}/latest?]", id="brackets-around"),
        pytest.param("generic://{url}/latest", id="generic"),
        pytest.param("webhdfs://{host}/latest", id="webhdfs"),
        pytest.param("zip://a.csv::webhdfs://{host}/latest", id="zip-of-webhdfs"),
    ],
)
def test_no_chained_url_leads_to_a_metadata_address(url, closed):
    host = closed.url.removeprefix("http://")
    with pytest.raises((SpecError, AccessDeniedError), match=r"closed here|not read"):
        place_of(url.format(url=closed.url, host=host)).raw()

    assert closed.paths == []


@pytest.mark.parametrize("chain", ["reference://x.csv", "simplecache::reference://x"])
def test_an_index_of_urls_is_not_read(chain, closed):
    index = f'{{"version": 1, "refs": {{"x.csv": ["{closed.url}/latest"]}}}}'.encode()
    with (
        served(lambda _: (200, {}, index)) as server,
        pytest.raises(SpecError, match="reference:// is not read"),
    ):
        place_of(f"{chain}::{server.url}/refs.json").raw()

    assert closed.paths == server.paths == []


@pytest.mark.parametrize(
    "chain",
    ["simplecache::", "filecache::", "blockcache::", "cached::", "zip://a::",
     "tar://a::", "dir://a::", ""],
)  # fmt: skip
def test_no_chained_url_is_redirected_to_a_metadata_address(chain, closed):
    def answer(_):
        return 302, {"Location": f"{closed.url}/latest", "Connection": "close"}, b""

    with (
        served(answer) as server,
        pytest.raises((AccessDeniedError, FileNotFoundError)),
    ):
        place_of(f"{chain}{server.url}/a").raw().read()

    assert server.paths
    assert closed.paths == []


def test_webhdfs_asks_no_name_with_a_metadata_address(monkeypatch, connections):
    monkeypatch.setattr(socket, "getaddrinfo", answers_of(METADATA))
    with pytest.raises(AccessDeniedError, match="closed here"):
        place_of("webhdfs://names.test/rows.csv").raw()

    assert not connections


def test_a_chained_url_with_a_short_ipv6_address_is_refused_in_plain_words():
    with pytest.raises(SpecError, match=r"\[:: ends a part .*write .* in full") as told:
        place_of("simplecache::http://ada:secret@[::1]/a.csv")

    assert "secret" not in str(told.value)
    assert place_of("simplecache::http://[0:0:0:0:0:0:0:1]/a[1.csv")


# -- names that are not ASCII ---------------------------------------------------


@pytest.mark.parametrize("call", [HTTPSource, HTTPTarget, place_of])
def test_the_name_of_a_host_may_have_letters_of_any_language(call):
    assert call("http://bücher.example/a.csv")


def test_a_name_with_other_letters_is_asked_by_its_ascii_form(monkeypatch, connections):
    asked = []

    def getaddrinfo(host, port, *_, **__):
        asked.append(host)
        return answers_of("127.0.0.1")(host, port)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    with pytest.raises(ServiceUnavailableError):
        list(HTTPSource("http://bücher.example/a.csv", retries=0))

    assert set(asked) == {"xn--bcher-kva.example"}


@pytest.mark.parametrize(
    "host", ["１６９.254.169.254", "①⑥⑨.254.169.254", "ada:secret@a..b.ü", "a@b\\@c"]
)
def test_letters_hide_no_address(host, monkeypatch, connections):
    monkeypatch.setattr(socket, "getaddrinfo", answers_of("127.0.0.1"))
    with pytest.raises((SpecError, ServiceUnavailableError)) as caught:
        list(HTTPSource(f"http://{host}/a.csv", retries=0))

    assert "secret" not in str(caught.value)
    assert not any(str(at[0]).startswith("169") for at in connections)


# -- inputs that a request names ------------------------------------------------


@pytest.mark.parametrize(
    ("prefix", "path"),
    [
        pytest.param("HTTP://LocalHost:{port}/img/", "/img/a", id="capitals"),
        pytest.param("http://localhost:{port}/%7Eada/", "/~ada/a", id="escape"),
        pytest.param("http://localhost:{port}/~ada/", "/%7eada/a", id="plain"),
        pytest.param("http://localhost:{port}/é/", "/%C3%A9/a", id="a-letter"),
        pytest.param("http://localhost:{port}/get?", "/get?a", id="a-query"),
        pytest.param("http://localhost:{port}/img/", "/img/b/../a", id="and-back"),
        pytest.param("http://localhost:{port}/img/", "/img/a..b", id="two-dots"),
    ],
)
def test_a_prefix_matches_by_what_is_sent(prefix, path):
    with served(lambda _: (200, {}, b"an image")) as server:
        port = server.server_port
        allowed = checked_prefixes(prefix.format(port=port))

        assert download(f"http://localhost:{port}{path}", allowed).read() == b"an image"
        with pytest.raises(BadRequestError, match="must begin with"):
            download(f"http://localhost:{port}/other", allowed)


@pytest.mark.parametrize(
    ("prefix", "path"),
    [("/get?", "/getaway"), ("/img/..", "/a"), ("/img/.", "/img/a"), ("/a#", "/ab")],
)
def test_a_prefix_does_not_grow_by_its_spelling(prefix, path):
    allowed = checked_prefixes(f"http://localhost{prefix}")

    with pytest.raises(BadRequestError, match="must begin with"):
        download(f"http://localhost{path}", allowed)


@pytest.mark.parametrize("prefix", ["http://[::1/", "http://*/", 7])
def test_a_prefix_that_is_no_url_is_refused(prefix):
    with pytest.raises(SpecError, match="must look like"):
        checked_prefixes([prefix])


UPWARDS = [
    "%2e%2e/secret",
    "%2E./secret",
    "a/%2e%2e%2f%2e%2e/x",
    "..%5csecret",
    "..;/x",
]


@pytest.mark.parametrize("path", UPWARDS)
def test_no_download_leaves_its_prefix_upwards(path):
    with served(lambda _: (200, {}, b"secret")) as server:
        allowed = checked_prefixes(f"{server.url}/img/")
        with pytest.raises(BadRequestError, match="leads upwards"):
            download(f"{server.url}/img/{path}", allowed)

    assert server.paths == []


@pytest.mark.parametrize("path", [*UPWARDS, "../secret"])
@pytest.mark.parametrize("begin", ["", "http://localhost:{port}"])
def test_no_redirect_of_a_download_leaves_its_prefix_upwards(begin, path):
    def answer(handler):
        place = begin.format(port=server.server_port)
        return 302, {"Location": f"{place}/img/{path}"}, b""

    with served(answer) as server:
        url = server.url.replace("127.0.0.1", "localhost") + "/img/"
        with pytest.raises(BadRequestError, match=r"leads upwards|must begin"):
            download(f"{url}a", checked_prefixes(url))

    assert server.paths == ["/img/a"]


# -- credentials of the user's .netrc -------------------------------------------


@pytest.fixture
def netrc(tmp_path, monkeypatch):
    file = tmp_path / "netrc"
    file.write_text("default login ada password of-netrc\n")
    monkeypatch.setenv("NETRC", str(file))


def again(handler):
    if handler.path.endswith("/r"):
        return 302, {"Location": "/rows.jsonl"}, b""
    return 200, {}, b'{"a":1}\n'


def authorizations(server):
    return [headers.get("Authorization") for headers in server.seen]


def test_a_download_sends_no_credentials_of_this_machine(netrc):
    with served(again) as server:
        download(f"{server.url}/r", [f"{server.url}/"])

    assert authorizations(server) == [None, None]


def test_a_download_still_uses_the_proxy_of_the_environment(netrc, monkeypatch):
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with served(lambda _: (200, {}, b"by the proxy")) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        url = "http://images.test/a"

        assert download(url, ["http://images.test/"]).read() == b"by the proxy"
    assert proxy.paths == [url]
    assert authorizations(proxy) == [None]


@pytest.mark.parametrize("name", ["Authorization", "authorization"])
def test_a_header_wins_over_netrc_also_after_a_redirect(netrc, name):
    with served(again) as server:
        headers = {name: "Bearer mine"}
        list(HTTPSource(f"{server.url}/r", format="jsonlines", headers=headers))

    assert [h.get(name) for h in server.seen] == ["Bearer mine"] * 2


def test_a_secret_wins_over_netrc(netrc):
    context = Context(secrets={"TOKEN": "mine"})
    with served(again) as server:
        HTTPTarget(f"{server.url}/in", token_secret="TOKEN", context=context).do({})

    assert authorizations(server) == ["Bearer mine"]


def test_the_user_of_a_url_wins_over_netrc(netrc):
    with served(again) as server:
        HTTPTarget(server.url.replace("//", "//bob:mine@") + "/in").do({})

    assert authorizations(server) == ["Basic Ym9iOm1pbmU="]


def test_a_source_without_credentials_gets_those_of_netrc(netrc):
    with served(again) as server:
        list(HTTPSource(f"{server.url}/r", format="jsonlines"))

    assert authorizations(server) == ["Basic YWRhOm9mLW5ldHJj"] * 2


@pytest.mark.parametrize(
    "step",
    [
        partial(RemoteStep, "http://localhost/"),
        partial(BatchHttpRequests, "http://localhost/"),
        partial(LLM, "m"),
        partial(LLMStream, "m"),
    ],
    ids=["remote-step", "batch-of-requests", "language-model", "stream"],
)
def test_a_step_takes_a_list_of_hosts_or_none_at_all(step):
    with pytest.raises(SpecError, match="allow_hosts must be a list, got None"):
        step(allow_hosts=None)
