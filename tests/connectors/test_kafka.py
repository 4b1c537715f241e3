"""Bodies that go to a topic of Kafka, with a real broker where there is one."""

import asyncio
import json
import threading
import uuid

import pandas as pd
import pytest

from benchmarks.kafka.broker import broker, why_not
from jupyter_graph import Event, Graph
from jupyter_graph.connectors.queues.kafka_target import KafkaTarget
from jupyter_graph.errors import (
    ClosedError,
    GatewayTimeoutError,
    SpecError,
    StepError,
    TooLargeError,
    UnprocessableError,
)
from jupyter_graph.run.context import Context

kafka = pytest.importorskip("confluent_kafka")
pytestmark = pytest.mark.timeout(180)  # a broker takes its time to start
NOWHERE = "127.0.0.1:1"


@pytest.fixture(scope="module")
def server():
    if lacks := why_not():
        pytest.skip(lacks)
    with broker() as it:
        yield it


@pytest.fixture
def topic(server, request):
    from confluent_kafka.admin import AdminClient, NewTopic

    name = f"t{uuid.uuid4().hex}"
    admin = AdminClient({"bootstrap.servers": server.url})
    config = {"max.message.bytes": str(getattr(request, "param", 1_000_000))}
    created = admin.create_topics([NewTopic(name, 1, 1, config=config)])
    created[name].result(30)
    return name


def read(server, topic, count):
    """Give that many messages of a topic, in their order."""
    consumer = kafka.Consumer(
        {
            "bootstrap.servers": server.url,
            "group.id": uuid.uuid4().hex,
            "auto.offset.reset": "earliest",
        }
    )
    consumer.subscribe([topic])
    found = []
    for _ in range(300):
        found += [one for one in consumer.consume(count, 0.1) if not one.error()]
        if len(found) >= count:
            break
    consumer.close()
    return found


def writing(server, topic, **arguments):
    graph = Graph("writing")
    arguments = {"brokers": server.url, "topic": topic, **arguments}
    graph.to("KafkaTarget", "out", class_args=arguments).respond()
    return graph


@pytest.mark.integration
@pytest.mark.parametrize(
    ("body", "values", "kind"),
    [
        pytest.param({"n": 1}, [b'{"n": 1}'], "application/json", id="object"),
        pytest.param([1, {"a": 2}], [b"1", b'{"a": 2}'], "application/json", id="list"),
        pytest.param(
            pd.DataFrame({"a": [1, 2]}),
            [b'{"a": 1}', b'{"a": 2}'],
            "application/json",
            id="frame",
        ),
        pytest.param(
            "grüße", ["grüße".encode()], "text/plain; charset=utf-8", id="text"
        ),
        pytest.param(
            b"\x00\xff", [b"\x00\xff"], "application/octet-stream", id="bytes"
        ),
        pytest.param([], [], "", id="nothing"),
    ],
)
def test_bodies_arrive_as_they_are(open_runner, server, topic, body, values, kind):
    runner = open_runner(writing(server, topic))

    answer = runner.run(body, event_id="e1", headers={"Traceparent": "00-aa-bb-01"})

    assert answer is body
    found = read(server, topic, len(values)) if values else []
    assert [one.value() for one in found] == values
    for one in found:
        assert dict(one.headers()) == {
            "x-event-id": b"e1",
            "traceparent": b"00-aa-bb-01",
            "content-type": kind.encode(),
        }


@pytest.mark.integration
@pytest.mark.parametrize(
    ("key", "keys"),
    [
        (None, [b"ann", b"ann"]),
        ("u", [b"x", b"y"]),
        (["u", "n"], [b'["x", "1"]', b'["y", "2"]']),
        ("$id", [b"e1", b"e1"]),
    ],
)
def test_messages_have_keys(open_runner, server, topic, key, keys):
    runner = open_runner(writing(server, topic, key=key))
    event = Event([{"u": "x", "n": 1}, {"u": "y", "n": 2}], id="e1", key="ann")

    assert runner.handle(event).error is None
    assert [one.key() for one in read(server, topic, 2)] == keys


@pytest.mark.integration
@pytest.mark.parametrize("own_loop", [True, False])
def test_a_thousand_events_at_once_all_arrive(open_runner, server, topic, own_loop):
    runner = open_runner(writing(server, topic), own_loop=own_loop)

    async def events():
        return await asyncio.gather(*(runner.arun({"n": n}) for n in range(1000)))

    answers = asyncio.run(events())

    assert answers == [{"n": n} for n in range(1000)]
    found = [json.loads(one.value())["n"] for one in read(server, topic, 1000)]
    assert sorted(found) == list(range(1000))


