"""What fails late in a storey step fails its event: never an answer without a body."""

import pytest
import storey

from jupyter_graph import Graph, StepError


async def passed(body):
    if body == "bad":
        raise ValueError("bad body")
    return body


class LateFailure(storey.ConcurrentExecution):
    """Fails when its work is done and the result is to be sent on."""

    async def _handle_completed(self, event, response):
        if event.body == "late":
            raise ValueError("too late")
        if event.body == "exits":
            raise SystemExit(3)
        await super()._handle_completed(event, response)


def joined(body, _row):
    if body["key"] == "late":
        raise ValueError("too late")
    return body


def late(max_in_flight=4):
    graph = Graph("late")
    args = {"event_processor": passed, "max_in_flight": max_in_flight}
    graph.add_step("LateFailure", "it", class_args=args).respond()
    graph.namespace["LateFailure"] = LateFailure
    return graph


def joining():
    table = storey.Table("rows", storey.NoopDriver())
    graph = Graph("joins")
    graph.to(
        "storey.JoinWithTable", name="it", table=table, key_extractor="key",
        join_function=joined,
    ).respond()  # fmt: skip
    return graph


FAILING = [
    pytest.param(late, "late", "good", id="beside-others"),
    pytest.param(lambda: late(1), "late", "good", id="one-by-one"),
    pytest.param(joining, {"key": "late"}, {"key": "a"}, id="join-function"),
]


@pytest.mark.parametrize(("make", "bad", "good"), FAILING)
def test_the_event_fails_and_the_next_one_does_not(open_runner, make, bad, good):
    runner = open_runner(make())

    with pytest.raises(StepError, match="too late") as caught:
        runner.run(bad)

    assert caught.value.step == "it"
    assert runner.answer(bad, silent=True).status_code == 500
    assert runner.run(good) == good


@pytest.mark.parametrize(("make", "bad", "good"), FAILING)
def test_its_error_handler_gets_it(run_graph, make, bad, good):
    graph = make()
    graph.error_handler("mend", handler=lambda body: ("mended", body), step="it")

    assert run_graph(graph, [bad, good]) == [("mended", bad), good]


@pytest.mark.parametrize(("make", "bad", "good"), FAILING)
def test_a_batch_run_has_its_error(open_runner, make, bad, good):
    result = open_runner(make()).run_batch([good, bad, good])

    assert [(error.row, error.step) for error in result.errors] == [(1, "it")]
    assert len(result.frame) == 2


def test_an_exit_there_ends_neither_loop_nor_worker(open_runner):
    runner = open_runner(late())

    with pytest.raises(StepError, match="SystemExit"):
        runner.run("exits")

    assert runner.run("good") == "good"
