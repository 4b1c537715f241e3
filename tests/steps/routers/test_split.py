"""Split and Mirror: shares of events, and copies in the background."""

import asyncio
import json
import subprocess
import sys
import threading
import time
from collections import Counter

import nuclio_sdk
import pytest

from jupyter_graph import Graph
from jupyter_graph.errors import SpecError, UnknownStepError
from jupyter_graph.event import Event, read_event
from jupyter_graph.steps.routers.split_routers import Mirror, Split
from jupyter_graph.steps.routers.traffic_split import Shares, point

WAIT_S = 5.0


def to(name):
    def route(event):
        event.body = {"route": name, "path": event.path}
        return event

    return route


ROUTES = {"old": to("old"), "new": to("new"), "off": to("off")}


def routed(split, body=None, **facts):
    return split.do_event(Event(body, **facts)).body["route"]


# -- Split ----------------------------------------------------------------------


def test_each_route_gets_its_share():
    split = Split(ROUTES, {"old": 9, "new": 1})
    found = [routed(split, id=f"event-{n}") for n in range(5000)]

    assert found.count("new") == pytest.approx(500, abs=75)
    assert found.count("off") == 0


def test_equal_keys_go_the_same_way():
    split = Split(ROUTES, {"old": 0.5, "new": 0.5}, key="user.id")
    ways = {
        user: {routed(split, {"user": {"id": user}}) for _ in range(20)}
        for user in range(50)
    }

    assert {len(way) for way in ways.values()} == {1}
    assert set().union(*ways.values()) == {"old", "new"}


def test_events_without_a_key_go_by_their_id():
    split = Split(ROUTES, {"old": 0.5, "new": 0.5}, key="user.id")

    for body in ({}, {"user": None}, [1], None, {"user": {"id": None}}):
        found = {routed(split, body, id=f"e{n}") for n in range(50)}
        assert found == {"old", "new"}
    assert len({routed(split, {}, id="same") for _ in range(20)}) == 1


def test_a_point_is_the_same_in_every_process():
    code = (
        "import json\n"
        "from jupyter_graph.steps.routers.traffic_split import point\n"
        "print(json.dumps([point(v, 's') for v in ('ann', 7, ['a', 1], 0.5)]))"
    )
    other = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )

    values = ("ann", 7, ["a", 1], 0.5)
    assert json.loads(other.stdout) == [point(value, "s") for value in values]


def test_points_lie_evenly_and_salts_differ():
    points = [point(n) for n in range(2000)]

    assert all(0 <= found < 1 for found in points)
    assert sum(found < 0.25 for found in points) == pytest.approx(500, abs=80)
    assert point("ann", "split") != point("ann", "mirror")


def test_a_larger_share_only_adds_events():
    few = Shares({"new": 0.1, "old": 0.9}, {"new": 1, "old": 1})
    more = Shares({"new": 0.3, "old": 0.7}, {"new": 1, "old": 1})
    moved = [n for n in range(500) if few.at(point(n)) == "new"]

    assert {more.at(point(n)) for n in moved} == {"new"}


@pytest.mark.parametrize("place", [0.0, 0.5, 0.999999, 1 - 2**-53])
def test_every_place_has_a_route(place):
    shares = Shares({"a": 1 / 3, "b": 1 / 3, "c": 1 / 3, "d": 0}, dict.fromkeys("abcd"))

    assert shares.at(place) in ("a", "b", "c")


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ({}, "weights must be numbers by route"),
        ([1, 2], "got \\[1, 2\\]"),
        ({"nwe": 1}, "'nwe', which is no route; did you mean 'new'"),
        ({"new": -1}, "must be a number of 0 or more, got -1"),
        ({"new": True}, "got True"),
        ({"new": float("inf")}, "got inf"),
        ({"new": 0}, "weights must sum to more than 0"),
    ],
)
def test_wrong_weights_are_refused(weights, message):
    with pytest.raises(SpecError, match=message):
        Split(ROUTES, weights)


@pytest.mark.parametrize("key", ["", "a..b", 5])
def test_a_wrong_key_is_refused(key):
    with pytest.raises(SpecError, match="key must be a place in the body"):
        Split(ROUTES, {"new": 1}, key=key)


def test_the_event_reaches_its_route_as_it_came():
    event = Event({"x": 1}, path="/v2/models/m/infer")

    answer = Split({"a": to("a")}, {"a": 1}).do_event(event).body
    assert answer == {"route": "a", "path": "/v2/models/m/infer"}


def split_graph(router_class, **args):
    graph = Graph(
        "shares", topology="router", router_class=router_class, router_args=args
    )
    graph.add_route("old", handler=lambda body: {"by": "old", "x": body["x"]})
    graph.add_route("new", handler=lambda body: {"by": "new", "x": body["x"]})
    return graph


