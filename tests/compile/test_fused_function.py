"""What generated code does: chains, branches, merges, choices, error handlers."""

import asyncio
import threading

import pytest

from jupyter_graph import Graph, StepError
from jupyter_graph.compile.compiled_graph import compile_graph

COLOURS = ["sync", "async"]


@pytest.fixture(params=COLOURS)
def colour(request):
    """Each graph of these tests runs straight and on a loop."""
    return request.param


@pytest.fixture
def graph(colour):
    """An empty graph; with the colour "async" it gets a coroutine at its end."""

    class Coloured(Graph):
        def done(self):
            if colour == "async":
                self.add_step(name="coro", handler=coroutine, after="start")
            return self

    return Coloured("g")


async def coroutine(x):
    await asyncio.sleep(0)


def mark(name):
    def marked(trail):
        return [*trail, name]

    marked.__name__ = name
    return marked


def fails_on(key, error=None):
    """A step that fails where its key is in the body."""

    def step(body):
        if key in body:
            raise error or ValueError(key)
        return body

    step.__name__ = f"fails_on_{key}"
    return step


def fails(trail):
    raise ValueError(f"after {len(trail)}")


def add(graph, name, after, code=None, **options):
    code = code or mark(name)
    kind = "class_name" if isinstance(code, type) else "handler"
    return graph.add_step(name=name, after=after, **{kind: code}, **options)


def runs(run_graph, graph, body=None):
    [found] = run_graph(graph.done(), [[] if body is None else body])
    return found


# -- chains, branches, joins ----------------------------------------------------


def test_a_chain_gives_the_result_of_its_last_step(run_graph, graph):
    add(graph, "a", "start")
    add(graph, "b", "a")
    add(graph, "c", "b").respond()

    assert runs(run_graph, graph) == ["a", "b", "c"]


def test_branches_have_bodies_of_their_own(run_graph, graph):
    seen = []

    def left(body):
        body["left"] = True
        seen.append(body)
        return body

    def right(body):
        seen.append(dict(body))
        return body

    add(graph, "a", "start", lambda body: body)
    add(graph, "left", "a", left).respond()
    add(graph, "right", "a", right)

    assert runs(run_graph, graph, {"x": []}) == {"x": [], "left": True}
    assert {"x": []} in seen


@pytest.mark.parametrize(
    ("copy", "shares_body", "shares_inside"),
    [("deep", False, False), ("shallow", False, True), ("none", True, True)],
)
def test_the_copy_policy_says_what_branches_share(
    run_graph, copy, shares_body, shares_inside
):
    seen = {}
    graph = Graph("g", copy=copy)
    add(graph, "a", "start", lambda body: body)
    add(graph, "b", "a", lambda body: seen.setdefault("b", body)).respond()
    add(graph, "c", "a", lambda body: seen.setdefault("c", body))
    run_graph(graph, [{"inner": []}])

    assert (seen["b"] is seen["c"]) == shares_body
    assert (seen["b"]["inner"] is seen["c"]["inner"]) == shares_inside


@pytest.mark.parametrize("copy", ["deep", "shallow"])
@pytest.mark.parametrize("full_event", [False, True])
def test_a_body_that_cannot_be_copied_is_shared(run_graph, caplog, copy, full_event):
    class Uncopied:
        def __copy__(self, memo=None):
            raise TypeError("cannot pickle it")

        __deepcopy__ = __copy__

    def untouched(it):
        return it

    body = Uncopied()
    graph = Graph("g", copy=copy)
    add(graph, "a", "start", untouched, full_event=full_event)
    add(graph, "b", "a", lambda body: ["b", body]).respond()
    add(graph, "c", "a", lambda body: ["c", body])

    assert run_graph(graph, [body]) == [["b", body]]
    assert "cannot be copied" in caplog.text


