import time
from itertools import combinations

import pytest

from jupyter_graph.errors import SpecError
from jupyter_graph.picture.layout import graphviz_engine
from jupyter_graph.picture.layout.layout import ENGINES, layout
from jupyter_graph.spec.model import GraphSpec, StepSpec


def engine_or_skip(name):
    if name != "layered" and graphviz_engine.program(name) is None:
        pytest.skip(f"{name} is not installed")
    return name


def overlap(one, two):
    return (
        abs(one.x - two.x) < (one.width + two.width) / 2
        and abs(one.y - two.y) < (one.height + two.height) / 2
    )


@pytest.mark.parametrize("engine", ENGINES)
def test_boxes_never_overlap(any_graph, engine):
    nodes = layout(any_graph, engine=engine_or_skip(engine)).nodes.values()

    assert not [pair for pair in combinations(nodes, 2) if overlap(*pair)]


@pytest.mark.parametrize("engine", ENGINES)
def test_everything_lies_inside_the_picture(any_graph, engine):
    found = layout(any_graph, engine=engine_or_skip(engine))

    assert all(
        node.width / 2 <= node.x <= found.width - node.width / 2
        and node.height / 2 <= node.y <= found.height - node.height / 2
        for node in found.nodes.values()
    )
    assert all(
        0 <= x <= found.width and 0 <= y <= found.height
        for edge in found.edges
        for x, y in edge.points
    )


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", ["linear", "branch", "errors", "random"])
def test_edges_lead_from_the_right_of_a_step_to_the_left_of_the_next(
    graph, name, engine
):
    found = layout(graph(name), engine=engine_or_skip(engine))

    for edge in found.edges:
        source, target = found.nodes[edge.source], found.nodes[edge.target]
        assert edge.points[0][0] == pytest.approx(source.x + source.width / 2, abs=1)
        assert edge.points[-1][0] == pytest.approx(target.x - target.width / 2, abs=1)
        assert source.x < target.x


def test_a_chain_stands_on_one_line(graph):
    found = layout(graph("linear"), engine="layered")

    assert len({node.y for node in found.nodes.values()}) == 1


def test_error_handlers_stand_below_the_flow(graph):
    nodes = layout(graph("errors"), engine="layered").nodes
    handlers = {"fix", "excuse", "catch_all"}

    lowest = max(node.y for name, node in nodes.items() if name not in handlers)
    assert all(nodes[name].y > lowest for name in handlers)


@pytest.mark.parametrize("name", ["router", "root-router", "wide-router"])
@pytest.mark.parametrize("engine", ENGINES)
def test_a_router_and_its_routes_stand_in_one_frame(graph, name, engine):
    found = layout(graph(name), engine=engine_or_skip(engine))
    [frame] = found.frames
    inside = {
        name
        for name, node in found.nodes.items()
        if frame.x < node.x < frame.x + frame.width
        and frame.y < node.y < frame.y + frame.height
    }

    spec = graph(name)
    [router] = [step for step in spec.every_step() if step.kind == "router"]
    assert inside == {router.name, *(route.name for route in router.routes)}


def test_lines_of_the_layered_layout_run_through_no_box(graph):
    found = layout(graph("random"), engine="layered")

    for edge in found.edges:
        ends = (edge.source, edge.target)
        for name, node in found.nodes.items():
            hits = [
                (x, y)
                for x, y in edge.points
                if abs(x - node.x) < node.width / 2 - 1
                and abs(y - node.y) < node.height / 2 - 1
            ]
            assert name in ends or not hits, (edge.source, edge.target, name)


def test_labels_cover_no_box_and_no_other_label(graph):
    found = layout(graph("random"), engine="layered", roomy=True)
    labels = [edge.label for edge in found.edges if edge.label]

    assert len(labels) > len(found.edges) * 0.9
    assert all(
        abs(one[0] - two[0]) >= 128 or abs(one[1] - two[1]) >= 18
        for one, two in combinations(labels, 2)
    )
    assert not [
        (label, node)
        for label in labels
        for node in found.nodes.values()
        if abs(label[0] - node.x) < 64 + node.width / 2 - 1
        and abs(label[1] - node.y) < 9 + node.height / 2 - 1
    ]


