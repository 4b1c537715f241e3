"""How a batch run cuts a graph: what may stand before a vectorised step."""

import pytest

from jupyter_graph import Event, Graph


def same(body):
    return body


def graph_of(*steps, **options):
    graph = last = Graph("values", **options)
    for step in steps:
        if isinstance(step, dict):
            last = last.to(**step)
        else:
            is_vectorized = step is not same
            last = last.to(name=step.__name__, handler=step, vectorized=is_vectorized)
    last.respond()
    return graph


def frames(frame):
    return frame


def sizes_of(first, open_runner, rows):
    sizes = []

    def total(frame):
        sizes.append(len(frame))
        return frame

    result = open_runner(graph_of(first, total)).run_batch(rows)
    return sizes, result


@pytest.mark.parametrize(
    ("acts", "kept"),
    [("reject", [0, 2]), ("tag", [0, 1, 2]), ("count", [0, 1, 2]), ("drop", [0, 2])],
)
def test_a_validator_before_a_vectorised_step_keeps_frames(acts, kept, open_runner):
    checks = {"fields": "n", "min": 0, "on_violation": acts}
    step = {"name": "check", "class_name": "RangeValidator", "class_args": checks}
    sizes, result = sizes_of(step, open_runner, [{"n": 1}, {"n": -1}, {"n": 2}])

    assert sizes == [len(kept)]
    assert list(result.frame.index) == kept


def test_a_validator_that_routes_still_chooses(run_graph):
    graph = Graph("routes")
    routes = {"fields": "n", "min": 0, "on_violation": "route", "to": "bad"}
    check = graph.to("RangeValidator", name="check", valid_to="good", **routes)
    check.to(name="good", handler=lambda body: "good")
    check.to(name="bad", handler=lambda body: "bad")
    graph.add_step("Merge", name="end", after=["good", "bad"], join="any").respond()

    assert run_graph(graph, [{"n": 1}, {"n": -1}]) == ["good", "bad"]


def test_what_is_set_in_an_event_passes_a_vectorised_step(open_runner):
    sizes = []

    def total(frame):
        sizes.append(len(frame))
        return frame.assign(total=frame["id"] + 1)

    def tell(event):
        event.body = {**event.body, "event": event.id, "key": event.key}
        return event

    meta = {"class_name": "SetEventMetadata", "name": "meta"}
    graph = graph_of(
        {**meta, "class_args": {"id_path": "id", "key_path": "user"}},
        total,
        {"name": "tell", "handler": tell, "full_event": True},
    )
    rows = [{"id": 7, "user": "ann"}, {"id": 8, "user": "bob"}]
    frame = open_runner(graph).run_batch(rows).frame

    assert sizes == [2]
    assert frame.to_dict("records") == [
        {"id": 7, "user": "ann", "total": 8, "event": "7", "key": "ann"},
        {"id": 8, "user": "bob", "total": 9, "event": "8", "key": "bob"},
    ]


def test_each_row_has_an_event_of_its_own(open_runner):
    seen = []

    def first(event):
        seen.append(event)
        return event

    def then(event):
        seen.append(event)
        return event

    whole = {"full_event": True}
    graph = graph_of(
        {"name": "first", "handler": first, **whole},
        frames,
        {"name": "then", "handler": then, **whole},
    )
    open_runner(graph).run_batch([{"n": 1}, {"n": 2}])

    assert all(isinstance(event, Event) for event in seen)
    assert [event is other for event, other in zip(seen, seen[2:], strict=False)] == [
        True,
        True,
    ]
    assert seen[0] is not seen[1]


def test_steps_that_go_row_by_row_are_named(open_runner):
    graph = Graph("caught")
    first = graph.to(name="frames", handler=frames, vectorized=True)
    second = first.to(name="slow", handler=frames, vectorized=True).respond()
    second.error_handler(name="instead", handler=same)
    result = open_runner(graph).run_batch([{"n": 1}])

    assert result.row_by_row == ("slow",)
    assert repr(result) == "<batch of 1 rows: 1 answers, 0 failed; row by row: slow>"