def test_a_lock_in_a_branch_hurts_no_later_event(run_graph, graph):
    add(graph, "a", "start", lambda body: body)
    add(graph, "b", "a", lambda body: len(body)).respond()
    add(graph, "c", "a", lambda body: body)

    assert run_graph(graph.done(), [[threading.Lock()], [1, 2]]) == [1, 2]


def test_branches_of_an_event_have_one_id(run_graph, graph):
    ids = []

    def note(event):
        ids.append(event.id)
        return event

    add(graph, "a", "start", lambda body: body)
    add(graph, "b", "a", note, full_event=True).respond()
    add(graph, "c", "a", note, full_event=True)
    runs(run_graph, graph)

    assert len(ids) == 2
    assert len(set(ids)) == 1


def test_a_failing_branch_does_not_stop_its_neighbour(open_runner, graph):
    seen = []
    add(graph, "a", "start")
    add(graph, "bad", "a", fails)
    add(graph, "good", "a", seen.append).respond()
    runner = open_runner(graph.done())

    answer = runner.answer([])

    assert answer.notes == ("step 'bad' failed beside the answer: ValueError: after 1",)
    assert seen == [["a"]]


def test_the_tail_of_a_join_runs_once_per_branch(run_graph, graph):
    seen = []

    def tail(trail):
        seen.append(trail)
        return trail

    add(graph, "a", "start")
    add(graph, "b", "start")
    add(graph, "tail", ["a", "b"], tail).respond()

    assert runs(run_graph, graph) == ["a"]
    assert seen == [["a"], ["b"]]


def test_nobody_answering_gives_the_events_id(run_graph, graph, colour):
    add(graph, "a", "start")
    add(graph, "b", "a")
    add(graph, "c", "a")

    assert set(runs(run_graph, graph)) == {"id"}


def test_a_responder_with_followers_answers_and_they_go_on(run_graph, graph):
    seen = []

    def changes(trail):
        trail.append("changed")
        seen.append(trail)

    add(graph, "a", "start").respond()
    add(graph, "after", "a", changes)

    assert runs(run_graph, graph) == ["a"]
    assert seen == [["a", "changed"]]


def test_several_first_steps_all_run(run_graph, graph):
    seen = []
    add(graph, "a", "start", seen.append)
    add(graph, "b", "start").respond()

    assert runs(run_graph, graph) == ["b"]
    assert seen == [[]]


# -- merges ---------------------------------------------------------------------


def test_a_merge_gives_the_bodies_in_the_order_of_after(run_graph, graph):
    add(graph, "a", "start")
    add(graph, "b", "a")
    add(graph, "c", "a")
    graph.add_step("Merge", "m", after=["c", "b"]).respond()

    assert runs(run_graph, graph) == [["a", "c"], ["a", "b"]]


def test_a_diamond_of_diamonds_merges_once_each(run_graph, graph):
    for level, (top, left, right, bottom) in enumerate(["abcd", "efgh"]):
        add(graph, top, "d" if level else "start", lambda body: body)
        add(graph, left, top, lambda body: [body])
        add(graph, right, top, lambda body: (body,))
        graph.add_step("Merge", bottom, after=[left, right])
    graph.change_step("h", responder=True)

    assert runs(run_graph, graph, 1) == [[[[1], (1,)]], ([[1], (1,)],)]


@pytest.mark.parametrize(
    ("keys", "found"),
    [
        pytest.param((1, 1), [{"k": 1, "by": "b"}, {"k": 1, "by": "c"}], id="same"),
        pytest.param((1, 2), None, id="different"),
    ],
)
def test_a_merge_joins_parts_with_the_same_key(run_graph, graph, keys, found):
    add(graph, "a", "start", lambda body: body)
    add(graph, "b", "a", lambda body: {"k": keys[0], "by": "b"})
    add(graph, "c", "a", lambda body: {"k": keys[1], "by": "c"})
    graph.add_step("Merge", "m", after=["b", "c"], key_path="event['k']").respond()

    assert runs(run_graph, graph) == found


