"""An error handler that reraises: it runs, and the event fails all the same."""

import json

import pytest

from jupyter_graph import Graph, MockServer, StepError
from jupyter_graph.errors import NotFoundError


def risky(body):
    if body["n"] < 0:
        raise NotFoundError("no such row")
    return {"ratio": 1 / body["n"]}


async def risky_later(body):
    return risky(body)


def graph_of(step, handles, dead, **options):
    graph = Graph("dead_letters", **options)
    first = graph.to(name="risky", handler=step)
    first.to(name="end", handler=lambda body: {**body, "end": True}).respond()
    place = first if handles == "step" else graph
    place.error_handler(name="dead", reraise=True, **dead)
    return graph


STEPS = [
    pytest.param(risky, {"engine": "async"}, id="async"),
    pytest.param(risky, {"engine": "sync"}, id="sync"),
    pytest.param(risky_later, {}, id="coroutine"),
]


@pytest.mark.parametrize("handles", ["step", "graph"])
@pytest.mark.parametrize(("step", "options"), STEPS)
def test_a_dead_letter_is_recorded_and_keeps_its_status(
    step, options, handles, tmp_path
):
    path = tmp_path / "dead.jsonl"
    dead = {"class_name": "JSONLinesTarget", "path": str(path)}
    with MockServer(graph_of(step, handles, dead, **options)) as server:
        answers = [
            server.test(body={"n": n}, silent=True, get_body=False) for n in (1, 0, -1)
        ]

    assert [answer.status_code for answer in answers] == [200, 500, 404]
    assert answers[0].body == {"ratio": 1.0, "end": True}
    lines = path.read_text().splitlines()
    assert [json.loads(line) for line in lines] == [{"n": 0}, {"n": -1}]


@pytest.mark.parametrize("handles", ["step", "graph"])
@pytest.mark.parametrize(("step", "options"), STEPS)
def test_the_error_names_the_step_that_failed(step, options, handles, open_runner):
    seen = []
    dead = {"handler": seen.append}
    runner = open_runner(graph_of(step, handles, dead, **options))
    with pytest.raises(StepError) as caught:
        runner.run({"n": 0})

    assert caught.value.step == "risky"
    assert isinstance(caught.value.cause, ZeroDivisionError)
    assert seen == [{"n": 0}]


def test_a_handler_that_fails_itself_is_named(open_runner):
    def dead(body):
        raise OSError("the disk is full")

    with pytest.raises(StepError, match="the disk is full") as caught:
        open_runner(graph_of(risky, "step", {"handler": dead})).run({"n": 0})

    assert caught.value.step == "dead"


def test_the_handler_of_a_handler_may_reraise(open_runner):
    seen = []

    def dead(body):
        raise OSError("the disk is full")

    graph = Graph("twice")
    first = graph.to(name="risky", handler=risky).respond()
    first.error_handler(name="dead", handler=dead, reraise=True)
    graph.error_handler(name="last", handler=seen.append, step="dead")
    with pytest.raises(StepError, match="division by zero") as caught:
        open_runner(graph).run({"n": 0})

    assert caught.value.step == "risky"
    assert len(seen) == 1


def test_rows_of_a_batch_fail_and_are_recorded(open_runner):
    seen = []
    runner = open_runner(graph_of(risky, "step", {"handler": seen.append}))
    result = runner.run_batch([{"n": 1}, {"n": 0}])

    assert result.answered == 1
    assert [(error.row, error.step) for error in result.errors] == [(1, "risky")]
    assert seen == [{"n": 0}]
