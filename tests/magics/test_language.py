"""Cycles, queues, joins, batches, nested graphs and blocks, as typed in cells."""

import pytest

from jupyter_graph.errors import MagicError, StepError

JUDGE = (
    "class Judge:\n    def do(self, body): return body\n"
    "    def select_outlets(self, body):\n"
    "        return ['ask'] if body < 10 else ['done']"
)


def after(session):
    return {step.name: step.after for step in session.graph().spec.steps}


@pytest.fixture
def loop(run):
    run("%%graph_step ask\ndef ask(body): return body * 2", "c-ask")
    run(f"%%graph_step judge --cycle-to ask --max-iterations 5\n{JUDGE}", "c-judge")
    run("%%graph_step done --respond\ndef done(body): return [body]", "c-done")
    return run


def test_a_step_leads_back_and_the_graph_then_allows_cycles(loop, session):
    assert loop("%graph run 3").body == [12]
    assert session.graph().spec.allow_cyclic
    assert session.graph().spec.step("ask").cycle_from == ("judge",)


def test_an_event_that_goes_round_too_often_fails(loop):
    with pytest.raises(StepError, match="Max iterations exceeded in step 'judge'"):
        loop("%graph run 0")


def test_a_cell_that_says_no_cycle_any_more_takes_it_away(loop, session):
    loop(f"%%graph_step judge\n{JUDGE}", "c-judge")

    assert after(session) == {"ask": (), "judge": ("ask",), "done": ("judge",)}
    assert session.graph().spec.step("ask").cycle_from == ()


def test_the_step_that_is_led_back_to_keeps_its_cycle_when_its_cell_runs_again(
    loop, session
):
    loop("%%graph_step ask --after start\ndef ask(body): return body * 3", "c-ask")

    assert session.graph().spec.step("ask").cycle_from == ("judge",)
    assert loop("%graph run 4").body == [12]


@pytest.mark.parametrize(
    ("until", "answer"), [("ask", 2), ("judge", 2), ("done", [16])]
)
def test_until_ends_where_the_event_comes_first(loop, until, answer):
    assert loop(f"%graph run 1 --until {until}").body == answer


@pytest.mark.parametrize(("step", "answer"), [("ask", [12]), ("judge", [12])])
def test_a_replay_begins_inside_a_cycle(loop, step, answer):
    loop("%graph run 1")

    assert loop(f"%graph replay last --from {step} --with 6").body == answer


def test_a_document_that_allows_no_cycle_keeps_it_so(run, folder):
    run("%%graph_step a\ndef a(b): return b")
    run("%graph export g.json")
    run("%graph import g.json")

    with pytest.raises(MagicError, match="document of graph 'g' allows no cycles"):
        run("%%graph_step b --cycle-to a\ndef b(x): return x")


def test_a_sync_graph_takes_no_cycle(run):
    run("%graph new g --engine sync")
    run("%%graph_step a\ndef a(b): return b")

    with pytest.raises(MagicError, match="knows no cycles"):
        run("%%graph_step b --cycle-to a\ndef b(x): return x")


def test_steps_of_a_cycle_are_renamed_and_removed(loop, session):
    loop("%graph rename judge check")
    assert session.graph().spec.step("ask").cycle_from == ("check",)

    loop("%graph remove check")
    assert after(session) == {"ask": (), "done": ("ask",)}
    assert session.graph().spec.step("ask").cycle_from == ()


def test_the_step_that_is_led_back_to_can_be_removed(loop, session):
    loop("%graph remove ask")

    assert after(session) == {"judge": (), "done": ("judge",)}


def test_the_cell_of_a_step_in_a_cycle_may_rename_it(loop, session):
    loop(f"%%graph_step check --cycle-to ask\n{JUDGE}", "c-judge")

    assert session.graph().spec.step("ask").cycle_from == ("check",)
    assert loop("%graph run 3").body == [12]


@pytest.fixture
def queued(run):
    run("%%graph_step a\ndef a(body): return body + 1", "c-a")
    run("%%graph_step b --queue q --function w\ndef b(body): return body * 2", "c-b")
    return run


def test_a_queue_stands_in_front_of_its_step_and_later_steps_stay_behind_it(
    queued, session
):
    queued("%%graph_step c\ndef c(body): return [body]")
    spec = session.graph().spec

    assert after(session) == {"a": (), "q": ("a",), "b": ("q",), "c": ("b",)}
    assert [spec.step(name).function for name in "abc"] == [None, "w", "w"]
    assert spec.step("q").kind == "queue"
    assert queued("%graph run 1").body == [4]


