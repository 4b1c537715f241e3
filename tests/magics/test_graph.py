import json

import pytest

from jupyter_graph.errors import MagicError, StepError


@pytest.fixture
def flow(run):
    """A notebook with the steps parse → enrich → predict."""
    run("%%graph_step parse\ndef parse(body): return {**body, 'parsed': True}")
    run("%%graph_step enrich\ndef enrich(body): return {**body, 'more': 1}")
    run("%%graph_step predict\ndef predict(body): return body['x'] / body['more']")
    return run


def test_an_event_runs_with_path_method_and_headers(run):
    run(
        "%%graph_step f --full-event\ndef f(event):\n"
        "    event.body = [event.path, event.method, event.header('X-A')]\n"
        "    return event"
    )

    assert run("%graph run 1 --path /v1 --method put --header x-a=b c").body == [
        "/v1",
        "PUT",
        "b c",
    ]


def test_every_item_of_a_list_is_one_event(flow, session):
    flow("rows = [{'x': n} for n in range(3)]")
    answers = flow("%graph run rows --each")

    assert [answer.body for answer in answers] == [0.0, 1.0, 2.0]
    assert len(session.events()) == 3
    assert "status" in repr(answers)


def test_until_ends_the_graph_early(flow):
    assert flow("%graph run {'x': 1} --until parse").body == {"x": 1, "parsed": True}


def test_silent_gives_the_answer_of_a_failed_event(flow):
    answer = flow("%graph run {} --silent")

    assert answer.status_code == 500
    assert answer.body["step"] == "predict"
    assert isinstance(answer.error, StepError)


def test_events_can_be_listed_traced_and_replayed(flow, session):
    flow("%graph run {'x': 1}")
    with pytest.raises(StepError):
        flow("%graph run {}")
    first, second = flow("%graph events")

    assert (first.status, first.step, first.error) == (200, None, None)
    assert (second.status, second.step, second.body) == (500, "predict", {})
    assert [row.step for row in flow("%graph trace -2")] == [
        "parse",
        "enrich",
        "predict",
    ]
    assert flow(f"%graph trace {first.event_id}")[0].input.text == "{'x': 1}"
    again = flow("%graph replay -2")
    assert (again.body, again.event_id != first.event_id) == (1.0, True)
    assert flow("%graph replay -2 --with {'x': 5}").body == 5.0


def test_a_replay_begins_with_a_later_step_and_what_it_received(flow):
    flow("%graph run {'x': 8}")

    assert flow("%graph replay last --from predict").body == 8.0
    assert (
        flow("%graph replay last --from predict --with {'x': 8, 'more': 2}").body == 4.0
    )


def test_an_event_is_named_by_a_variable(flow):
    flow("import jupyter_graph")
    flow("answer = jupyter_graph.notebook().run({'x': 3})")
    flow("%graph run {'x': 4}")

    assert flow("%graph replay $answer").body == 3.0


def test_the_code_of_a_step_of_the_program_and_of_the_engine(flow):
    assert flow("%graph code enrich").startswith("%%graph_step enrich\ndef enrich")
    assert "body = parse(body)" in flow("%graph code --compiled")
    program = flow("%graph code")
    assert "def parse" in program
    assert "graph_step" not in program.replace("# ", "")


def test_steps_are_removed_renamed_and_taken_back(flow, session):
    flow("%graph remove enrich")
    assert session.graph().spec.step("predict").after == ("parse",)

    flow("%graph rename parse first")
    assert session.graph().spec.names() == ("first", "predict")

    assert flow("%graph undo") == "taken back: %graph rename parse first"
    flow("%graph undo")
    assert session.graph().spec.names() == ("parse", "enrich", "predict")
    assert flow("%graph run {'x': 1}").body == 1.0


def test_undo_gives_a_step_its_older_code_back(run):
    run("%%graph_step f\ndef f(b): return 1", "c1")
    run("%%graph_step f\ndef f(b): return 2", "c1")
    run("%graph undo")

    assert run("%graph run 0").body == 1


def test_there_is_an_end_to_undoing(run):
    with pytest.raises(MagicError, match="nothing to undo"):
        run("%graph undo")


def test_graphs_are_made_listed_and_chosen(run, session):
    run("%graph new one --engine sync --max-in-flight 7")
    run("%graph new two --topology router")
    shown = repr(run("%graph list"))
    run("%graph use one")

    assert session.graphs.current_name == "one"
    assert session.graph().spec.max_in_flight == 7
    assert [line.split()[0] for line in shown.splitlines()] == ["current", "one", "*"]


def test_a_graph_that_is_made_again_is_empty(flow, session):
    held = session.graph()
    note = flow("%graph new notebook")

    assert "3 steps of the one before are gone" in note
    assert held.spec.names() == ()
    flow("%graph undo")
    assert len(held.spec.names()) == 3