def test_a_merge_of_fewer_parts_goes_on_as_soon_as_they_are_there(run_graph, graph):
    add(graph, "a", "start")
    add(graph, "b", "start")
    graph.add_step("Merge", "m", after=["a", "b"], expected_num_events=1).respond()

    assert runs(run_graph, graph) == ["a"]


def test_a_merge_of_full_events_gives_bodies(run_graph, graph):
    add(graph, "a", "start", lambda event: event, full_event=True)
    add(graph, "b", "a")
    add(graph, "c", "a")
    graph.add_step("Merge", "m", after=["b", "c"]).respond()

    assert runs(run_graph, graph) == [["b"], ["c"]]


def test_a_body_that_looks_like_an_event_is_merged_as_it_is(run_graph, graph):
    class Page:
        path, body = "/", "text"

    page = Page()
    add(graph, "a", "start", lambda body: page)
    add(graph, "b", "start", lambda body: page)
    graph.add_step("Merge", "m", after=["a", "b"]).respond()

    assert runs(run_graph, graph) == [page, page]


def test_a_merge_of_other_events_never_mixes(run_graph, graph):
    add(graph, "a", "start", lambda body: body)
    add(graph, "b", "a", lambda body: body)
    add(graph, "c", "a", lambda body: body if body % 2 else None)
    graph.add_step("Merge", "m", after=["b", "c"]).respond()

    assert run_graph(graph.done(), [1, 2, 3]) == [[1, 1], [2, None], [3, 3]]


# -- choices --------------------------------------------------------------------


class ByField:
    def select_outlets(self, body):
        return body["to"]


def choice(graph, **options):
    graph.add_step(ByField, "choose", after="start", **options)
    add(graph, "x", "choose", lambda body: "x")
    add(graph, "y", "choose", lambda body: "y")
    graph.add_step("Merge", "all", after=["x", "y"], expected_num_events=1).respond()


@pytest.mark.parametrize(
    ("to", "found"),
    [
        pytest.param(["y"], "y", id="one"),
        pytest.param("y", "y", id="a-text"),
        pytest.param(("x", "y"), "x", id="both"),
        pytest.param(None, "x", id="none-means-all"),
        pytest.param([], "x", id="empty-means-all"),
    ],
)
def test_a_choice_sends_the_body_to_the_steps_it_names(run_graph, graph, to, found):
    choice(graph)

    assert runs(run_graph, graph, {"to": to}) == found


@pytest.mark.parametrize(
    ("to", "said"),
    [
        pytest.param(
            ["ghost"],
            "Invalid outlet 'ghost' for 'choose'. Allowed outlets are: x, y.",
            id="unknown",
        ),
        pytest.param(["x", "x"], "'choose': duplicate outlet names", id="twice"),
        pytest.param(5, "TypeError", id="no-names"),
    ],
)
def test_a_choice_of_no_such_steps_is_its_failure(open_runner, graph, to, said):
    choice(graph)
    runner = open_runner(graph.done())

    with pytest.raises(StepError, match="step 'choose' failed") as caught:
        runner.run({"to": to})

    assert said in str(caught.value)


def test_a_branch_that_is_not_chosen_never_reaches_its_merge(run_graph, graph):
    graph.add_step(ByField, "choose", after="start")
    add(graph, "x", "choose")
    add(graph, "y", "choose")
    graph.add_step("Merge", "m", after=["x", "y"]).respond()

    assert runs(run_graph, graph, {"to": ["x"]}) is None


def test_a_choosing_class_may_change_the_body_first(run_graph, graph):
    class Both:
        def do(self, body):
            return {"to": "x", "was": body}

        def select_outlets(self, body):
            return body["to"]

    graph.add_step(Both, "choose", after="start")
    add(graph, "x", "choose", lambda body: body["was"]).respond()
    add(graph, "y", "choose")

    assert runs(run_graph, graph, 7) == 7


