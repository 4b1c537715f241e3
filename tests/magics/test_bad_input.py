"""Whatever is typed wrongly: one error of ours, and nothing half done stays."""

import pytest

from jupyter_graph.errors import (
    CellError,
    DeadlineError,
    JupyterGraphError,
    MagicError,
    SpecError,
    StepError,
)

CLASS = (
    "class Add:\n    def __init__(self, amount): self.amount = amount\n"
    "    def do(self, body): return body + self.amount"
)
STEP = "def f(body): return body"


@pytest.fixture
def with_steps(run):
    run("%%graph_step parse\ndef parse(body): return body", "c-parse")
    run("%%graph_step predict\ndef predict(body): return body", "c-predict")
    run("%graph add router models")
    return run


BAD_STEPS = [
    ("", "x = 1", CellError, ["defines no function or class"]),
    ("", "", CellError, ["defines no function or class"]),
    ("2nd", STEP, MagicError, ["starts with a letter", "'2nd'"]),
    ("start", STEP, MagicError, ["'start' is reserved"]),
    ("a/b", STEP, MagicError, ["holds letters, digits", "'a/b'"]),
    ("a b", STEP, MagicError, ["one NAME", "'a b'"]),
    (f"{'a' * 64}", STEP, MagicError, ["at most 63 characters"]),
    ("f --after parze", STEP, MagicError, ["'parze'", "did you mean 'parse'?"]),
    ("f --after f", STEP, MagicError, ["its own neighbour"]),
    ("f --after start,parse", STEP, MagicError, ["start stands alone"]),
    ("f --after ,", STEP, MagicError, ["names no step"]),
    ("f --before nope", STEP, MagicError, ["--before", "'nope'"]),
    ("f --graph nope", STEP, MagicError, ["no graph 'nope'", "%graph new nope"]),
    ("f --aftr parse", STEP, MagicError, ["'--aftr'", "did you mean '--after'?"]),
    ("f --handler run", STEP, MagicError, ["--handler names the method"]),
    ("f -x", STEP, MagicError, ["no option '-x'"]),
    ("f --queue q", STEP, MagicError, ["--queue needs --function F"]),
    ("f --queue parse --function w", STEP, MagicError, ["is no queue"]),
    ("f --queue 1q --function w", STEP, MagicError, ["--queue: a step's name starts"]),
    ("f --queue f --function w", STEP, MagicError, ["need two names"]),
    ("f --path memory://x", STEP, MagicError, ["say --queue NAME"]),
    ("f --batch 0", STEP, MagicError, ["--batch must be 1 or more, got 0"]),
    ("f --batch x", STEP, MagicError, ["--batch", "whole number", "'x'"]),
    ("f --batch 3 --full-event", STEP, MagicError, ["a list of bodies"]),
    ("f --batch-wait 5", STEP, MagicError, ["--batch-wait goes with --batch"]),
    ("f --batch 2 --batch-wait 5ms", STEP, MagicError, ["milliseconds", "'5ms'"]),
    ("f --batch 2 --batch-wait -1", STEP, MagicError, ["0 or more milliseconds"]),
    ("f --function Work_er", STEP, MagicError, ["--function", "'Work_er'"]),
    ("f --vectorized --full-event", STEP, MagicError, ["a table of bodies"]),
    ("f --processes 0", STEP, MagicError, ["--processes must be 1 or more, got 0"]),
    ("f --concurrency 0", STEP, MagicError, ["--concurrency must be 1 or more"]),
    ("f --cycle-to parze", STEP, MagicError, ["--cycle-to", "did you mean 'parse'?"]),
    ("f --cycle-to ,", STEP, MagicError, ["--cycle-to names no step"]),
    ("f --max-iterations 0", STEP, MagicError, ["--max-iterations must be 1"]),
    ("f --join al", STEP, MagicError, ["all, any, first", "did you mean 'all'?"]),
    ("f --join any --join-timeout 2", STEP, MagicError, ["goes with --join all"]),
    ("f --join all --join-timeout 0", STEP, MagicError, ["seconds above 0, got 0"]),
    ("f --missing null", STEP, MagicError, ["--missing goes with --join all"]),
    ("f --join all --missing nul", STEP, MagicError, ["did you mean 'null'?"]),
    ("f --router models --join all", STEP, MagicError, ["a route takes no --join"]),
    ("f --on-error parse --cycle-to parse", STEP, MagicError, ["takes no --cycle-to"]),
    ("f --after", STEP, MagicError, ["--after needs a value"]),
    ("f --timeout 5s", STEP, MagicError, ["--timeout", "seconds", "'5s'"]),
    ("f --timeout -1", STEP, MagicError, ["--timeout must be seconds above 0"]),
    ("f --timeout nan", STEP, MagicError, ["--timeout", "seconds"]),
    ("f --retries 1.5", STEP, MagicError, ["--retries", "whole number"]),
    ("f --retries -2", STEP, MagicError, ["--retries must be 0 or more"]),
    ("f --arg amount=1", STEP, MagicError, ["no argument 'amount'"]),
    ("f --handler run", STEP, MagicError, ["--handler", "is no class"]),
    ("a --arg amuont=1", CLASS, MagicError, ["did you mean 'amount'?"]),
    ("a", CLASS, MagicError, ["needs the argument 'amount'"]),
    ("a --arg amount=$clf", CLASS, MagicError, ["no variable 'clf'"]),
    ("a --arg amount", CLASS, MagicError, ["--arg takes K=V"]),
    ("a --args [1]", CLASS, MagicError, ["--args must be an object"]),
    ("a --args {'amount': {1}}", CLASS, MagicError, ["type set", "--arg amount=$"]),
    ("a --args {'amount': 1", CLASS, MagicError, ["--args", "never closed"]),
    ("a --arg amount=1 --handler d", CLASS, MagicError, ["no method 'd'"]),
    ("a", "class A:\n    def run(self, b): 0", MagicError, ["no method 'do'"]),
    ("a", "class A:\n    def do(self): 0", MagicError, ["takes no argument"]),
    ("f", "def f(): return 1", MagicError, ["no parameter for the body"]),
    ("f --on-error nope", STEP, MagicError, ["--on-error", "'nope'"]),
    ("f --on-error parse --after parse", STEP, MagicError, ["takes no --after"]),
    ("f --on-error parse --respond", STEP, MagicError, ["--respond does not go"]),
    ("f --router nope", STEP, MagicError, ["no router 'nope'"]),
    ("f --router models --after parse", STEP, MagicError, ["a route takes no"]),
    ("f --on-error parse --example 1", STEP, MagicError, ["--example runs the flow"]),
    ("f --example nope", STEP, MagicError, ["--example", "'nope'"]),
    ("other", "def parse(body): return body", MagicError, ["already the code of"]),
]