@pytest.mark.parametrize("engine", ENGINES)
def test_the_same_graph_gets_the_same_places(any_graph, engine):
    engine_or_skip(engine)

    assert layout(any_graph, engine=engine) == layout(any_graph, engine=engine)


def chain_with_one_handler(count):
    steps = [
        StepSpec(name=f"s{i}", handler="f", after=(f"s{i - 1}",)[: i > 0], on_error="h")
        for i in range(count)
    ]
    handler = StepSpec(name="h", kind="error_step", handler="h")
    return GraphSpec(steps=(*steps, handler))


def hairball(count):
    steps = [
        StepSpec(
            name=f"s{i}",
            handler="f",
            after=tuple(f"s{j}" for j in range(max(0, i - 40), i, 3)),
        )
        for i in range(count)
    ]
    return GraphSpec(steps=tuple(steps))


@pytest.mark.slow
@pytest.mark.parametrize(
    "spec",
    [
        pytest.param(chain_with_one_handler(300), id="one-handler-for-all"),
        pytest.param(hairball(300), id="four-thousand-edges"),
    ],
)
def test_large_graphs_are_placed_quickly(spec):
    place_quickly(spec)


def test_a_thousand_steps_are_placed_quickly(big_graph):
    place_quickly(big_graph)


def place_quickly(spec):
    began = time.process_time()
    found = layout(spec, engine="layered", roomy=True)

    assert time.process_time() - began < 4  # about 0.4 on a quiet machine
    assert len(found.nodes) == len(spec.steps) + 1


def test_lines_to_a_shared_error_handler_run_together():
    found = layout(chain_with_one_handler(20), engine="layered")

    assert found.height < 200


def test_without_any_program_the_layered_layout_is_used(graph, no_programs):
    assert layout(graph("linear")).engine == "layered"


def test_a_program_that_fails_is_passed_over(graph, tmp_path, monkeypatch):
    broken = tmp_path / "dot"
    broken.write_text("#!/bin/sh\necho '{\"objects\": [{}]}'\n")
    broken.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")

    assert layout(graph("linear")).engine in ("graphviz-pure", "layered")
    with pytest.raises(SpecError, match="layout engine 'dot' does not work"):
        layout(graph("linear"), engine="dot")


def test_an_unknown_engine_is_refused():
    with pytest.raises(SpecError, match="did you mean 'layered'"):
        layout(GraphSpec(), engine="layerd")


def test_a_missing_engine_is_refused_with_the_line_that_installs_it(no_programs):
    with pytest.raises(SpecError, match=r'pip install "jupyter_graph\[layout\]"'):
        layout(GraphSpec(), engine="graphviz-pure")


@pytest.mark.parametrize("engine", ENGINES)
def test_lines_that_lead_back_pass_over_the_boxes(graph, engine):
    found = layout(graph("kinds"), engine=engine_or_skip(engine))
    [back] = [e for e in found.edges if (e.source, e.target) == ("judge", "ask")]
    ask, judge = found.nodes["ask"], found.nodes["judge"]

    assert ask.x < judge.x
    assert back.points[0][1] == pytest.approx(judge.y - judge.height / 2, abs=0.2)
    assert back.points[-1][1] == pytest.approx(ask.y - ask.height / 2, abs=0.2)
    assert min(y for _, y in back.points) < ask.y - ask.height / 2 - 20


def test_two_lines_that_lead_back_do_not_run_on_each_other():
    steps = (
        StepSpec(name="a", after=("b", "c"), cycle_from=("b", "c")),
        StepSpec(name="b", after=("a",)),
        StepSpec(name="c", after=("b",)),
    )
    edges = layout(GraphSpec(allow_cyclic=True, steps=steps)).edges
    heights = {min(y for _, y in edge.points) for edge in edges if edge.target == "a"}

    assert len(heights) == 3


def test_a_loop_on_one_step_is_drawn():
    step = StepSpec(name="a", after=("a",), cycle_from=("a",))
    found = layout(GraphSpec(allow_cyclic=True, steps=(step,)))

    assert [(edge.source, edge.target) for edge in found.edges][-1] == ("a", "a")


def test_a_graph_full_of_cycles_is_laid_out():
    names = [f"s{n}" for n in range(14)]
    steps = tuple(
        StepSpec(name=name, after=tuple(other for other in names if other != name))
        for name in names
    )

    assert len(layout(GraphSpec(steps=steps)).nodes) == 15