# -- paths and events -----------------------------------------------------------


@pytest.mark.parametrize(
    ("paths", "body", "found"),
    [
        ({"input_path": "a"}, {"a": 2}, 3),
        ({"input_path": "a.b"}, {"a": {"b": 2}}, 3),
        ({"result_path": "r", "input_path": "a"}, {"a": 2}, {"a": 2, "r": 3}),
        (
            {"result_path": "r.s", "input_path": "a"},
            {"a": 2, "r": {"t": 1}},
            {"a": 2, "r": {"t": 1, "s": 3}},
        ),
    ],
)
def test_paths_say_what_goes_in_and_where_the_result_goes(
    run_graph, graph, paths, body, found
):
    add(graph, "a", "start", lambda x: x + 1, **paths).respond()

    assert runs(run_graph, graph, body) == found


def test_a_missing_path_gives_none(run_graph, graph):
    add(graph, "a", "start", lambda x: [x], input_path="a.b.c").respond()

    assert runs(run_graph, graph, {"a": {"b": {}}}) == [None]


@pytest.mark.parametrize("body", [[1], "text", [], {"p": "text"}, {"p": None}])
def test_a_list_and_a_text_have_no_parts(run_graph, graph, body):
    add(graph, "a", "start", lambda x: [x], input_path="p.q").respond()

    assert runs(run_graph, graph, body) == [None]


@pytest.mark.parametrize("path", ["input_path", "result_path"])
def test_a_path_into_no_object_is_the_steps_failure(open_runner, graph, path):
    add(graph, "a", "start", lambda x: x, **{path: "p"}).respond()

    with pytest.raises(StepError, match=f"{path} 'p'.*supports only dict-like"):
        open_runner(graph.done()).run(7)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ([1], "list indices must be integers"),
        ("text", "'str' object does not support item assignment"),
        ({"p": 5}, "argument of type 'int' at 'p' is no object"),
    ],
)
def test_a_result_has_no_place_in_what_is_no_object(open_runner, graph, body, said):
    add(graph, "a", "start", lambda x: 1, result_path="p.q").respond()

    with pytest.raises(StepError, match=said):
        open_runner(graph.done()).run(body)


def test_a_path_that_leads_through_a_number_depends_on_the_engine(open_runner):
    graph = Graph("async")
    graph.to(name="a", handler=lambda x: [x], input_path="a.b").respond()
    in_order = Graph("sync", engine="sync")
    in_order.to(name="a", handler=lambda x: [x], input_path="a.b").respond()

    with pytest.raises(StepError, match="argument of type 'int' is not iterable"):
        open_runner(graph).run({"a": 5})
    assert open_runner(in_order).run({"a": 5}) == [None]


def test_a_result_path_makes_a_body_where_there_is_none(open_runner, graph):
    add(graph, "a", "start", lambda x: 1, result_path="r").respond()

    assert open_runner(graph.done()).run(None) == {"r": 1}


def test_a_full_event_step_sees_the_event(open_runner, graph):
    def tell(event):
        event.body = [event.body, event.path, event.method, event.id]
        return event

    add(graph, "a", "start", tell, full_event=True).respond()
    runner = open_runner(graph.done())

    assert runner.run(1, path="/p", method="PUT", event_id="e7") == [
        1,
        "/p",
        "PUT",
        "e7",
    ]


@pytest.mark.parametrize("given", [None, {"body": 1}, 5])
def test_a_full_event_step_must_give_an_event(open_runner, graph, given):
    add(graph, "a", "start", lambda event: given, full_event=True).respond()

    with pytest.raises(StepError, match="step 'a' failed") as caught:
        open_runner(graph.done()).run(1)

    assert "has no attribute 'body'" in str(caught.value)


