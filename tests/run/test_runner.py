"""Opening, running, answering, looking on."""

import asyncio
import html
import time

import pytest

from jupyter_graph import Graph, Runner, StepError
from jupyter_graph.compile.compiled_graph import compile_graph
from jupyter_graph.errors import NotFoundError, RunError, SpecError
from jupyter_graph.event import Event


def double(x):
    return x * 2


def fails(x):
    raise ValueError("boom")


async def pause(x):
    await asyncio.sleep(0)
    return x


def chain(*steps, **options):
    graph = Graph("g", **options)
    for step in steps:
        graph.add_step(name=step.__name__, handler=step)
    return graph


COLOURS = pytest.mark.parametrize(
    "graph",
    [
        pytest.param(chain(double), id="sync"),
        pytest.param(chain(double, pause), id="async"),
    ],
)


@COLOURS
def test_a_runner_opens_and_closes_with_a_with_statement(graph):
    with Runner(graph) as runner:
        assert runner.is_open
        assert repr(runner) == "<Runner of graph 'g', open>"
        assert runner.run(2) == 4

    assert repr(runner) == "<Runner of graph 'g', closed>"


@COLOURS
def test_a_runner_opens_with_async_with(graph):
    async def both():
        async with Runner(graph) as runner:
            return await runner.arun(2), (await runner.aanswer(2)).body

    assert asyncio.run(both()) == (4, 4)


@COLOURS
def test_a_compiled_graph_runs_in_two_runners_at_once(graph, open_runner):
    compiled = compile_graph(graph)
    runners = [open_runner(compiled) for _ in range(2)]

    assert [runner.run(2) for runner in runners] == [4, 4]
    assert runners[0].compiled is compiled


def test_a_spec_runs_with_a_namespace(open_runner):
    spec = chain(double).spec
    namespace = {"double": double, "__name__": __name__}

    assert open_runner(spec, namespace=namespace).run(2) == 4


def test_each_runner_has_instances_of_its_own(open_runner):
    class Counts:
        count = 0

        def do(self, x):
            self.count += 1
            return self.count

    graph = Graph("g")
    graph.to(Counts, "counts")
    runners = [open_runner(graph) for _ in range(2)]

    assert [runners[0].run(0) for _ in range(3)] == [1, 2, 3]
    assert runners[1].run(0) == 1


def test_an_empty_graph_is_refused():
    with pytest.raises(SpecError, match="graph 'g' has no steps yet"):
        Runner(Graph("g"))


@pytest.mark.parametrize("error", [OSError("no disk"), SystemExit(2), KeyError("k")])
def test_a_constructor_that_fails_is_named_at_open(error):
    class Breaks:
        def __init__(self):
            raise error

        def do(self, x):
            return x

    graph = Graph("g")
    graph.to(Breaks, "breaks")

    with pytest.raises(RunError, match="step 'breaks' cannot be built") as caught:
        Runner(graph).open()

    assert caught.value.__cause__ is error


def test_a_block_that_refuses_its_arguments_names_the_step():
    graph = chain(double)
    graph.add_step("Merge", "m", key_path="k")

    with pytest.raises(SpecError, match="step 'm': key_path must look like"):
        Runner(graph).open()


# -- answers --------------------------------------------------------------------


@COLOURS
@pytest.mark.parametrize("traced", [False, True])
def test_an_answer_has_the_body_as_callers_get_it(graph, open_runner, traced):
    answer = open_runner(graph).answer((1, 2), event_id="e1", traced=traced)

    assert answer.value == (1, 2, 1, 2)
    assert answer.body == [1, 2, 1, 2]
    assert (answer.status_code, answer.is_ok) == (200, True)
    assert answer.content_type == "application/json"
    assert answer.event_id == "e1"
    assert answer.payload == b"[1, 2, 1, 2]"


@pytest.mark.parametrize("traced", [False, True])
@pytest.mark.parametrize("last", [[], [pause]], ids=["sync", "async"])
def test_a_failed_event_raises_unless_silent(open_runner, last, traced):
    runner = open_runner(chain(fails, *last))

    with pytest.raises(StepError, match="step 'fails' failed on event e1"):
        runner.answer(1, event_id="e1", traced=traced)
    answer = runner.answer(1, event_id="e1", silent=True, traced=traced)

    assert answer.status_code == 500
    assert answer.body == {
        "title": "Internal Server Error",
        "status": 500,
        "detail": "ValueError: boom",
        "step": "fails",
        "event_id": "e1",
    }
    assert isinstance(answer.error, StepError)


@pytest.mark.parametrize("traced", [False, True])
@pytest.mark.parametrize("last", [[], [pause]], ids=["sync", "async"])
def test_awaited_answers_fail_the_same_way(open_runner, last, traced):
    runner = open_runner(chain(fails, *last))

    async def both():
        with pytest.raises(StepError):
            await runner.aanswer(1, traced=traced)
        return await runner.aanswer(1, silent=True, traced=traced)

    assert asyncio.run(both()).status_code == 500


def test_mlrun_status_answers_400(open_runner):
    runner = open_runner(chain(fails), mlrun_status=True)

    assert runner.answer(1, silent=True).status_code == 400