def test_running_the_cell_again_keeps_one_queue(queued, session):
    queued(
        "%%graph_step b --queue q --path memory://x --function w\ndef b(x): return x",
        "c-b",
    )

    assert after(session) == {"a": (), "q": ("a",), "b": ("q",)}
    assert session.graph().spec.step("q").path == "memory://x"


def test_another_queue_name_renames_the_queue(queued, session):
    queued("%%graph_step b --queue r --function w\ndef b(x): return x", "c-b")

    assert after(session) == {"a": (), "r": ("a",), "b": ("r",)}


def test_two_steps_share_a_queue(queued, session):
    queued("%%graph_step c --queue q --function w --after a\ndef c(x): return x", "c-c")

    assert after(session) == {"a": (), "q": ("a",), "b": ("q",), "c": ("q",)}


def test_a_new_queue_does_not_become_what_later_cells_follow(run, session):
    run("%%graph_step a\ndef a(b): return b", "c-a")
    run("%%graph_step b\ndef b(x): return x", "c-b")
    run("%%graph_step a --queue q --function w\ndef a(b): return b", "c-a")
    run("%%graph_step c\ndef c(x): return x")

    assert after(session)["c"] == ("b",)


def test_a_queue_at_the_end_writes_to_its_stream(run):
    from jupyter_graph.connectors.queues.memory_stream import memory_stream

    run("%%graph_step a --respond\ndef a(b): return b + 1")
    run("%graph add queue log --path memory://magics --after a")

    assert run("%graph run 1").body == 2
    assert memory_stream("memory://magics").take() == [2]


def test_a_queue_is_no_place_to_stop(queued):
    with pytest.raises(MagicError, match="--until q: a queue runs no code"):
        queued("%graph run 1 --until q")


@pytest.fixture
def diamond(run):
    run("%%graph_step a\ndef a(body): return body")
    run("%%graph_step left --after a\ndef left(body): return ['left', body]")
    run("%%graph_step right --after a\ndef right(body): return ['right', body]")
    return run


def test_a_step_after_two_runs_twice_and_a_note_says_so(diamond):
    placed = diamond("%%graph_step d --after left,right\ndef d(b): return b")

    assert "runs once for each of them that arrives; --join all" in str(placed)


@pytest.mark.parametrize(
    ("acts", "is_noted"),
    [("tag", True), ("route --arg to=left --arg valid_to=right", False)],
)
def test_a_validator_parts_ways_only_where_it_routes(run, acts, is_noted):
    checks = f"--arg fields=n --arg min=0 --arg on_violation={acts}"
    run(f"%graph add RangeValidator check {checks}")
    run("%%graph_step left --after check\ndef left(body): return body")
    run("%%graph_step right --after check\ndef right(body): return body")
    placed = run("%%graph_step d --after left,right\ndef d(b): return b")

    assert ("runs once for each of them that arrives" in str(placed)) == is_noted


def test_dead_letters_are_kept_and_the_error_stays(run, folder):
    run("%%graph_step risky --respond\ndef risky(body): return 1 / body")
    run("%graph add JSONLinesTarget dead --path dead.jsonl --on-error risky --reraise")
    status = run("%graph run 0 --silent").status_code
    run("%graph reset")

    assert status == 500
    assert (folder / "dead.jsonl").read_text() == "0\n"


def test_a_step_that_reraises_must_be_an_error_handler(run):
    placed = run("%%graph_step f --reraise\ndef f(body): return body")

    assert "'reraise', which only an error handler may" in str(placed)


def test_the_cell_that_ends_the_chain_says_that_nobody_answers(run):
    run("%%graph_step a\ndef a(body): return body")
    assert run("%%graph_step left --after a\ndef left(body): return 1").notes == ()
    placed = run("%%graph_step right --after a\ndef right(body): return 2")

    [note] = placed.notes
    assert note.startswith("nobody answers the caller any more")
    assert run("%%graph_step x --after right\ndef x(body): return 3").notes == ()


def test_a_join_gets_one_list(diamond):
    placed = diamond(
        "%%graph_step d --after left,right --join all --respond\ndef d(b): return b"
    )

    assert placed.notes == ()
    assert diamond("%graph run 1").body == [["left", 1], ["right", 1]]
    assert diamond("%graph run 1 --until left").body == ["left", 1]


def test_what_is_missing_at_a_join_is_as_the_cell_says(diamond):
    diamond("def drop_all(body): return False")
    diamond("%graph add Filter never --after right --arg fn=$drop_all")
    diamond(
        "%%graph_step d --after left,never --join all --missing null --respond\n"
        "def d(b): return b"
    )

    assert diamond("%graph run 1").body == [["left", 1], None]