def test_a_step_that_takes_the_whole_event_has_no_paths_as_in_mlrun(run_graph, graph):
    class Keys:
        def do_event(self, event):
            event.body = list(event.body)
            return event

    add(graph, "a", "start", Keys, input_path="in", result_path="out").respond()

    assert runs(run_graph, graph, {"in": 4}) == ["in"]


# -- error handlers -------------------------------------------------------------


def test_the_result_of_a_handler_is_the_answer(run_graph, graph):
    add(graph, "a", "start")
    add(graph, "bad", "a", fails)
    add(graph, "never", "bad").respond()
    graph.error_handler("catch", handler=mark("catch"), step="bad")

    assert runs(run_graph, graph) == ["a", "catch"]


def test_with_before_the_flow_goes_on_elsewhere(run_graph, graph):
    add(graph, "bad", "start", fails)
    add(graph, "skipped", "bad")
    add(graph, "end", "skipped").respond()
    graph.error_handler("catch", handler=mark("catch"), step="bad", before="end")

    assert runs(run_graph, graph) == ["catch", "end"]


def test_a_handler_of_the_responder_stands_in_for_it(run_graph, graph):
    seen = []
    add(graph, "bad", "start", fails).respond()
    add(graph, "end", "bad", seen.append)
    graph.error_handler("catch", handler=mark("catch"), step="bad", before="end")

    assert runs(run_graph, graph) == ["catch"]
    assert seen == [["catch"]]


def test_a_handler_may_go_on_at_two_steps(run_graph, graph):
    seen = []
    add(graph, "bad", "start", fails)
    add(graph, "b", "bad", seen.append)
    add(graph, "c", "bad").respond()
    graph.error_handler("catch", handler=mark("catch"), step="bad", before=["b", "c"])

    assert runs(run_graph, graph) == ["catch", "c"]
    assert seen == [["catch"]]


def test_the_handler_of_the_graph_takes_what_nobody_else_takes(run_graph, graph):
    add(graph, "a", "start")
    add(graph, "bad", "a", fails)
    add(graph, "never", "bad").respond()
    graph.error_handler("catch", handler=mark("catch"))

    assert runs(run_graph, graph) == ["a", "catch"]


def test_a_steps_own_handler_comes_before_the_graphs(run_graph, graph):
    add(graph, "bad", "start", fails).respond()
    graph.error_handler("own", handler=mark("own"), step="bad")
    graph.error_handler("graphs", handler=mark("graphs"))

    assert runs(run_graph, graph) == ["own"]


@pytest.mark.parametrize("of_graph", [False, True])
def test_a_handler_that_fails_fails_the_event(open_runner, graph, of_graph):
    def broken(trail):
        raise TypeError("broken too")

    add(graph, "bad", "start", fails).respond()
    graph.error_handler("own", handler=broken, step="bad")
    if of_graph:
        graph.error_handler("graphs", handler=mark("graphs"))

    with pytest.raises(StepError, match=r"step 'own' failed.*broken too"):
        open_runner(graph.done()).run([])


def test_a_handler_may_have_a_handler_of_its_own(run_graph, graph):
    add(graph, "bad", "start", fails).respond()
    graph.error_handler("own", handler=fails, step="bad")
    graph.error_handler("last", handler=mark("last"), step="own")

    assert runs(run_graph, graph) == ["last"]


def test_the_graphs_handler_may_have_a_handler_of_its_own(run_graph, graph):
    add(graph, "bad", "start", fails).respond()
    graph.error_handler("own", handler=fails)
    graph.error_handler("last", handler=mark("last"), step="own")

    assert runs(run_graph, graph) == ["last"]


def test_two_steps_may_share_a_handler(run_graph, graph):
    add(graph, "a", "start", fails_on("a"))
    add(graph, "b", "a", fails_on("b")).respond()
    graph.error_handler("catch", handler=lambda body: f"caught {body}", step="a")
    graph.set_error_handler("catch", "b")

    assert run_graph(graph.done(), ["a", "b", "c"]) == ["caught a", "caught b", "c"]


