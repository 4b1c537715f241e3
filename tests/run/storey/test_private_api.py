"""Storey's private names are all there, do what we take them for, and are met once."""

import ast
import asyncio
import re
from pathlib import Path

import pytest
import storey
from storey import dtypes

from jupyter_graph.run.storey import private_api

ROOM = Path(private_api.__file__).parent
NAMES = {
    "Map": (
        "_fn", "_full_event", "_input_path", "_result_path", "_outlets", "_inlets",
        "_create_name_to_outlet", "_runnable", "_do", "_do_and_recover",
        "_do_downstream", "_get_event_or_body", "_user_fn_output_to_event",
    ),
    "MapWithState": ("_fn", "_state"),
    "MapClass": ("_filter",),
    "ConcurrentExecution": (
        "_process_event", "_process_event_with_retries",
        "_handle_completed", "_executor",
    ),
}  # fmt: skip
"""What ``private_api`` uses, by the class of whose instances it is asked."""


def missing_names():
    """Return what this version of storey has not, as ``Class._name``."""
    made = {
        "Map": lambda: storey.Map(str),
        "MapWithState": lambda: storey.MapWithState({}, lambda body, state: body),
        "MapClass": storey.MapClass,
        "ConcurrentExecution": lambda: storey.ConcurrentExecution(event_processor=str),
    }
    steps = {name: make() for name, make in made.items()}
    missing = [
        f"{kind}.{name}"
        for kind, names in NAMES.items()
        for name in names
        if not hasattr(steps[kind], name)
    ]
    if not hasattr(dtypes, "_termination_obj"):
        missing.append("dtypes._termination_obj")
    if not hasattr(storey.Event(None), "_awaitable_result"):
        missing.append("Event._awaitable_result")
    return missing


def test_this_version_of_storey_has_every_name():
    assert missing_names() == [], (
        f"storey {storey.__version__} has changed below us: mend "
        "jupyter_graph/run/storey/private_api.py, or bound storey in pyproject.toml"
    )


def test_a_name_that_is_gone_is_named(monkeypatch):
    monkeypatch.setitem(NAMES, "MapClass", ("_filter", "_gone"))

    assert missing_names() == ["MapClass._gone"]


def test_the_versions_are_bounded_on_both_sides():
    text = (Path(__file__).parents[3] / "pyproject.toml").read_text()
    lines = re.findall(r'"storey([<>=][^;"]*)', text)

    assert len(lines) == 2  # the extra, and the group of the tests
    assert all(re.fullmatch(r">=[\d.]+,<[\d.]+", line) for line in lines)


@pytest.mark.parametrize("path", sorted(ROOM.glob("*.py")), ids=lambda path: path.stem)
def test_no_other_file_of_the_room_knows_one(path):
    known = {name for names in NAMES.values() for name in names}
    known |= {"_termination_obj", "_awaitable_result"}
    used = {
        node.attr
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute)
        and not (isinstance(node.value, ast.Name) and node.value.id == "self")
    }

    assert path.stem == "private_api" or not used & known


class Result(private_api.AwaitableResult):
    def __init__(self):
        self.log = []

    def finish(self):
        self.log.append("done")

    def fail(self, error):
        self.log.append(str(error))


def fields(body):
    return {"body": body, "key": None, "id": "1", "path": "/", "headers": {}}


def test_a_step_sends_on_what_it_made_and_ends():
    sent = []

    async def send(event, *_, **__):
        sent.append(event)

    async def main():
        step = storey.Map(lambda body: body + 1)
        private_api.connect(step, send, name="behind", is_last=False)
        work = private_api.drive(step)
        await work(private_api.new_event(fields(1), Result()))
        await work(private_api.end_mark())

    asyncio.run(main())

    event, end = sent
    assert event.body == 2
    assert not private_api.is_an_end(event)
    assert private_api.is_an_end(end)


def test_an_event_carries_its_result_and_storey_reports_there():
    result = Result()
    event = private_api.new_event(fields(1), result)
    private_api.result_of(event)._set_result(None)
    private_api.result_of(event)._set_error(ValueError("wrong"))

    assert result.log == ["done", "wrong"]
    assert private_api.result_of(object()) is None


def test_paths_and_function_are_those_of_the_constructor():
    step = storey.Map(str, input_path="a", result_path="b", full_event=False)

    assert private_api.paths_of(step) == (False, "a", "b")
    assert private_api.function_of(step) is str


def test_the_state_goes_from_event_to_event():
    step = storey.MapWithState(0, lambda body, state: (state, state + body))
    call = private_api.with_state(step)

    assert [call(1), call(2), call(3)] == [0, 1, 3]


def test_an_event_that_the_step_filters_is_dropped_and_the_next_is_not():
    step = storey.MapClass()
    taken = private_api.unless_filtered(step, lambda event, body: body, "dropped")
    step.filter()

    assert [taken(None, 1), taken(None, 2)] == ["dropped", 2]


def test_a_workers_calls_go_through_ours():
    log = []

    async def work(process, event):
        log.append("work")
        return await process(event)

    async def done(handle, event, response):
        log.append(type(response).__name__)

    async def send(sent, *_, **__):
        pass

    async def ask(body):
        return body * 2

    async def main():
        step = storey.ConcurrentExecution(event_processor=ask)
        assert private_api.has_worker(step)
        private_api.connect(step, send, name="behind", is_last=False)
        private_api.watch_worker(step, work, done)
        run = private_api.drive(step)
        await run(private_api.new_event(fields(4), Result()))
        await run(private_api.end_mark())
        private_api.shut_pool(step)

    asyncio.run(main())

    assert log == ["work", "Event"]
    assert not private_api.has_worker(storey.Map(str))