@pytest.mark.parametrize(
    ("line", "cell", "kind", "said"),
    [
        pytest.param(*case, id=f"{at}-{case[0][:30]}")
        for at, case in enumerate(BAD_STEPS)
    ],
)
def test_a_wrong_step_cell_is_refused_and_changes_nothing(
    with_steps, session, line, cell, kind, said
):
    before = session.graph().to_dict()

    with pytest.raises(JupyterGraphError) as caught:
        with_steps(f"%%graph_step {line}\n{cell}", "c-new")

    assert isinstance(caught.value, kind)
    assert all(part in str(caught.value) for part in said), str(caught.value)
    assert session.graph().to_dict() == before


def test_a_cell_cannot_take_the_name_of_another_cells_step(with_steps):
    with pytest.raises(MagicError, match=r"already has a step 'parse' \(cell 2\)"):
        with_steps("%%graph_step parse\ndef g(body): return body", "c-predict")


BAD_LINES = [
    ("%graph runn 1", ["no subcommand 'runn'", "did you mean 'run'?"]),
    ("%graph restore", ["no subcommand 'restore'"]),
    ("%graph run", ["EXPR of %graph run is missing"]),
    ("%graph run {'a': 1", ["never closed"]),
    ("%graph run nope", ["name 'nope' is not defined"]),
    ("%graph run 1 --after parse", ["%graph run has no option '--after'"]),
    (
        "%graph add Filter --name odd",
        ["no option '--name'; a name stands before the options, as a word of its own"],
    ),
    ("%graph run 1 --until nope", ["--until names step 'nope'"]),
    ("%graph run 1 --each", ["--each sends each item of a list, got int"]),
    ("%graph run 1 --header x", ["--header takes NAME=VALUE"]),
    ("%graph run 1 --queues real", ["no option '--queues'"]),
    ("%graph use nope", ["no graph 'nope'"]),
    ("%graph use", ["usage: %graph use NAME"]),
    ("%graph list all", ["usage: %graph list, got all"]),
    ("%graph new", ["usage: %graph new NAME"]),
    ("%graph new 1st", ["a graph's name starts with a letter"]),
    ("%graph new g --topology tree", ["--topology", "'tree'"]),
    ("%graph new g --max-in-flight some", ["whole number", "'some'"]),
    ("%graph remove parze", ["no step 'parze'", "did you mean 'parse'?"]),
    ("%graph rename parse", ["usage: %graph rename A B"]),
    ("%graph rename parse predict", ["already has a step 'predict'"]),
    ("%graph rename parse 1st", ["starts with a letter"]),
    ("%graph code nope", ["no step 'nope'"]),
    ("%graph trace", ["has seen no event yet"]),
    ("%graph replay", ["usage: %graph replay ID"]),
    ("%graph replay last --effect", ["no option '--effect'", "--effects"]),
    ("%graph plot --format gif", ["--format is one of svg, png, mermaid, text"]),
    ("%graph import nope.json", ["cannot read graph file"]),
    ("%graph export no/such/folder/g.json", ["cannot write"]),
    ("%graph add Nope x", ["'Nope' is no function or class"]),
    ("%graph add router", ["usage: %graph add router NAME"]),
    ('%graph add "(event + 1)"', ["NAME; say the step's name"]),
    ("%graph add", ["usage: %graph add CLASS_OR_KIND_OR_GRAPH [NAME]"]),
    ("%graph add queue q --respond", ["takes no --respond: a queue runs no code"]),
    ("%graph add queue q --timeout 3", ["takes no --timeout"]),
    ("%graph add notebook inside", ["graph 'notebook' cannot hold itself"]),
    ("%graph add noteboook inside", ["(graphs: notebook)"]),
    ("%graph add Filter f --arg fm=$with_fn", ["no variable 'with_fn'"]),
    ("%graph add Drop d --arg kys=x", ["no argument 'kys'", "did you mean 'keys'?"]),
    ("%graph add Filter f --arg fn=1", ["step 'f': ", "fn"]),
    ("%graph add Map m --arg _fn=parze", ["'parze'", "did you mean 'parse'?"]),
    ("%graph add Drop d --arg keys=1", ["step 'd': ", "keys"]),
    ("%graph add Filter f --path x", ["no argument 'path'"]),
    ("%graph add storey.Map m --arg fnn=1", ["no argument 'fnn'", "'fn'"]),
    ("%graph add nope.Thing x", ["no block; import it in a cell: from nope"]),
    ("%graph new g --max-in-flight 0", ["max_in_flight", "1 or more"]),
    ("%graph new g --max-iterations 0", ["max_iterations must be 1 or more"]),
    ("%graph new g --allow-cyclic --engine sync", ["not supported with sync"]),
    ("%graph run 1 --allow-cyclic", ["no option '--allow-cyclic'"]),
    ("%graph add ChoiceByFild x", ["did you mean 'ChoiceByField'?"]),
    ("%graph model m", ["needs --class"]),
    ("%deploy --to moon", ["'moon'"]),
    ("%deploy --wrokers 2", ["no option '--wrokers'", "did you mean '--workers'?"]),
    ("%deploy a b", ["one NAME, got 'a b'"]),
    ("%deploy --workers two", ["--workers", "whole number"]),
    ("%deploy --wait 2m", ["--wait", "seconds"]),
    (
        "%deploy --env NOBODY",
        ["no environment variable 'NOBODY'", "--env NOBODY=VALUE"],
    ),
    ("%deploy --config-file nope.yaml", ["--config-file", "cannot read"]),
    ("%deploy --graph nope", ["no graph 'nope'"]),
    ("%deploy --silent", ["no option '--silent'"]),
    ("%deploy logs", ["usage: %deploy logs NAME"]),
    ("%deploy logs nope", ["no deployment 'nope'"]),
    ("%deploy logs nope --follow", ["no option '--follow'"]),
    ("%deploy rollback x", ["one NAME, got 'rollback x'"]),
    ("%deploy invoke nope", ["EXPR of %deploy invoke is missing"]),
]


