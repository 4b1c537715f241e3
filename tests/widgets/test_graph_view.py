import threading

import pytest

from jupyter_graph.spec.model import GraphSpec, StepSpec
from jupyter_graph.widgets.graph_view import GraphView
from jupyter_graph.widgets.step_detail import StepDetail, options_of

WIDGET = "application/vnd.jupyter.widget-view+json"


def flow(*names, **fields):
    steps = [
        StepSpec(name=name, handler=name, after=names[max(i - 1, 0) : i], **fields)
        for i, name in enumerate(names)
    ]
    return GraphSpec(name="g", steps=tuple(steps))


def counted(count, last="1"):
    return {
        "steps": {"a": {"count": count, "errors": 0, "mean_ms": 0.1, "last_ms": 0.1}},
        "edges": {"$start→a": {"count": count, "last": last}},
    }


class Clock:
    """Stands still until it is moved."""

    now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def messages():
    """Count the changes of a view's counters, as the front end would get them."""

    def watch(view):
        found = []
        view.observe(lambda change: found.append(change["new"]), "counters")
        return found

    return watch


def test_it_sends_places_and_texts_not_pictures():
    view = GraphView(flow("a", "b"))

    assert [node["name"] for node in view.drawing["nodes"]] == ["$start", "a", "b"]
    assert {edge["target"] for edge in view.drawing["edges"]} == {"a", "b"}
    assert view.details["b"]["options"] == {"handler": "b", "after": "a"}


def test_counters_are_shown_at_once_when_nothing_was_sent_lately(clock, messages):
    view = GraphView(flow("a"), clock=clock)
    sent = messages(view)
    view.show(counted(1))

    assert sent == [counted(1)]


def test_many_updates_in_a_short_time_become_one_message(clock, messages):
    view = GraphView(flow("a"), clock=clock)
    sent = messages(view)
    for count in range(1, 500):
        view.show(counted(count))
    clock.now += 0.1
    view.show(counted(500))

    assert [message["steps"]["a"]["count"] for message in sent] == [1, 500]


def test_at_most_twenty_messages_leave_in_a_second(clock, messages):
    view = GraphView(flow("a"), clock=clock)
    sent = messages(view)
    for count in range(1000):
        clock.now = 100 + count / 1000
        view.show(counted(count + 1))

    assert len(sent) <= 21


def test_flush_sends_the_last_update_and_only_once(clock, messages):
    view = GraphView(flow("a"), clock=clock)
    sent = messages(view)
    view.show(counted(1))
    view.show(counted(2))
    view.flush()
    view.flush()

    assert [message["steps"]["a"]["count"] for message in sent] == [1, 2]


def test_updates_may_come_from_several_threads(messages):
    view = GraphView(flow("a"))
    threads = [
        threading.Thread(target=lambda: [view.show(counted(n)) for n in range(50)])
        for _ in range(4)
    ]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    view.show(counted(51))
    view.flush()

    assert view.counters == counted(51)


def test_it_starts_no_thread():
    before = threading.active_count()
    GraphView(flow("a")).show(counted(1))

    assert threading.active_count() == before


def test_another_state_of_the_graph_keeps_the_open_panel_when_its_step_stays():
    view = GraphView(flow("a", "b"))
    view.selected = "b"
    view.set_spec(flow("a", "b", "c"))

    assert view.selected == "b"
    assert view.spec.names() == ("a", "b", "c")

    view.set_spec(flow("a"))
    assert view.selected == ""
    assert [node["name"] for node in view.drawing["nodes"]] == ["$start", "a"]


def test_details_are_shown_and_bounded():
    detail = StepDetail(code="def a(): ...", input="x" * 30_000, where="cell 3, line 1")
    view = GraphView(flow("a"), {"a": detail})

    assert view.details["a"]["code"] == "def a(): ..."
    assert view.details["a"]["where"] == "cell 3, line 1"
    assert view.details["a"]["input"].endswith("… 10,000 more characters")


def test_what_no_message_can_hold_is_replaced():
    view = GraphView(flow("a"), {"a": StepDetail(input="\ud800")})
    view.show(counted(1, last="\ud800 <script>"))

    assert view.details["a"]["input"] == "?"
    assert view.counters["edges"]["$start→a"]["last"] == "? <script>"


def test_without_a_front_end_the_same_bundle_shows_the_picture():
    view = GraphView(flow("a", "b"))
    view.show(counted(7))
    data, _ = view._repr_mimebundle_()

    assert data[WIDGET]["model_id"] == view.model_id
    assert data["image/svg+xml"].startswith("<svg")
    assert "7 events · 0.1 ms" in data["image/svg+xml"]
    assert data["text/plain"].startswith("g · flow · 2 steps")


def test_the_browser_part_uses_no_markup_from_texts_and_no_network():
    from jupyter_graph.widgets import graph_view

    script = (graph_view.HERE / "graph_view.js").read_text()
    style = GraphView(flow("a"))._css

    for word in ("innerHTML", "outerHTML", "insertAdjacentHTML", "eval(", "http://"):
        found = script.replace("http://www.w3.org/2000/svg", "").count(word)
        assert not found, word
    assert "https://" not in script + style
    assert "import " not in script
    assert "@import" not in style
    assert "url(" not in style


def test_the_panel_of_a_flow_lists_its_steps_and_of_a_queue_no_password():
    inside = (StepSpec(name="a", handler="f"), StepSpec(name="b", handler="f"))
    flow = StepSpec(name="tidy", kind="flow", steps=inside)
    queue = StepSpec(name="q", kind="queue", path="amqp://ann:secret@host/q")

    assert options_of(flow) == {"steps": "a, b"}
    assert options_of(queue) == {"path": "amqp://host/q"}