def test_a_status_error_chooses_the_status(open_runner):
    def missing(x):
        raise NotFoundError("no user 7")

    answer = open_runner(chain(missing)).answer(1, silent=True)

    assert (answer.status_code, answer.body["detail"]) == (404, "no user 7")


def test_a_value_that_cannot_be_sent_is_an_error_that_names_the_key(open_runner):
    def gives(x):
        return {"a": [object()]}

    answer = open_runner(chain(gives)).answer(1, silent=True)

    assert answer.status_code == 500
    assert "answer['a'][0]" in answer.body["detail"]


def test_an_event_that_is_filtered_away_answers_204(open_runner):
    graph = chain(double)
    graph.add_step("Merge", "nowhere", after="double", expected_num_events=2)

    assert open_runner(graph).run(1) is None
    assert open_runner(graph).answer(1).status_code == 204


def test_a_graph_that_nobody_answers_gives_202_and_the_id(open_runner):
    graph = chain(double)
    graph.add_step(name="other", handler=pause, after="start")
    runner = open_runner(graph)
    answer = runner.answer(1, event_id="e1")

    assert (answer.status_code, answer.body) == (202, {"id": "e1"})
    assert runner.run(1, event_id="e2") == {"id": "e2"}


def test_a_response_says_status_and_headers(open_runner):
    def made(x, context):
        return context.Response({"made": x}, 201, {"x-a": "b"})

    answer = open_runner(chain(made)).answer(1)

    assert (answer.status_code, answer.headers["x-a"]) == (201, "b")
    assert answer.body == {"made": 1}
    assert answer.as_response()["status_code"] == 201


def test_an_answer_displays_itself(open_runner):
    answer = open_runner(chain(double)).answer("<b>")

    assert repr(answer) == "<Answer 200: '<b><b>'>"
    bundle = answer._repr_mimebundle_()
    assert bundle["text/plain"] == "200  '<b><b>'"
    assert html.escape("<b><b>") in bundle["text/html"]


def test_a_long_answer_is_cut_short(open_runner):
    assert len(repr(open_runner(chain(double)).answer("x" * 10_000))) < 250


def test_handle_and_ahandle_never_raise_for_an_event(open_runner):
    runner = open_runner(chain(fails))

    assert runner.handle(Event(1)).status_code == 500
    assert asyncio.run(runner.ahandle(Event(1))).status_code == 500


# -- looking on -----------------------------------------------------------------


@COLOURS
def test_a_trace_shows_what_each_step_took_and_gave(graph, open_runner):
    answer = open_runner(graph).answer([1], traced=True)
    row = answer.trace[0]

    assert (row.step, row.upstream, row.error) == ("double", ("$start",), None)
    assert (row.input.text, row.output.text) == ("[1]", "[1, 1]")
    assert row.duration_s >= 0
    assert len(answer.trace) == len(graph.spec.steps)
    assert "double" in str(answer.trace)


@pytest.mark.parametrize("last", [[], [pause]], ids=["sync", "async"])
def test_a_trace_ends_at_the_failure(open_runner, last):
    runner = open_runner(chain(double, fails, *last))
    trace = runner.answer(1, silent=True, traced=True).trace

    assert [(row.step, row.error) for row in trace] == [
        ("double", None),
        ("fails", "ValueError: boom"),
    ]


def test_later_changes_do_not_reach_a_trace(open_runner):
    def changes(body):
        body["a"] = 2
        return body

    trace = open_runner(chain(changes)).answer({"a": 1}, traced=True).trace

    assert trace[0].input.value == {"a": 1}
    assert trace[0].output.value == {"a": 2}


def test_outputs_are_the_results_of_the_last_steps(open_runner):
    graph = chain(double)
    graph.add_step(name="a", handler=lambda x: x + 1, after="double")
    graph.add_step(name="b", handler=lambda x: x + 2, after="double")

    assert open_runner(graph).answer(1, traced=True).outputs == {"a": 3, "b": 4}


@COLOURS
def test_counters_count_traced_events_only(graph, open_runner):
    runner = open_runner(graph)
    runner.run(1)
    runner.answer([1], traced=True)
    runner.answer([2], traced=True)
    seen = runner.counters.snapshot()

    assert seen["steps"]["double"]["count"] == 2
    assert seen["edges"]["$start→double"] == {"count": 2, "last": "[2]"}


def test_counters_count_failures(open_runner):
    runner = open_runner(chain(fails))
    runner.answer(1, silent=True, traced=True)

    assert runner.counters.snapshot()["steps"]["fails"]["errors"] == 1


def test_two_traces_at_once_do_not_mix(open_runner):
    runner = open_runner(chain(double, pause))

    async def all_at_once():
        calls = [runner.aanswer(n, traced=True) for n in range(50)]
        return await asyncio.gather(*calls)

    answers = asyncio.run(all_at_once())

    assert [answer.trace[0].input.value for answer in answers] == list(range(50))