def test_a_graph_may_be_split(run_graph):
    graph = split_graph(Split, weights={"old": 0.5, "new": 0.5}, key="x")
    found = run_graph(graph, [{"x": n} for n in range(40)])

    assert {answer["by"] for answer in found} == {"old", "new"}
    assert [answer["x"] for answer in found] == list(range(40))


def test_split_awaits_coroutines():
    async def route(event):
        await asyncio.sleep(0)
        return to("late")(event)

    split = Split({"late": route, "now": to("now")}, {"late": 1, "now": 1})
    found = {
        asyncio.run(split.do_event_async(Event(id=f"{n}"))).body["route"]
        for n in range(20)
    }
    assert found == {"late", "now"}


# -- Mirror ---------------------------------------------------------------------


class Watched(Mirror):
    """Tells when so many shadows were recorded."""

    def __init__(self, *args, wanted=1, **more):
        super().__init__(*args, **more)
        self.left = threading.Semaphore(0)
        self.wanted = wanted

    def record(self, shadow):
        super().record(shadow)
        self.left.release()

    def all_recorded(self):
        return all(self.left.acquire(timeout=WAIT_S) for _ in range(self.wanted))


@pytest.fixture
def watched():
    made = []

    def make(*args, **more):
        made.append(Watched(*args, **more))
        return made[-1]

    yield make
    for mirror in made:
        mirror.close()


def test_the_first_route_answers_and_the_others_are_tried(watched):
    mirror = watched(ROUTES, wanted=2)

    assert routed(mirror, {"x": 1}, id="7", path="/p") == "old"
    assert mirror.all_recorded()
    assert {(s.event_id, s.route) for s in mirror.shadows} == {
        ("7", "new"),
        ("7", "off"),
    }
    assert mirror.shadows[0].answer["path"] == "/p"
    assert (mirror.counts.sent, mirror.counts.answered) == (2, 2)


def test_another_route_may_be_the_one_that_answers(watched):
    mirror = watched(ROUTES, primary="new", wanted=2)

    assert routed(mirror, {}) == "new"
    assert mirror.all_recorded()
    assert {shadow.route for shadow in mirror.shadows} == {"old", "off"}


@pytest.mark.parametrize(("share", "sent"), [(0, 0), (1, 200), (0.25, 50)])
def test_a_share_of_the_events_is_copied(share, sent, watched):
    mirror = watched({"a": to("a"), "b": to("b")}, share, max_waiting=1000)
    for n in range(200):
        routed(mirror, {}, id=f"event-{n}")

    assert mirror.counts.sent == pytest.approx(sent, abs=20 if 0 < share < 1 else 0)


def test_a_copy_has_a_body_of_its_own(watched):
    def spoil(event):
        event.body["inner"].append("spoilt")
        return event

    mirror = watched({"a": lambda event: event, "b": spoil})
    body = {"inner": []}
    answered = mirror.do_event(Event(body))

    assert mirror.all_recorded()
    assert answered.body == {"inner": []}
    assert mirror.shadows[0].answer == {"inner": ["spoilt"]}


def test_a_failure_in_the_background_reaches_nobody(watched, caplog):
    def fail(event):
        raise OSError("broken")

    mirror = watched({"a": to("a"), "b": fail})

    assert routed(mirror, {}, id="7") == "a"
    assert mirror.all_recorded()
    assert mirror.shadows[0].error == "OSError: broken"
    assert mirror.counts.failed == 1
    assert "route 'b' failed in the background on event 7" in caplog.text


def test_what_does_not_keep_up_is_dropped_and_counted(watched):
    begun, may_end = threading.Event(), threading.Event()

    def slow(event):
        begun.set()
        assert may_end.wait(WAIT_S)
        return event

    mirror = watched({"a": to("a"), "b": slow}, max_waiting=2, wanted=3)
    routed(mirror, {})
    assert begun.wait(WAIT_S)
    answers = [routed(mirror, {}) for _ in range(5)]
    may_end.set()

    assert answers == ["a"] * 5
    assert mirror.all_recorded()
    assert (mirror.counts.sent, mirror.counts.dropped) == (3, 3)


def test_copies_that_wait_at_the_end_are_dropped():
    begun, may_end = threading.Event(), threading.Event()

    def slow(event):
        begun.set()
        assert may_end.wait(WAIT_S)
        return event

    mirror = Watched({"a": to("a"), "b": slow})
    for _ in range(4):
        routed(mirror, {})
    assert begun.wait(WAIT_S)
    mirror.close()
    may_end.set()

    assert mirror.all_recorded()
    assert (mirror.counts.answered, mirror.counts.dropped) == (1, 3)
    assert routed(mirror, {}) == "a"
    assert mirror.counts.dropped == 4


