import re

import pytest

from jupyter_graph.errors import MagicError, StepError

PARSE = "%%graph_step parse\ndef parse(body):\n    return {**body, 'seen': True}"
DOUBLE = "%%graph_step\ndef double(body):\n    return body['x'] * 2"


def names_and_after(session):
    return {step.name: step.after for step in session.graph().spec.steps}


def test_cells_become_steps_one_after_the_other(run, session):
    run(PARSE)
    placed = run(DOUBLE)

    assert names_and_after(session) == {"parse": (), "double": ("parse",)}
    assert str(placed) == "step 'double' of graph 'notebook' after parse"
    assert run('%graph run {"x": 4}').body == 8


def test_the_cell_runs_as_usual(run, shell, capsys):
    run("%%graph_step f\nimport math\nprint('hi')\ndef f(b): return b\nmath.floor(2.5)")

    assert capsys.readouterr().out.startswith("hi\n2\n")
    assert shell.user_ns["math"].pi > 3


def test_a_class_is_built_with_the_arguments_of_the_line(run):
    run("offset = [10]")
    run(
        "%%graph_step add --arg by=$offset --args {'scale': 1 + 1}\n"
        "class Add:\n"
        "    def __init__(self, by, scale, name=None, context=None):\n"
        "        self.by, self.scale, self.name = by[0], scale, name\n"
        "    def do(self, body):\n"
        "        return [self.name, body * self.scale + self.by]"
    )

    assert run("%graph run 1").body == ["add", 12]


def test_the_named_function_is_the_step_else_the_last(run, session):
    run(
        "%%graph_step second\ndef first(b): return 1\n"
        "def second(b): return 2\ndef third(b): return 3"
    )
    run("%%graph_step last\ndef first_(b): return 1\ndef final(b): return 2")

    assert [s.handler for s in session.graph().spec.steps] == ["second", "final"]


def test_top_level_await_and_ipython_syntax_work_in_a_step_cell(run, capsys):
    run(
        "%%graph_step f\n"
        "import asyncio\n"
        "!echo shell line\n"
        "base = await asyncio.sleep(0, 40)\n"
        "async def f(body):\n"
        "    await asyncio.sleep(0)\n"
        "    return body + base"
    )

    assert run("%graph run 2").body == 42


def test_an_awaiting_cell_that_is_no_coroutine_still_returns_its_step(run):
    placed = run("%%graph_step f\nasync def g(): return 1\nx = await g()\ndef f(b): 0")

    assert placed.step.name == "f"


@pytest.mark.parametrize(
    "cell_id", [pytest.param("c1", id="with-cell-id"), pytest.param(None, id="without")]
)
def test_running_a_cell_again_keeps_its_place_and_swaps_the_code(run, session, cell_id):
    run(DOUBLE, cell_id)
    run("%%graph_step then\ndef then(body): return body + 1", None)
    assert run('%graph run {"x": 1}').body == 3

    run("%%graph_step\ndef double(body):\n    return body['x'] * 10", cell_id)

    assert names_and_after(session) == {"double": (), "then": ("double",)}
    assert run('%graph run {"x": 1}').body == 11
    assert [record.status for record in session.events()] == [200, 200]


def test_unchanged_steps_keep_their_state_when_another_cell_runs_again(run):
    run(
        "%%graph_step count\nclass Count:\n"
        "    def __init__(self): self.n = 0\n"
        "    def do(self, body):\n        self.n += 1\n        return self.n"
    )
    run("%%graph_step show\ndef show(body): return body", "c2")
    run("%graph run 0")
    run("%%graph_step show\ndef show(body): return [body]", "c2")

    assert run("%graph run 0").body == [2]


def test_running_again_takes_exactly_the_options_it_now_says(run, session):
    run("%%graph_step f --retries 2 --respond\ndef f(b): return b", "c1")
    run("%%graph_step f --timeout 2\ndef f(b): return b", "c1")

    [step] = session.graph().spec.steps
    assert (step.retries, step.timeout_s) == (0, 2.0)


def test_another_name_renames_the_step_of_the_cell(run, session):
    run("%%graph_step a\ndef a(b): return b", "c1")
    run("%%graph_step z\ndef z(b): return b", "c2")
    placed = run("%%graph_step b\ndef b(x): return x", "c1")

    assert names_and_after(session) == {"b": (), "z": ("b",)}
    assert placed.notes == ("renamed from 'a' (--keep keeps both)",)
    assert "a" not in session.graph().namespace


def test_keep_keeps_the_older_step(run, session):
    run("%%graph_step a\ndef a(b): return b", "c1")
    run("%%graph_step b --keep\ndef b(x): return x", "c1")

    assert names_and_after(session) == {"a": (), "b": ("a",)}
    assert [cell.number for cell in session.cells_for(session.graph())] == [1, 2, 3]