def test_after_a_choice_there_is_no_note(run):
    run("%graph add ChoiceByField pick --arg field_name=to")
    run("%%graph_step x --after pick\ndef x(b): return b")
    run("%%graph_step y --after pick\ndef y(b): return b")
    placed = run("%%graph_step z --after x,y\ndef z(b): return b")

    assert placed.notes == ()


@pytest.mark.parametrize(("to", "status"), [("x", 200), ("y", 204)])
def test_until_a_branch_is_empty_when_the_choice_leads_elsewhere(run, to, status):
    run("%graph add ChoiceByField pick --arg field_name=to")
    run("%%graph_step x --after pick\ndef x(b): return b")
    run("%%graph_step y --after pick\ndef y(b): return b")

    assert run(f"%graph run {{'to': '{to}'}} --until x").status_code == status


def test_a_part_of_a_document_trusts_no_more_than_the_whole(run, folder):
    from jupyter_graph.errors import SpecError

    run("from os.path import basename")
    (folder / "g.yaml").write_text("steps: {a: {handler: basename, responder: true}}")
    run("%graph import g.yaml")

    with pytest.raises(SpecError, match="which a graph document may not use"):
        run("%graph run 'a/b' --until a")


def test_a_batch_takes_a_list_and_every_caller_gets_his_own_answer(run):
    run(
        "%%graph_step many --batch 4 --batch-wait 5\n"
        "def many(bodies): return [body * len(bodies) for body in bodies]"
    )

    assert run("%graph run 7").body == 7


def test_a_generator_takes_no_batch(run):
    with pytest.raises(MagicError, match="is a generator, which takes no batch"):
        run("%%graph_step g --batch 2\ndef g(bodies):\n    yield bodies")


def test_the_limits_of_a_step_stand_in_its_spec(run, session):
    run(
        "%%graph_step f --concurrency 3 --vectorized --batch 5 --batch-wait 7"
        " --processes 2\ndef f(frame): return frame"
    )
    [step] = session.graph().spec.steps

    assert step.processes == 2
    assert (step.concurrency, step.batch, step.batch_wait_ms) == (3, 5, 7.0)
    assert step.vectorized


@pytest.fixture
def nested(run):
    run("%graph new clean")
    run("%%graph_step strip\ndef strip(text): return text.strip()", "c-strip")
    run("%graph new main")
    run("%graph add clean tidy")
    run("%%graph_step show\ndef show(text): return f'<{text}>'", "c-show")
    return run


def test_another_graph_is_one_step(nested, session):
    assert session.graph().spec.step("tidy").kind == "flow"
    assert nested("%graph run ' a '").body == "<a>"
    assert "strip" in nested("%graph code tidy")
    assert "def strip" in nested("%graph code")


def test_the_step_follows_its_graph(nested):
    nested("%%graph_step strip\ndef strip(text): return text.upper()", "c-strip")
    assert nested("%graph run ' a '").body == "< A >"

    nested("%%graph_step more --graph clean\ndef more(text): return text * 2")
    assert nested("%graph run 'a'").body == "<AA>"

    nested("%graph undo")
    assert nested("%graph run 'a'").body == "<A>"


def test_a_renamed_step_follows_its_graph_too(nested):
    nested("%graph rename tidy wash")
    nested("%%graph_step strip\ndef strip(text): return 'x'", "c-strip")

    assert nested("%graph run 'a'").body == "<x>"


def test_a_graph_does_not_hold_itself(nested):
    with pytest.raises(MagicError, match="'main', which holds it"):
        nested("%graph add main again --graph clean")


def test_an_empty_graph_is_no_step(nested):
    nested("%graph new empty")
    nested("%graph use main")

    with pytest.raises(MagicError, match="graph 'empty' has no steps yet"):
        nested("%graph add empty e")


def test_two_graphs_that_mean_different_things_by_a_name_do_not_mix(nested):
    nested("%graph new third")
    nested("%%graph_step mine\ndef strip(text): return 'mine'")

    with pytest.raises(MagicError, match="mean different things by 'strip'"):
        nested("%graph add clean inner")


def test_a_name_of_the_outer_graph_cannot_change_its_meaning_from_inside(nested):
    with pytest.raises(MagicError, match="mean different things by 'show'"):
        nested("%%graph_step more --graph clean\ndef show(x): return 'other'")

    assert nested("%graph list")[0].spec.names() == ("strip",)


