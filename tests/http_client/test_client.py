"""The HTTP client: names that change their address, limits, connections."""

import asyncio
import socket
import threading

import pytest
from aiohttp import web

from jupyter_graph.errors import AccessDeniedError, SpecError, StatusError
from jupyter_graph.http_client.client import HttpClient, HttpRequest, read
from jupyter_graph.http_client.host_rules import HostRules
from jupyter_graph.http_client.retry import RetryableError, RetryPolicy, asked_wait_s
from jupyter_graph.http_client.sessions import HttpPool

DEPLOYED = HostRules(allow_local=False)


class Names:
    """Gives each name the next of its addresses, as a rebinding DNS server does."""

    def __init__(self, *addresses):
        self.addresses = list(addresses)
        self.asked = 0

    async def resolve(self, host, port=0, family=0):
        self.asked += 1
        found = self.addresses.pop(0) if len(self.addresses) > 1 else self.addresses[0]
        return [
            {
                "hostname": host,
                "host": address,
                "port": port,
                "family": socket.AF_INET6 if ":" in address else socket.AF_INET,
                "proto": 0,
                "flags": socket.AI_NUMERICHOST,
            }
            for address in found.split()
        ]

    async def close(self):
        pass


class Served:
    """A server on the calling loop."""

    async def __aenter__(self):
        self.seen = []
        app = web.Application()
        app.router.add_route("*", "/{tail:.*}", self.answer)
        self.runner = web.AppRunner(app)
        await self.runner.setup()
        site = web.TCPSite(self.runner, "127.0.0.1", 0)
        await site.start()
        self.port = self.runner.addresses[0][1]
        return self

    async def __aexit__(self, *_):
        await self.runner.cleanup()

    async def answer(self, request):
        self.seen.append(request.headers)
        response = web.Response(body=b"x" * int(request.query.get("size", 2)))
        response.set_cookie("session", "1")
        return response


@pytest.mark.parametrize(
    "addresses",
    [
        pytest.param("127.0.0.1", id="loopback"),
        pytest.param("169.254.169.254", id="metadata"),
        pytest.param("10.0.0.1", id="private"),
        pytest.param("::1", id="loopback-of-ipv6"),
        pytest.param("::ffff:127.0.0.1", id="mapped"),
        pytest.param("8.8.8.8 127.0.0.1", id="one-of-two"),
        pytest.param("8.8.8.8 fe80::1%1", id="one-with-a-zone"),
        pytest.param("printer", id="no-address"),
    ],
)
def test_a_name_with_a_closed_address_is_never_connected_to(addresses):
    async def once():
        client = HttpClient(DEPLOYED, resolver=Names(addresses))
        with pytest.raises(AccessDeniedError, match="rebound"):
            await client.send(HttpRequest("GET", "http://rebound.example/", {}))

    asyncio.run(once())


def test_a_name_is_connected_to_by_the_address_that_was_looked_at():
    async def once():
        async with Served() as server:
            names = Names("127.0.0.1", "169.254.169.254")
            client = HttpClient(HostRules(["a.example"]), resolver=names)
            url = f"http://a.example:{server.port}/"
            reply = await client.send(HttpRequest("GET", url, {}))
            return reply.payload, names.asked

    assert asyncio.run(once()) == (b"xx", 1)


def test_a_name_that_changed_its_address_is_looked_at_again():
    async def once():
        names = Names("169.254.169.254", "127.0.0.1")
        client = HttpClient(DEPLOYED, resolver=names)
        for _ in range(2):
            with pytest.raises(AccessDeniedError):
                await client.send(HttpRequest("GET", "http://a.example/", {}))
        return names.asked

    assert asyncio.run(once()) == 2


def test_no_cookie_of_one_event_goes_to_the_next():
    async def twice():
        async with Served() as server:
            client = HttpClient(HostRules())
            for _ in range(2):
                url = f"http://localhost:{server.port}/"
                await client.send(HttpRequest("GET", url, {}))
            client.close()
            return [headers.get("Cookie") for headers in server.seen]

    assert asyncio.run(twice()) == [None, None]


def test_an_answer_that_is_too_large_is_not_read_to_its_end():
    async def once():
        async with Served() as server:
            client = HttpClient(HostRules())
            url = f"http://127.0.0.1:{server.port}/?size=100000&token=hunter2"
            async with client.open(HttpRequest("GET", url, {})) as response:
                await read(response, most_bytes=1000)

    with pytest.raises(StatusError, match=r"/ has more than 1,000 bytes") as failed:
        asyncio.run(once())

    assert "hunter2" not in str(failed.value)


# -- the pool -------------------------------------------------------------------


def opener():
    import aiohttp

    return aiohttp.ClientSession()


async def session_of(pool):
    return await pool.session()


def test_a_loop_keeps_its_session_and_closes_it_at_its_end():
    pool = HttpPool(opener)

    async def twice():
        return await pool.session(), await pool.session()

    first, second = asyncio.run(twice())
    other = asyncio.run(session_of(pool))

    assert first is second
    assert first is not other
    assert first.closed
    assert other.closed


def test_a_pool_closes_the_session_of_a_loop_in_another_thread():
    pool, loop = HttpPool(opener), asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    session = asyncio.run_coroutine_threadsafe(session_of(pool), loop).result(5)

    pool.close()
    asyncio.run_coroutine_threadsafe(asyncio.sleep(0), loop).result(5)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(5)
    loop.close()

    assert session.closed


def test_a_pool_closes_the_session_of_a_loop_that_rests():
    pool, loop = HttpPool(opener), asyncio.new_event_loop()
    session = loop.run_until_complete(session_of(pool))

    pool.close()
    loop.close()

    assert session.closed


def test_a_closed_pool_opens_again():
    pool = HttpPool(opener)

    async def again():
        first = await pool.session()
        pool.close()
        await asyncio.sleep(0)
        return first, await pool.session()

    first, second = asyncio.run(again())

    assert first is not second


# -- attempts -------------------------------------------------------------------


def test_waits_double_up_to_two_minutes():
    patience = RetryPolicy(retries=9, backoff_s=1)

    assert [patience.wait_s(number) for number in (1, 2, 3, 7, 8, 9)] == [
        1, 2, 4, 64, 120, 120,
    ]  # fmt: skip


def test_what_the_other_side_asks_for_is_waited(monkeypatch):
    waited = []

    async def sleep(seconds):
        waited.append(seconds)

    async def once(number):
        if number < 3:
            raise RetryableError("busy", wait_s=7 if number == 1 else 0)
        return "there"

    monkeypatch.setattr(asyncio, "sleep", sleep)
    patience = RetryPolicy(retries=2, backoff_s=1)

    assert asyncio.run(patience.attempt(once, shown="x")) == "there"
    assert waited == [7, 2]


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "7"}, 7),
        ({"retry-after": "1e9"}, 120),
        ({"Retry-After": "-5"}, 0),
        ({"Retry-After": "nan"}, 0),
        ({"Retry-After": "soon"}, 0),
        ({"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0),
        ({"Retry-After": "Wed, 21 Oct 2915 07:28:00 GMT"}, 120),
        ({"Retry-After": "Wed, 21 Oct 2915 07:28:00 -0000"}, 120),
        ({"Retry-After": "9", "retry-after-ms": "1500"}, 1.5),
    ],
)
def test_an_answer_may_ask_to_wait(headers, seconds):
    assert asked_wait_s(headers) == seconds


@pytest.mark.parametrize("retries", [True, 1.5, "2", 101])
def test_retries_are_a_count(retries):
    with pytest.raises(SpecError, match="retries must be 0 to 100"):
        RetryPolicy(retries, 1)
