"""Steps of a session, without a kernel: cells, blocks, places, what is remembered."""

import pytest

from jupyter_graph.cells.source import Cell
from jupyter_graph.errors import DeployError, MagicError
from jupyter_graph.session.adding import add_block, add_model
from jupyter_graph.session.step_cells import remove_step, rename_step
from jupyter_graph.session.step_options import StepOptions, check_options

DOUBLE = "def double(body): return body * 2"


def after(session):
    return {step.name: step.after for step in session.graph().spec.steps}


def test_a_cell_that_runs_again_has_exactly_the_options_it_now_says(session, define):
    define(DOUBLE, "c1", timeout_s=2.0, retries=3)
    define("def later(body): return body", "c2")
    define(DOUBLE, "c1", retries=1)
    step = session.graph().spec.step("double")

    assert (step.timeout_s, step.retries) == (None, 1)
    assert after(session) == {"double": (), "later": ("double",)}


def test_a_cell_under_another_name_renames_its_step(session, define):
    define(DOUBLE, "c1")
    placed = define("def twice(body): return body * 2", "c1")
    kept = define("def thrice(body): return body * 3", "c1", keep=True)

    assert placed.notes == ("renamed from 'double' (--keep keeps both)",)
    assert kept.notes == ()
    assert after(session) == {"twice": (), "thrice": ("twice",)}
    assert set(session.graph().namespace) == {"twice", "thrice"}


def test_a_step_moves_to_the_graph_that_its_cell_now_names(session, define):
    session.graphs.new("other")
    session.graphs.new("main")
    define(DOUBLE, "c1")
    placed = define(DOUBLE, "c1", graph="other")

    assert placed.notes == ("moved here from graph 'main'",)
    assert session.graph("main").spec.names() == ()
    assert session.graph("other").spec.names() == ("double",)


def test_a_cell_that_cannot_become_a_step_changes_nothing(session, define):
    with pytest.raises(MagicError, match="--after names step 'ghost'"):
        define(DOUBLE, after=("ghost",))

    assert session.graphs.names() == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (StepOptions(settings={"retries": -1}), "--retries must be 0 or more, got -1"),
        (
            StepOptions(settings={"timeout_s": 0.0}),
            "--timeout must be seconds above 0, got 0",
        ),
        (
            StepOptions(settings={"batch": 2, "batch_wait_ms": -1.0}),
            "--batch-wait must be 0 or more milliseconds, got -1",
        ),
        (
            StepOptions(settings={"join": "al"}),
            "--join is one of all, any, first, got 'al'; did you mean 'all'?",
        ),
        (
            StepOptions(settings={"function": "Bad Name!"}),
            "--function: a function's name is 1 to 56 lower-case letters",
        ),
        (StepOptions(queue="q"), "--queue needs --function F"),
        (StepOptions(settings={"missing": "drop"}), "--missing goes with --join all"),
    ],
)
def test_each_word_is_checked_by_itself(options, message):
    with pytest.raises(MagicError) as caught:
        check_options(options)

    assert str(caught.value).startswith(message)


def test_a_time_of_more_than_a_year_is_a_note_first(session, define):
    check_options(StepOptions(settings={"timeout_s": 1e9}))
    placed = define(DOUBLE, timeout_s=1e9)

    assert "timeout_s of step 'double' must be a number" in placed.notes[0]


def test_blocks_routers_queues_and_models_are_added(session, define):
    define(DOUBLE)
    words = {"queue": {"function": "w"}, "ModelRouter": {}}
    for kind, settings in words.items():
        add_block(session, kind, StepOptions(name=kind[0].lower(), settings=settings))
    session.user_ns["Model"] = type("Model", (), {"do": lambda self, body: body})
    add_model(session, "Model", None, StepOptions(name="m1", router="m"))
    spec = session.graph().spec

    assert [step.kind for step in spec.steps] == ["task", "queue", "router"]
    assert spec.step("q").function == "w"
    assert [route.name for route in spec.step("m").routes] == ["m1"]


def test_a_queue_takes_no_options_of_code(session, define):
    define(DOUBLE)
    options = StepOptions(name="q", settings={"timeout_s": 1.0})

    with pytest.raises(MagicError, match="queue takes no --timeout: a queue runs no"):
        add_block(session, "queue", options)


def test_a_graph_that_is_a_step_follows_its_changes_until_it_is_removed(
    session, define
):
    session.graphs.new("inner")
    define(DOUBLE)
    session.graphs.new("outer")
    add_block(session, "inner", StepOptions(name="part"))
    define("def more(body): return body + 1", graph="inner")
    assert [one.name for one in session.graph("outer").spec.step("part").steps] == [
        "double",
        "more",
    ]

    graphs = session.graphs
    rename_step(graphs, graphs.named("outer"), "part", "piece")
    define("def third(body): return body", graph="inner")
    assert len(session.graph("outer").spec.step("piece").steps) == 3
    remove_step(graphs, graphs.named("outer"), "piece")
    assert session.graph("outer").spec.names() == ()


def test_undo_takes_back_a_step_and_its_code(session, define):
    graph = session.graphs.new("g")
    define(DOUBLE)
    define("def later(body): return body")

    assert session.graphs.undo() == "step 'later' of graph 'g'"
    assert (graph.spec.names(), set(graph.namespace)) == (("double",), {"double"})


def test_the_sources_of_a_graph_are_its_cells_and_names(session, define):
    define("rate = 3\n" + DOUBLE)
    sources, _ = session.view(session.graph())

    assert [cell.source for cell in sources.cells] == ["rate = 3\n" + DOUBLE]
    assert sources.namespace["rate"] == 3
    assert sources.notebook is None


def test_a_graph_without_steps_is_not_deployed(session):
    with pytest.raises(DeployError, match="has no steps yet"):
        session.deploy()


def test_a_plan_is_checked_before_the_cell_runs(session):
    plan = session.plan_step(StepOptions(name="x"), Cell("def x(body): return 1", 1))

    assert (plan.graph, plan.name) == ("notebook", "x")
    with pytest.raises(MagicError, match="deleted it again"):
        session.put_step(plan)