def test_a_cell_may_take_the_place_of_a_graph(nested, session):
    nested("%%graph_step tidy\ndef tidy(text): return 'own'")
    nested("%%graph_step strip\ndef strip(text): return 'new'", "c-strip")

    assert session.graphs.named("main").spec.step("tidy").kind == "task"
    assert nested("%graph run 'a' --graph main").body == "<own>"


def test_a_graph_stands_behind_a_route(nested, session):
    nested("%graph new routed")
    nested("%graph add router pick")
    nested("%graph add clean tidy --router pick")
    [route] = session.graph().spec.step("pick").routes

    assert (route.name, route.kind) == ("tidy", "flow")
    nested("%%graph_step strip\ndef strip(text): return 'new'", "c-strip")
    assert nested("%graph run {'n': 1} --path /v2/models/tidy/infer").body == "new"


def test_a_class_that_asks_for_routes_is_a_router(run, session):
    run(
        "%%graph_step pick\nclass Pick:\n"
        "    def __init__(self, routes): self.routes = routes\n"
        "    def do_event(self, event):\n"
        "        return self.routes['only'](event)"
    )
    run("%%graph_step only --router pick\ndef only(body): return body + 1")

    assert session.graph().spec.step("pick").kind == "router"
    assert run("%graph run 1").body == 2


def test_the_router_of_a_router_graph_gets_another_class(run, session):
    run("%graph new pick --topology router")
    run("%%graph_step one\ndef one(body): return {'one': 1}")
    run("%%graph_step two\ndef two(body): return {'two': 2}")
    run("%graph add ParallelRun router")

    assert session.graph().spec.router.class_name == "ParallelRun"
    assert run("%graph run {}").body == {"one": 1, "two": 2}


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("%graph add ParallelRun other", "a router has no place in it"),
        ("%graph add queue q", "a queue has no place in it"),
        ("%graph add Flatten router", "only a class of routers"),
        ("%%graph_step f --queue q --function w\ndef f(b): return b", "no --queue"),
        ("%%graph_step f --cycle-to f\ndef f(b): return b", "no --cycle-to"),
    ],
)
def test_what_has_no_place_in_a_router_graph_is_refused(run, session, line, said):
    run("%graph new pick --topology router")
    before = session.graph().to_dict()

    with pytest.raises(MagicError, match=said):
        run(line)
    assert session.graph().to_dict() == before


def test_functions_are_arguments_by_value_and_by_name(run):
    run("def double(x): return x * 2")
    run("%graph add Map once --arg fn=$double")
    run("%graph add Map twice --arg _fn=double")
    assert run("%graph run 1").body == 4

    run("def double(x): return x * 3")
    assert run("%graph run 1").body == 9


def test_the_models_of_a_runner_are_classes_of_the_notebook(run):
    run(
        "from jupyter_graph.steps import Model\nclass Ten(Model):\n"
        "    def predict(self, body): return body * 10"
    )
    run("%graph add ModelRunnerStep models --args {'models': {'a': 'Ten'}}")

    assert run("%graph run 2").body == 20


def test_an_expression_is_a_step(run):
    run('%graph add "(event + 1)" inc')

    assert run("%graph run 1").body == 2


def test_a_document_with_all_kinds_comes_back(nested, session):
    nested("%%graph_step far --queue q --function w\ndef far(x): return x")
    before = session.graph().to_dict()
    nested("%graph export g.yaml")
    nested("%graph import g.yaml")

    assert session.graph().to_dict() == before
    assert nested("%graph run ' a '").body == "<a>"


def test_check_tells_what_may_surprise(run):
    run("def keep(body): return True")
    run("%graph add Filter some --arg fn=$keep")
    run("%%graph_step answer --respond\ndef answer(b): return b")
    run("%%graph_step tail --after answer\ndef tail(b): return b")
    notes = {finding.step: finding.message for finding in run("%graph check")}

    assert "empty answer (204)" in notes["some"]
    assert "what tail makes of its result is not in the answer" in notes["answer"]
    assert "goes nowhere" in notes["tail"]


def test_a_step_of_a_document_may_be_called_start(run, session, folder):
    (folder / "g.yaml").write_text(
        "steps:\n  start:\n    handler: begin\n    responder: true\n"
    )
    run("%graph import g.yaml")
    run("%%graph_step go\ndef go(body): return body + 1", "c-go")
    run("def begin(body): return body")

    assert after(session) == {"start": (), "go": ("start",)}
    notes = {finding.step: finding.message for finding in run("%graph check")}
    assert "means 'no step' after --after" in notes["start"]


def test_several_functions_are_not_deployed(queued):
    from jupyter_graph.errors import DeployError

    with pytest.raises(DeployError, match=r"'b' in 'w'.*take --function away"):
        queued("%deploy")