def test_only_the_last_answers_are_kept(watched):
    mirror = watched({"a": to("a"), "b": to("b")}, keep=2, wanted=5)
    for n in range(5):
        routed(mirror, {}, id=f"{n}")

    assert mirror.all_recorded()
    assert [shadow.event_id for shadow in mirror.shadows] == ["3", "4"]


def test_coroutines_are_mirrored_on_the_loop(watched):
    async def late(event):
        await asyncio.sleep(0)
        return to("late")(event)

    async def fails(event):
        raise OSError("broken")

    mirror = watched({"a": late, "b": late, "c": fails, "d": to("d")}, wanted=3)

    async def run():
        answered = await mirror.do_event_async(Event({}))
        return answered.body["route"], await asyncio.to_thread(mirror.all_recorded)

    assert asyncio.run(run()) == ("late", True)
    assert {(s.route, s.error) for s in mirror.shadows} == {
        ("b", None),
        ("c", "OSError: broken"),
        ("d", None),
    }


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ({"share": 1.5}, "share must be a number from 0 to 1, got 1.5"),
        ({"share": "all"}, "got 'all'"),
        ({"primary": "nwe"}, "primary 'nwe' is no route; did you mean 'new'"),
        ({"max_waiting": 0}, "max_waiting must be a whole number of 1 or more"),
        ({"keep": -1}, "keep must be a whole number of 0 or more"),
        ({"key": ""}, "key must be a place in the body"),
        ({"routes": {}}, "Mirror has no routes"),
    ],
)
def test_a_wrong_argument_is_refused(args, message):
    with pytest.raises(SpecError, match=message):
        Mirror(**{"routes": ROUTES, **args})


def test_a_graph_may_be_mirrored(run_graph):
    found = run_graph(split_graph(Mirror), [{"x": n} for n in range(5)])

    assert found == [{"by": "old", "x": n} for n in range(5)]


# -- the router that a graph is, and ids in Nuclio -----------------------------------


def nuclio_request(body):
    """An event as the worker of a Nuclio function gives it: all have one id."""
    return nuclio_sdk.Event(
        body=body, _id="worker-1", content_type="application/json",
        trigger=nuclio_sdk.TriggerInfo("http", "web"),
    )  # fmt: skip


def test_a_graph_that_is_a_split_has_its_counts(open_runner):
    graph = split_graph(Split, weights={"old": 0.5, "new": 0.5}, key="x")
    runner = open_runner(graph)
    found = [runner.run({"x": n})["by"] for n in range(20)]

    assert runner.step() is runner.step("shares") is runner.step("router")
    assert runner.step().counts == Counter(found)


def test_a_graph_that_is_a_mirror_has_its_counts_and_shadows(open_runner):
    runner = open_runner(split_graph(Mirror))
    runner.run({"x": 1})
    until = time.monotonic() + 5
    while not runner.step().shadows and time.monotonic() < until:
        time.sleep(0.01)

    assert runner.step().counts.sent == runner.step().counts.answered == 1
    assert runner.step().shadows[0].answer == {"by": "new", "x": 1}


def test_a_flow_is_no_router(open_runner):
    graph = Graph("flow")
    graph.to(name="it", handler=lambda body: body)

    with pytest.raises(UnknownStepError, match="a flow and no router; name a step"):
        open_runner(graph).step()


def test_requests_of_one_nuclio_worker_are_shared_out(open_runner):
    runner = open_runner(split_graph(Split, weights={"old": 0.5, "new": 0.5}))

    for _ in range(400):
        runner.handle(read_event(nuclio_request({"x": 1})))

    assert all(100 <= count <= 300 for count in runner.step().counts.values())


def test_a_share_of_the_requests_of_one_nuclio_worker_is_mirrored(open_runner):
    runner = open_runner(split_graph(Mirror, share=0.5))

    for _ in range(400):
        runner.handle(read_event(nuclio_request({"x": 1})))

    assert 100 <= runner.step().counts.sent <= 300


def test_requests_of_one_nuclio_worker_have_ids_of_their_own(open_runner):
    graph = Graph("nobody")
    for name in ("a", "b"):
        graph.add_step(name=name, handler=lambda body: body, after="start")
    runner = open_runner(graph)

    answers = [runner.handle(read_event(nuclio_request(1))) for _ in range(3)]

    ids = {answer.body["id"] for answer in answers}
    assert (len(ids), {answer.status_code for answer in answers}) == (3, {202})
    assert ids == {answer.event_id for answer in answers}