@pytest.mark.integration
@pytest.mark.parametrize("topic", [2000], indirect=True)
def test_a_message_too_large_fails_its_event_alone(open_runner, server, topic):
    runner = open_runner(writing(server, topic))
    bodies = [str(number) * 100 for number in range(9)]

    async def events():
        runs = (runner.arun(body) for body in [*bodies, "x" * 5000, *bodies])
        return await asyncio.gather(*runs, return_exceptions=True)

    answers = asyncio.run(events())
    large = answers.pop(len(bodies))

    assert answers == [*bodies, *bodies]
    assert isinstance(large, StepError)
    assert isinstance(large.__cause__, TooLargeError)
    found = sorted(one.value().decode() for one in read(server, topic, 18))
    assert found == sorted([*bodies, *bodies])


@pytest.mark.integration
def test_a_message_larger_than_the_client_takes_is_told(open_runner, server, topic):
    runner = open_runner(
        writing(server, topic, options={"message.max.bytes": 1500}),
    )

    with pytest.raises(StepError) as caught:
        runner.run("x" * 2000)

    assert isinstance(caught.value.__cause__, TooLargeError)
    assert f"cannot write to topic '{topic}'" in str(caught.value)


@pytest.mark.integration
def test_a_broker_that_comes_back_gets_what_waited(open_runner, tmp_path):
    if lacks := why_not():
        pytest.skip(lacks)
    with broker() as server:
        runner = open_runner(writing(server, "orders", timeout_s=40.0), timeout_s=50.0)
        assert runner.run("before") == "before"
        server.stop()
        back = threading.Timer(1.0, server.start)
        back.start()

        assert runner.run("meanwhile") == "meanwhile"

        back.join()
        values = {one.value() for one in read(server, "orders", 2)}
        assert values == {b"before", b"meanwhile"}


@pytest.mark.slow
def test_nobody_there_is_told_in_time(open_runner):
    graph = Graph("g")
    # The client needs a moment to be refused, and a busy machine makes it longer.
    arguments = {"brokers": NOWHERE, "topic": "t", "timeout_s": 3.0}
    graph.to("KafkaTarget", "out", class_args=arguments)
    runner = open_runner(graph)

    with pytest.raises(StepError) as caught:
        runner.run({"n": 1})

    assert isinstance(caught.value.__cause__, GatewayTimeoutError)
    said = str(caught.value)
    assert "cannot write to topic 't'" in said
    assert f"{NOWHERE} did not take it within 3 s" in said
    assert "refused" in said


def test_what_json_cannot_say_is_refused(open_runner):
    graph = Graph("g")
    graph.to("KafkaTarget", class_args={"brokers": NOWHERE, "topic": "t"})

    with pytest.raises(StepError) as caught:
        open_runner(graph).run({"a": object()})

    assert isinstance(caught.value.__cause__, UnprocessableError)


def test_a_comparison_with_the_notebook_writes_nothing():
    target = KafkaTarget(NOWHERE, "t", context=Context(is_parity=True))
    event, threads = Event({"n": 1}), threading.active_count()

    assert asyncio.run(target.do_event(event)) is event
    assert threading.active_count() == threads


def test_a_closed_target_takes_no_more():
    target = KafkaTarget(NOWHERE, "t", timeout_s=0.2)
    target.close()
    target.close()

    with pytest.raises(ClosedError):
        asyncio.run(target.do_event(Event(1)))


@pytest.mark.slow
def test_closing_leaves_no_thread(open_runner):
    before = set(threading.enumerate())
    target = KafkaTarget(NOWHERE, "t", timeout_s=0.2)
    with pytest.raises(GatewayTimeoutError):
        asyncio.run(target.do_event(Event(1)))
    assert set(threading.enumerate()) - before

    target.close()

    assert not set(threading.enumerate()) - before


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"brokers": ""}, "brokers must be 'host:port'"),
        ({"topic": 5}, "topic must be a topic's name, got 5"),
        ({"timeout_s": 0}, "timeout_s must be seconds above 0, got 0"),
        ({"key": 5}, "key must be a field's name"),
        (
            {"security": "TLS"},
            'Invalid value "TLS" for configuration property "security',
        ),
        ({"password_secret": "pw"}, "there is no secret 'pw'"),
        ({"password_secret": 5}, "there is no secret 5"),
        ({"password_secret": "\ud800"}, "there is no secret"),
        ({"options": {"acks": 1}}, "options has 'acks', which KafkaTarget sets"),
        ({"options": {"lingr.ms": 5}}, 'No such configuration property: "lingr.ms"'),
        ({"options": 5}, "options must be an object of settings, got 5"),
    ],
)
def test_wrong_arguments_are_refused(arguments, said):
    with pytest.raises(SpecError) as caught:
        KafkaTarget(**{"brokers": NOWHERE, "topic": "t", **arguments})

    assert said in str(caught.value)