@pytest.mark.parametrize("of_graph", [False, True])
def test_a_full_event_handler_sees_error_and_origin(run_graph, graph, of_graph):
    def tell(event):
        event.body = [event.body, str(event.error), event.origin_state]
        return event

    add(graph, "a", "start")
    add(graph, "bad", "a", fails).respond()
    step = None if of_graph else "bad"
    graph.error_handler("catch", handler=tell, full_event=True, step=step)

    assert runs(run_graph, graph) == [["a"], "after 1", "bad"]


def test_a_choice_may_have_a_handler(run_graph, graph):
    choice(graph)
    graph.error_handler("catch", handler=lambda body: "caught", step="choose")

    bodies = [{"to": "ghost"}, {"to": "y"}]

    assert run_graph(graph.done(), bodies) == ["caught", "y"]


def test_a_merge_may_have_a_handler(run_graph, graph):
    add(graph, "a", "start", lambda body: {})
    add(graph, "b", "start", lambda body: {})
    graph.add_step("Merge", "m", after=["a", "b"], key_path="event['k']").respond()
    graph.error_handler("catch", handler=lambda body: "caught", step="m")

    assert runs(run_graph, graph) == "caught"


def test_a_router_may_have_a_handler(run_graph, graph):
    graph.add_router("r", after="start")
    graph.add_route("bad", handler=fails, router_step="r")
    graph.change_step("r", responder=True)
    graph.error_handler("catch", handler=lambda body: "caught", step="r")

    assert runs(run_graph, graph, {"x": 1}) == "caught"


def test_a_handler_that_goes_on_before_a_merge_stands_for_its_branch(run_graph, graph):
    def sometimes(body):
        if body == "bad":
            raise ValueError(body)
        return "fine"

    add(graph, "a", "start", sometimes)
    add(graph, "a2", "a", lambda body: body)
    add(graph, "b", "start", lambda body: body)
    graph.add_step("Merge", "m", after=["a2", "b"]).respond()
    graph.error_handler("catch", handler=lambda _: "caught", step="a", before="m")

    assert run_graph(graph.done(), ["bad", "good"]) == [
        ["caught", "bad"],
        ["fine", "good"],
    ]


def test_a_shared_handler_before_a_merge_stands_for_the_branch_that_failed(
    run_graph, graph
):
    add(graph, "a", "start", fails)
    add(graph, "b", "start", fails)
    graph.add_step("Merge", "m", after=["a", "b"]).respond()
    graph.error_handler("catch", handler=lambda _: "caught", step="a", before="m")
    graph.set_error_handler("catch", "b")

    assert runs(run_graph, graph) == ["caught", "caught"]


def test_a_failure_after_the_answer_leaves_the_answer_to_the_handler(run_graph, graph):
    add(graph, "a", "start").respond()
    add(graph, "bad", "a", fails)
    graph.error_handler("catch", handler=mark("catch"))

    assert runs(run_graph, graph) == ["a"]


def test_many_handlers_that_lead_on_still_compile(run_graph, graph):
    for i in range(25):
        add(graph, f"s{i}", f"h{i - 1}" if i else "start", fails)
        graph.change_step(f"s{i}", after=())
        graph.error_handler(f"h{i}", handler=mark(f"h{i}"), step=f"s{i}")
    for i in range(24):
        graph.change_step(f"h{i}", before=(f"s{i + 1}",))
    graph.change_step("s24", responder=True)

    assert runs(run_graph, graph) == [f"h{i}" for i in range(25)]