@pytest.mark.parametrize(
    ("line", "said"), [pytest.param(*case, id=case[0]) for case in BAD_LINES]
)
def test_a_wrong_line_is_refused_and_changes_nothing(with_steps, session, line, said):
    before = session.graph().to_dict(), session.graphs.names()

    with pytest.raises(JupyterGraphError) as caught:
        with_steps(line)

    assert all(part in str(caught.value) for part in said), str(caught.value)
    assert (session.graph().to_dict(), session.graphs.names()) == before


def test_an_error_of_ours_is_shown_in_one_line(with_steps, capsys):
    with pytest.raises(MagicError):
        with_steps("%graph runn 1")

    shown = capsys.readouterr().out
    assert shown.strip().startswith("MagicError: %graph has no subcommand 'runn'")
    assert "Traceback" not in shown


def test_an_empty_graph_neither_runs_nor_deploys(run):
    with pytest.raises(SpecError, match="has no steps yet"):
        run("%graph run 1")
    with pytest.raises(JupyterGraphError, match="has no steps yet"):
        run("%deploy")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("code", "cause"),
    [
        pytest.param("raise ValueError('no')", ValueError, id="raises"),
        pytest.param("raise SystemExit(3)", SystemExit, id="exits"),
        pytest.param("while True: pass", DeadlineError, id="hangs"),
        pytest.param("import os; os.nope", AttributeError, id="attribute"),
        pytest.param("nope", NameError, id="name-that-is-not-defined"),
    ],
)
def test_a_step_that_fails_is_one_step_error(run, session, code, cause):
    run(f"%%graph_step f --timeout 0.3\ndef f(body):\n    {code}")

    with pytest.raises(StepError, match="step 'f' failed") as caught:
        run("%graph run 1")

    assert isinstance(caught.value.__cause__, cause)
    assert session.events()[-1].step == "f"
    assert run("%graph run 1 --silent").status_code in (408, 500)