def test_before_puts_a_step_in_front_of_another(run, session):
    run(PARSE)
    run(DOUBLE)
    run("%%graph_step mid --before double\ndef mid(b): return b", "c3")
    run("%%graph_step mid --before double\ndef mid(b): return b", "c3")

    assert names_and_after(session) == {
        "parse": (),
        "double": ("mid",),
        "mid": ("parse",),
    }


def test_start_means_no_upstream_step(run, session):
    run(PARSE)
    run("%%graph_step other --after start\ndef other(b): return b")

    assert names_and_after(session)["other"] == ()


def test_prev_is_fixed_at_the_first_run(run, session):
    run(PARSE, "c1")
    run("%%graph_step a\ndef a(b): return b", "c2")
    run("%%graph_step b\ndef b(b): return b", "c3")
    run("%%graph_step a\ndef a(b): return b", "c2")

    assert names_and_after(session)["a"] == ("parse",)


def test_an_error_handler_answers_and_is_never_the_previous_step(run, session):
    run("%%graph_step risky\ndef risky(b): return 1 / b")
    placed = run("%%graph_step catch --on-error risky\ndef catch(b): return 'caught'")
    run("%%graph_step after_it\ndef after_it(b): return b")

    assert "for errors of risky" in str(placed)
    assert names_and_after(session)["after_it"] == ("risky",)
    assert [run("%graph run 0").body, run("%graph run 1").body] == ["caught", 1.0]


def test_an_error_handler_may_lead_back_into_the_flow(run):
    run("%%graph_step risky\ndef risky(b): return 1 / b")
    run("%%graph_step end\ndef end(b): return [b]")
    run("%%graph_step catch --on-error risky --before end\ndef catch(b): return 'bad'")

    assert run("%graph run 0").body == ["bad"]


def test_an_error_handler_of_the_graph_and_back_to_an_ordinary_step(run, session):
    run("%%graph_step risky\ndef risky(b): return 1 / b")
    run("%%graph_step catch --on-error graph\ndef catch(b): return 'caught'", "c2")
    assert run("%graph run 0").body == "caught"

    run("%%graph_step catch\ndef catch(b): return b", "c2")

    assert session.graph().spec.on_error is None
    assert names_and_after(session)["catch"] == ("risky",)


def test_respond_answers_before_the_end_and_a_second_one_is_a_note(run):
    run("%%graph_step a --respond\ndef a(b): return 'a'")
    run("%%graph_step b\ndef b(b): return 'b'")
    assert run("%graph run 0").body == "a"

    placed = run("%%graph_step c --respond\ndef c(b): return 'c'")

    assert placed.notes == ("only one step may respond, found a, c",)
    assert [f.severity for f in run("%graph check")][:1] == ["error"]
    with pytest.raises(ValueError, match="only one step may respond"):
        run("%graph run 0")


def test_a_cycle_is_a_note_until_the_graph_runs(run):
    run("%%graph_step a\ndef a(b): return b", "c1")
    run("%%graph_step b\ndef b(b): return b")
    placed = run("%%graph_step a --after b\ndef a(b): return b", "c1")

    assert "a → b → a" in placed.notes[0]
    with pytest.raises(ValueError, match="cycle"):
        run("%graph run 0")


def test_an_example_runs_the_graph_up_to_the_step(run, session):
    run(PARSE)
    run("%%graph_step late\ndef late(b): return 'late'", "c2")
    placed = run(
        "%%graph_step late --example {'x': 1}\ndef late(b): return b['x']", "c2"
    )

    assert placed.answer.body == 1
    assert "200" in placed._repr_mimebundle_()["text/html"]


def test_a_step_in_another_graph(run, session):
    run("%graph new other")
    run("%graph new main")
    run("%%graph_step f --graph other\ndef f(b): return 'other'")

    assert session.graphs.current_name == "main"
    assert run("%graph run 0 --graph other").body == "other"


def test_a_step_stays_in_its_graph_when_another_is_current(run, session):
    run("%graph new one")
    run("%%graph_step f\ndef f(b): return 1", "c1")
    run("%graph new two")
    run("%%graph_step f\ndef f(b): return 2", "c1")

    assert run("%graph run 0 --graph one").body == 2
    assert session.graph("two").spec.names() == ()


def test_a_graph_that_came_by_itself_gives_its_steps_to_a_named_one(run, session):
    run("%%graph_step f\ndef f(b): return 1", "c1")
    run("%graph new fraud")
    run("%%graph_step f\ndef f(b): return 1", "c1")

    assert session.graph("fraud").spec.names() == ("f",)
    assert session.graph("notebook").spec.names() == ()