# -- names ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "names",
    [
        pytest.param(["body", "event", "answer", "parts"], id="words-of-the-code"),
        pytest.param(["len", "BaseException", "NOTHING"], id="what-the-code-calls"),
        pytest.param(["at_a", "after_a", "a", "run", "twins"], id="its-functions"),
        pytest.param(["a.b", "a-b", "a_b", "a_b_"], id="one-identifier"),
        pytest.param(["class", "for", "None", "_", "__builtins__"], id="keywords"),
        pytest.param(["a_select", "a_merge", "a_outlets", "a"], id="suffixes"),
    ],
)
def test_any_names_give_a_chain(run_graph, graph, names):
    for name, before in zip(names, ["start", *names], strict=False):
        graph.add_step(name=name, handler=mark(name), after=before)
    graph.change_step(names[-1], responder=True)

    assert runs(run_graph, graph) == names


def test_a_choice_and_a_merge_may_have_a_builtins_name(run_graph, graph):
    add(graph, "a_select", "start", lambda body: {"to": ["len", "BaseException"]})
    graph.add_step(ByField, "a", after="a_select")
    add(graph, "len", "a", lambda body: "len")
    add(graph, "BaseException", "a", lambda body: "base")
    graph.add_step("Merge", "m", after=["len", "BaseException"]).respond()
    graph.error_handler("error", handler=lambda body: "caught", step="len")

    assert runs(run_graph, graph) == ["len", "base"]


def test_functions_of_merges_never_share_a_name(run_graph, graph):
    add(graph, "y", "start", lambda body: "y")
    add(graph, "x_y", "start", lambda body: "x_y")
    add(graph, "z", "start", lambda body: "z")
    graph.add_step("Merge", "m_x", after=["y", "z"])
    graph.add_step("Merge", "m", after=["x_y", "m_x"]).respond()

    assert runs(run_graph, graph) == ["x_y", ["y", "z"]]


def test_a_long_chain_is_one_function(run_graph, graph):
    def plus_one(x):
        return x + 1

    names = [f"s{i}" for i in range(600)]
    for name, before in zip(names, ["start", *names], strict=False):
        add(graph, name, before, plus_one)
    graph.change_step(names[-1], responder=True)

    assert run_graph(graph.done(), [0, 1]) == [600, 601]


def test_the_generated_code_is_one_step_a_line():
    graph = Graph("g")
    graph.to(name="a", handler=mark("a")).to(name="b", handler=mark("b"))
    compiled = compile_graph(graph)

    assert compiled.source == (
        "def run(body):\n    body = a(body)\n    body = b(body)\n    return body\n"
    )
    assert compiled.main.fused.lines == {2: "a", 3: "b"}


# -- whose fault ----------------------------------------------------------------

SHARED = ValueError("raised again and again")


def raises_shared(x):
    raise SHARED


@pytest.mark.parametrize("order", [("a", "b"), ("b", "a")])
def test_one_error_object_may_fail_several_steps(open_runner, graph, order):
    add(graph, "a", "start", fails_on("a", SHARED))
    add(graph, "b", "a", fails_on("b", SHARED)).respond()
    runner = open_runner(graph.done())
    said = []
    for body in order:
        with pytest.raises(StepError) as caught:
            runner.run(body)
        said.append(caught.value.step)

    assert tuple(said) == order


def test_a_routes_error_object_may_fail_another_step_later(open_runner, graph):
    graph.add_router("r", after="start")
    graph.add_route("m", handler=raises_shared, router_step="r")
    add(graph, "b", "r").respond()
    with pytest.raises(StepError, match="step 'm' failed"):
        open_runner(graph.done()).run({"x": 1})
    other = Graph("h")
    other.to(name="c", handler=raises_shared)

    with pytest.raises(StepError, match="step 'c' failed"):
        open_runner(other).run(1)


def test_a_runner_inside_a_step_leaves_the_step_to_blame(open_runner, graph):
    inner = Graph("inner")
    inner.to(name="deep", handler=fails)
    runner = open_runner(inner)
    add(graph, "outer", "start", runner.run).respond()

    with pytest.raises(StepError) as caught:
        open_runner(graph.done()).run([])

    assert caught.value.step == "outer"
    assert caught.value.__cause__.step == "deep"
