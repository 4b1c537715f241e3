"""A compiled graph: what it holds, what it tells."""

import gc
import linecache

import pytest

from jupyter_graph import Graph, StepError
from jupyter_graph.compile.compiled_graph import compile_graph
from jupyter_graph.compile.failing_step import LINES
from jupyter_graph.errors import SpecError


def double(x):
    return x * 2


def fails(x):
    raise ValueError("boom")


async def pause(x):
    return x


def chain(*steps):
    graph = Graph("g")
    for step in steps:
        graph.add_step(name=step.__name__, handler=step)
    return graph


def test_a_compiled_graph_runs_over_other_calls():
    compiled = compile_graph(chain(double))
    function = compiled.function({"double": lambda x: x + 100}, {})

    assert function(1) == 101


def test_compiling_twice_gives_graphs_of_their_own():
    graph = chain(double)
    first, second = compile_graph(graph), compile_graph(graph)

    assert first.main.filename != second.main.filename
    assert first.source == second.source


@pytest.mark.parametrize(
    ("steps", "is_async"), [([double], False), ([double, pause], True)]
)
def test_a_graph_tells_its_colour(steps, is_async):
    assert compile_graph(chain(*steps)).is_async == is_async


def test_the_traceback_shows_the_generated_line(open_runner):
    runner = open_runner(chain(double, fails))

    with pytest.raises(StepError) as caught:
        runner.run(1)

    frames, found = [], caught.value.__cause__.__traceback__
    while found is not None:
        frames.append((found.tb_frame.f_code.co_filename, found.tb_lineno))
        found = found.tb_next
    [(filename, line)] = [place for place in frames if place[0].startswith("<graph")]
    assert linecache.getline(filename, line).strip() == "body = fails(body)"


def test_lines_of_graphs_that_are_gone_are_forgotten():
    before = len(LINES)
    for _ in range(50):
        compile_graph(chain(double))
    gc.collect()
    compile_graph(chain(double))

    assert len(LINES) <= before + 3


def test_a_storey_step_is_a_line_like_others():
    graph = chain(double)
    graph.add_step("storey.Map", "map", class_args={"_fn": "double"})
    graph.add_step(name="last", handler=double)

    lines = [line.strip() for line in compile_graph(graph).source.splitlines()]

    assert lines[:8] == [
        "def run(event):",
        "event.body = double(event.body)",
        "found = map(event)",
        "if found is NOTHING:",
        "return NOTHING",
        "if type(found) is Several:",
        "return several(found, after_map)",
        "event = found",
    ]


def test_an_invalid_graph_is_refused():
    graph = chain(double)
    graph.change_step("double", after=("ghost",))

    with pytest.raises(SpecError, match="comes after 'ghost'"):
        compile_graph(graph)