def test_counters_stay_small_with_large_values(open_runner):
    runner = open_runner(chain(double))
    answer = runner.answer(b"x" * 2_000_000, traced=True)

    assert answer.trace[0].input.value is None
    assert len(answer.trace[0].input.text) == 200


def test_a_value_whose_repr_fails_is_traced_all_the_same(open_runner):
    class Mute:
        def __repr__(self):
            raise ValueError("no")

        __len__ = None

    trace = open_runner(chain(pause)).answer(Mute(), traced=True, silent=True).trace

    assert trace[0].input.text == "<Mute: ValueError: no>"


# -- surroundings ---------------------------------------------------------------


def test_steps_see_parameters_secrets_and_their_name(open_runner):
    class Tells:
        def __init__(self, context, name):
            self.context, self.name = context, name

        def do(self, x):
            context = self.context
            return [
                self.name, context.name, context.get_param("p"),
                context.get_param("q", 5), context.get_secret("s"), context.is_parity,
            ]  # fmt: skip

    graph = Graph("g")
    graph.to(Tells, "tells")
    runner = open_runner(graph, parameters={"p": 1}, secrets={"s": "x"}, is_parity=True)

    assert runner.run(0) == ["tells", "tells", 1, 5, "x", True]


def test_a_function_may_ask_for_its_context(open_runner):
    def tells(x, context):
        return repr(context), context.worker_id

    found = open_runner(chain(tells), worker_id="3").run(0)

    assert found == ("<Context of step 'tells'>", "3")


def test_an_error_may_be_reported_without_failing(open_runner, caplog):
    def reports(x, context):
        context.push_error(None, "half a failure")
        return x

    assert open_runner(chain(reports)).run(1) == 1
    assert "reports: half a failure" in caplog.text


def test_a_logger_may_be_given(open_runner):
    import logging

    logger = logging.getLogger("mine")
    found = []

    def tells(x, context):
        found.append(context.logger)

    open_runner(chain(tells), logger=logger).run(1)

    assert found == [logger]


def test_post_init_is_called_once_when_the_runner_opens(open_runner):
    calls = []

    class Model:
        def post_init(self, mode="sync"):
            calls.append(mode)

        def do(self, x):
            return x

    graph = Graph("g")
    graph.to(Model, "model")
    open_runner(graph).run(1)

    assert calls == ["sync"]


async def note_loop(_):
    return id(asyncio.get_running_loop())


def loops_of(runner, *ways):
    """Give the loops that events run on, by the way they come in."""
    found = {
        "arun": runner.arun,
        "aanswer": lambda: runner.aanswer(traced=True),
        "run": lambda: asyncio.to_thread(runner.run),
    }

    async def one(way):
        loop = await found[way]()
        return getattr(loop, "body", loop)

    return asyncio.gather(*map(one, ways))


WAYS_IN = ("arun", "aanswer", "run")


def test_an_async_runner_uses_the_loop_it_was_opened_on():
    async def here():
        async with Runner(chain(note_loop)) as runner:
            assert not runner.emit()[:0]
            runner.wait_for_completion(5)
            found = await loops_of(runner, *WAYS_IN)
        return [loop == await note_loop(0) for loop in found]

    assert asyncio.run(here()) == [True, True, False]


def keeping():
    graph = chain(note_loop)
    graph.add_step("Batch", "batch", class_args={"max_events": 1}, after="note_loop")
    graph.add_step(name="first", handler=lambda batch: batch[0], after="batch")
    return graph


@pytest.mark.parametrize("where", ["a with statement", "a thread", "a kernel", "keeps"])
def test_else_it_has_a_loop_of_its_own(where, monkeypatch):
    if where == "a kernel":
        monkeypatch.setattr("jupyter_graph.run.openable.is_in_kernel", lambda: True)

    async def here():
        if where == "a with statement":
            with Runner(chain(note_loop)) as runner:
                found = await loops_of(runner, *WAYS_IN)
        else:
            graph = keeping() if where == "keeps" else chain(note_loop)
            async with Runner(graph) as runner:
                found = await loops_of(runner, *WAYS_IN)
        assert await note_loop(0) not in found
        return len(set(found))

    async def in_thread():
        return await asyncio.to_thread(asyncio.run, here())

    assert asyncio.run(in_thread() if where == "a thread" else here()) == 1


def test_a_swap_may_take_the_loop_back_and_give_it_again():
    async def here():
        found = []
        async with Runner(chain(note_loop)) as runner:
            for graph in (chain(note_loop), keeping(), chain(note_loop)):
                runner.swap(graph)
                found.append(await runner.arun() == await note_loop(0))
        return found

    assert asyncio.run(here()) == [True, False, True]


def test_streams_and_hangs_of_a_borrowed_loop_end(open_runner):
    async def letters(_):
        for letter in "ab":
            yield letter

    def hang(_):
        time.sleep(30)

    async def here():
        async with Runner(chain(letters)) as runner:
            assert [item async for item in await runner.arun()] == ["a", "b"]
        async with Runner(chain(note_loop, hang), timeout_s=0.3) as runner:
            with pytest.raises(StepError, match=r"step 'hang' failed.*took longer"):
                await runner.arun()
        return True

    assert asyncio.run(here())