@pytest.mark.parametrize(
    "ids", [pytest.param(True, id="with-cell-ids"), pytest.param(False, id="without")]
)
def test_running_all_cells_twice_gives_the_same_graph(run, session, ids):
    cells = [
        "%load_ext jupyter_graph",
        "%graph new fraud",
        "model = [3]",
        PARSE,
        "%%graph_step predict --arg model=$model\nclass Predict:\n"
        "    def __init__(self, model): self.model = model\n"
        "    def do(self, body): return self.model[0]",
        "%%graph_step catch --on-error predict\ndef catch(b): return b",
        "%%graph_step old\ndef old(b): return b",
        "%graph rename old new",
        "%%graph_step gone\ndef gone(b): return b",
        "%graph remove gone",
        "answer = notebook().run({'x': 1}).body",
    ]
    run("from jupyter_graph import notebook")

    def run_all():
        for at, cell in enumerate(cells):
            run(cell, f"c{at}" if ids else None)
        return session.graph().spec

    assert run_all() == run_all()
    assert session.user_ns["answer"] == 3


def test_a_failing_cell_leaves_the_graph_and_points_at_the_line(run, session, capsys):
    run("%%graph_step f\ndef f(b): return 1", "c1")
    before = session.graph().spec

    with pytest.raises(ZeroDivisionError):
        run("%%graph_step f\n\nx = 1\n1 / 0\ndef f(b): return 2", "c1")

    assert "----> 4" in plain(capsys.readouterr().out)
    assert session.graph().spec == before
    assert run("%graph run 0").body == 1


def test_an_error_in_a_step_points_at_the_users_cell_and_line(run, capsys):
    run("%%graph_step f\n\ndef f(body):\n    y = body\n    return y['nope']")

    with pytest.raises(StepError) as caught:
        run("%graph run {}")

    shown = plain(capsys.readouterr().out)
    assert "line 5, in f(body)" in shown
    assert "----> 5     return y['nope']" in shown
    assert "jupyter_graph/run" not in shown
    assert isinstance(caught.value.__cause__, KeyError)
    assert caught.value.event_id


def test_lines_are_those_of_the_cell_below_other_magics(run, session, capsys):
    run("\n%%time\n%%graph_step f\n\ndef f(body):\n    return 1 / body")

    with pytest.raises(StepError):
        run("%graph run 0")

    assert "line 6, in f(body)" in plain(capsys.readouterr().out)
    assert len(session.cells_for(session.graph())) == 2


def test_comments_may_stand_above_the_magic(run, session, capsys):
    run(
        "#@title The first step\n\n# and only\n%%graph_step größe\n"
        "def größe(body):\n    return 1 / body"
    )

    assert run("%graph run 2").body == 0.5
    with pytest.raises(StepError):
        run("%graph run 0")

    assert "line 6, in größe(body)" in plain(capsys.readouterr().out)
    assert [step.name for step in session.graph().spec.steps] == ["größe"]


@pytest.mark.parametrize("above", ["x = 1", "'text'", "# a\nx = 1", "%pwd"])
def test_below_code_the_magic_makes_no_step(shell, session, above):
    done = shell.run_cell(f"{above}\n%%graph_step f\ndef f(body):\n    return body")

    assert "must be the first line of its cell" in str(done.error_in_exec)
    assert session.graphs.names() == []


def test_a_syntax_error_points_at_the_users_line(run, capsys):
    with pytest.raises(SyntaxError) as caught:
        run("%%graph_step f\ndef f(b):\n    return b b")

    assert caught.value.lineno == 3


def test_nothing_of_ours_stays_after_a_refused_cell(run, session):
    with pytest.raises(MagicError):
        run("%%graph_step f --after nope\ndef f(b): return b")

    assert session.graphs.names() == []
    assert "f" not in session.user_ns


def plain(text):
    import re

    return re.sub(r"\x1b\[[0-9;]*m", "", text)


def test_a_cell_that_says_the_same_again_gives_the_same_object(run):
    cell = "%%graph_step f\ndef f(body): return body"
    first, again = run(cell, "c1"), run(cell, "c1")
    other = run("%%graph_step f --timeout 3\ndef f(body): return body", "c1")

    assert again is first
    assert other is not first
    assert other.step.timeout_s == 3


def test_an_error_in_another_process_points_at_the_users_cell_and_line(run):
    run("%%graph_step f --processes 1\ndef f(body):\n    return 1 / body", "c1")
    with pytest.raises(StepError) as caught:
        run("%graph run 0")
    shown = "\n".join(caught.value._render_traceback_())

    assert re.search(r"In its process:\n  Cell In\[\d+\], line 3, in f\n", shown)
    assert "return 1 / body" in shown
    assert "jupyter_graph/" not in shown