def test_a_router_has_the_cells_as_routes(run):
    run("%graph add router models")
    run("%%graph_step m1 --router models\n" + MODEL.format("M1", 1))
    run("%%graph_step m2 --route second\n" + MODEL.format("M2", 2))
    run("%graph model third --class M1")

    assert run("%graph run {'inputs': [5]} --path /v2/models/m1/infer").body[
        "outputs"
    ] == [5]
    assert run("%graph run {'inputs': [5]} --path /v2/models/second/infer").body[
        "outputs"
    ] == [10]
    assert run("%graph run {'inputs': [5]} --path /v2/models/third/infer").body[
        "outputs"
    ] == [5]


MODEL = """from jupyter_graph.steps import V2ModelServer
class {}(V2ModelServer):
    def load(self): self.model = {}
    def predict(self, request): return [x * self.model for x in request["inputs"]]
"""


def test_a_root_router_takes_the_cells_as_routes(run):
    run("%graph new models --topology router")
    run("%%graph_step m1\n" + MODEL.format("M1", 3))

    assert run("%graph run {'inputs': [1]} --path /v2/models/m1/infer").body[
        "outputs"
    ] == [3]


def test_blocks_and_own_classes_are_added_without_a_cell(run, session):
    run(
        "class Times:\n"
        "    def __init__(self, by): self.by = by\n"
        "    def do(self, b): return b * self.by"
    )
    run("%graph add Times twice --arg by=2")
    run("%graph add Times thrice --arg by=3")

    assert run("%graph run 1").body == 6


def test_pictures_in_four_formats(flow):
    assert "parse" in str(flow("%graph plot --format text"))
    assert str(flow("%graph plot --format svg")).startswith("<svg")
    assert "predict" in str(flow("%graph plot --format mermaid"))
    assert "parse" in flow("%graph plot").source


def test_export_and_import_give_the_same_graph(flow, session, folder):
    document = session.graph().to_dict()
    flow("%graph export fraud.json")
    flow("%graph import fraud.json")

    assert json.loads((folder / "fraud.json").read_text())["steps"] == document["steps"]
    assert session.graphs.current_name == "fraud"
    assert session.graph().to_dict() == document
    assert flow("%graph run {'x': 2}").body == 2.0


def test_an_imported_graph_takes_the_functions_as_they_are_now(run, folder):
    steps = {"a": {"kind": "task", "handler": "f", "responder": True}}
    (folder / "g.json").write_text(json.dumps({"steps": steps}))
    run("%graph import g.json")
    with pytest.raises(ValueError, match="'f' is no function or class"):
        run("%graph run 1")

    run("def f(body): return [body]")
    assert run("%graph run 1").body == [1]
    run("def f(body): return {'body': body}")
    assert run("%graph run 1").body == {"body": 1}


def test_an_imported_document_must_not_name_what_was_imported(run, folder):
    run("import os\nfrom os import system")
    steps = {"a": {"kind": "task", "handler": "system", "responder": True}}
    (folder / "bad.json").write_text(json.dumps({"steps": steps}))
    run("%graph import bad.json")

    with pytest.raises(ValueError, match="that this notebook defines is needed"):
        run("%graph run 'true'")


def test_reset_forgets_everything(flow, session):
    flow("%graph run {'x': 1}")
    flow("%graph reset")

    assert session.graphs.names() == []
    assert len(session.event_ring) == 0


def test_check_lists_what_is_wrong_with_cell_and_step(flow):
    assert repr(flow("%graph check")) == "graph 'notebook': nothing to mend"
    flow("%%graph_step bad --respond\ndef bad(body): return undefined_name")
    flow("%%graph_step worse --respond\ndef worse(body): return body")

    findings = flow("%graph check")
    assert findings[0].severity == "error"
    assert findings[0].step == "worse"


def test_the_view_shows_the_graph_and_its_counters(flow):
    view = flow("%graph")
    flow("%graph run {'x': 1}")

    assert view.counters["steps"]["parse"]["count"] == 1
    assert view.details["parse"]["code"].startswith("%%graph_step parse")
    assert view.details["parse"]["input"] == "{'x': 1}"
    assert "parse" in repr(view._repr_mimebundle_())


def test_the_view_follows_the_graph(flow):
    view = flow("%graph show")
    flow("%%graph_step last\ndef last(body): return body")

    assert "last" in view.details


def test_a_semicolon_silences_the_output(flow, capsys):
    flow("%graph run {'x': 1};")

    assert capsys.readouterr().out == ""


def test_the_help_lists_the_options(shell, capsys):
    assert "--max-in-flight" in shell.find_line_magic("graph").__doc__
    assert "--after A,B" in shell.find_cell_magic("graph_step").__doc__
    assert "--dry-run" in shell.find_line_magic("deploy").__doc__
