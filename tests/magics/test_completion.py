import pytest
from IPython.core.completer import provisionalcompleter


@pytest.fixture
def complete(shell, run):
    """Return what <TAB> offers at ``|``, by the path that ipykernel takes."""
    run("%%graph_step parse\ndef parse(body): return body")
    run("%%graph_step predict\ndef predict(body): return body")
    run("rows = [{'x': 1}]")

    def complete(text):
        at = text.index("|")
        with provisionalcompleter():
            found = list(shell.Completer.completions(text.replace("|", ""), at))
        return [(text[c.start : at] and c.text) or c.text for c in found]

    return complete


@pytest.mark.parametrize(
    ("text", "offered"),
    [
        pytest.param("%%graph_step x --af|", ["--after"], id="option"),
        pytest.param(
            "%%graph_step x --after |", ["parse", "predict", "start"], id="steps"
        ),
        pytest.param("%%graph_step x --after pr|", ["predict"], id="step-prefix"),
        pytest.param("%%graph_step x --after parse,pr|", ["predict"], id="in-a-list"),
        pytest.param(
            "%%graph_step x --after |\ndef x(body):\n    return pr",
            ["parse", "predict", "start"],
            id="code-below",
        ),
        pytest.param(
            "%%graph_step x --on-error |", ["parse", "predict", "graph"], id="on-error"
        ),
        pytest.param("%%graph_step x --graph |", ["notebook"], id="graphs"),
        pytest.param("%%graph_step x --arg a=$ro|", ["$rows"], id="dollar-variable"),
        pytest.param("%graph ru|", ["run"], id="subcommand"),
        pytest.param("%graph remove |", ["parse", "predict"], id="steps-as-words"),
        pytest.param("%graph rename pa|", ["parse"], id="first-of-two-words"),
        pytest.param("%graph use |", ["notebook"], id="graph-names"),
        pytest.param(
            "%graph run rows --un|", ["--until"], id="options-of-the-subcommand"
        ),
        pytest.param("%graph run rows --until p|", ["parse", "predict"], id="until"),
        pytest.param("%graph replay l|", ["last"], id="event-ids"),
        pytest.param("%graph new g --topology |", ["flow", "router"], id="choices"),
        pytest.param("%graph add Choice|", ["ChoiceByField"], id="blocks"),
        pytest.param("%graph add rou|", ["router"], id="router"),
        pytest.param("%graph add que|", ["queue"], id="queue"),
        pytest.param(
            "%%graph_step x --cycle-to p|", ["parse", "predict"], id="cycle-to"
        ),
        pytest.param("%%graph_step x --join |", ["all", "any", "first"], id="join"),
        pytest.param(
            "%%graph_step x --missing |", ["drop", "null", "error"], id="missing"
        ),
        pytest.param("%%graph_step x --batch-|", ["--batch-wait"], id="batch-wait"),
        pytest.param("%graph new g --allow|", ["--allow-cyclic"], id="allow-cyclic"),
        pytest.param(
            "%graph plot --format |", ["svg", "png", "mermaid", "text"], id="formats"
        ),
        pytest.param("%deploy --to |", ["local", "nuclio", "archive"], id="targets"),
        pytest.param("%deploy lo|", ["logs"], id="deploy-subcommands"),
        pytest.param("%deploy fraud --dry|", ["--dry-run"], id="deploy-options"),
        pytest.param("answer = %graph ru|", ["run"], id="after-an-assignment"),
    ],
)
def test_our_words_are_completed(complete, text, offered):
    assert complete(text) == offered


def test_variables_are_offered_in_an_expression(complete):
    assert "rows" in complete("%graph run ro|")


@pytest.mark.parametrize("text", ["%graph run rows --af|", "%graph list --un|"])
def test_options_of_other_subcommands_are_not_offered(complete, text):
    assert not [offer for offer in complete(text) if offer.startswith("--")]


def test_other_code_is_completed_as_ever(complete):
    assert "rows" in complete("ro|")


@pytest.mark.parametrize(
    ("text", "offered"),
    [
        pytest.param("%graph add oth|", ["other"], id="another-graph"),
        pytest.param("%%graph_step x --queue |", ["orders"], id="queues"),
        pytest.param("%%graph_step x --function |", ["worker"], id="functions"),
    ],
)
def test_graphs_queues_and_functions_are_completed(complete, run, text, offered):
    run("%graph new other")
    run("%graph use notebook")
    run("%graph add queue orders --function worker")

    assert complete(text) == offered
