"""What validators do with violations: through real graphs, in every mode."""

import copy
import logging
from concurrent.futures import ThreadPoolExecutor

import pandas as pd
import pytest

from jupyter_graph import Graph, StepError
from jupyter_graph.errors import SpecError, UnprocessableError
from jupyter_graph.steps import RangeValidator
from jupyter_graph.steps.validators.violations import MISSING, Violation, ViolationError

GOOD = {"id": "o-1", "amount": 25.0, "user": {"age": 34}}
BAD = {"id": "o-2", "amount": -5, "user": {"age": 12}}
FIELDS = {"amount": [0, 10_000], "user.age": {"min": 18}}
ORDERS = [GOOD, BAD, {"id": "o-3", "amount": 7, "user": {"age": 80}}]
SAID = [
    "field 'amount' is -5, must be from 0 to 10000",
    "field 'user.age' is 12, must be 18 or more",
]


def seen_by(name):
    def mark(body):
        return {"by": name, "body": body}

    mark.__name__ = f"by_{name}"
    return mark


def orders_graph(engine="async", *, last=False, **args):
    graph = Graph("orders", engine=engine)
    step = graph.to("RangeValidator", name="check", fields=FIELDS, **args)
    if not last:
        step.to(name="book", handler=seen_by("book"))
        graph.change_step("book", responder=True)
    else:
        graph.change_step("check", responder=True)
    return graph


@pytest.mark.parametrize("engine", ["async", "sync"])
@pytest.mark.parametrize("last", [True, False])
def test_a_valid_body_passes_as_it_is_in_every_mode(run_graph, engine, last):
    for mode in ("reject", "tag", "count", "drop"):
        graph = orders_graph(engine, last=last, on_violation=mode)
        answer = GOOD if last else {"by": "book", "body": GOOD}
        assert run_graph(graph, [copy.deepcopy(GOOD)]) == [answer]


@pytest.mark.parametrize("last", [True, False])
def test_all_violations_are_told_at_once_with_a_422(ask, last):
    answer = ask(orders_graph(last=last), BAD)

    assert answer.status_code == 422
    assert answer.body["detail"] == "2 violations: " + "; ".join(SAID)
    assert isinstance(answer.error.__cause__, UnprocessableError)


@pytest.mark.parametrize("engine", ["async", "sync"])
@pytest.mark.parametrize("last", [True, False])
def test_a_tagged_body_tells_its_violations(run_graph, engine, last):
    body = copy.deepcopy(BAD)
    [found] = run_graph(orders_graph(engine, last=last, on_violation="tag"), [body])
    found = found if last else found["body"]

    assert [one["message"] for one in found.pop("violations")] == SAID
    assert found == BAD == body


def test_a_tag_says_field_value_rule_and_severity(run_step):
    [found] = run_step(
        "RangeValidator",
        [BAD],
        fields={"amount": [0, 1]},
        on_violation="tag",
        tag="problems",
    )

    assert found["problems"] == [
        {
            "field": "amount",
            "value": -5,
            "rule": "must be from 0 to 1",
            "severity": "error",
            "message": "field 'amount' is -5, must be from 0 to 1",
        }
    ]


def test_two_validators_tag_into_one_list(run_graph):
    graph = Graph("two")
    first = graph.to(
        "RangeValidator", name="a", fields={"amount": [0, 9]}, on_violation="tag"
    )
    first.to(
        "LengthValidator", name="b", fields={"id": [5, 9]}, on_violation="tag"
    ).respond()
    [found] = run_graph(graph, [BAD])

    assert [one["field"] for one in found["violations"]] == ["amount", "id"]


@pytest.mark.parametrize("engine", ["async", "sync"])
@pytest.mark.parametrize("last", [True, False])
def test_a_dropped_body_is_answered_with_nothing(run_graph, engine, last):
    graph = orders_graph(engine, last=last, on_violation="drop")

    assert run_graph(graph, [copy.deepcopy(BAD)]) == [None]


def test_a_counted_body_passes_and_is_logged_once(run_graph, caplog):
    with caplog.at_level(logging.WARNING):
        found = run_graph(orders_graph(on_violation="count", last=True), [BAD] * 3)

    assert found == [BAD] * 3
    assert [r.getMessage() for r in caplog.records] == [
        f"step 'check': {text} (said once; see counts)" for text in SAID
    ]


def test_counts_can_be_read():
    step = RangeValidator(FIELDS, on_violation="count")
    for body in (BAD, GOOD, {"amount": 1, "user": {}}):
        step.do(body)

    assert step.counts == {
        "bodies": 2,
        "violations": 3,
        "fields": {"amount": 1, "user.age": 2},
    }


def test_counts_are_right_from_many_threads():
    step = RangeValidator(FIELDS, on_violation="count")
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: [step.do(BAD) for _ in range(500)], range(8)))

    assert step.counts["bodies"] == 4000
    assert step.counts["violations"] == 8000


# -- route ----------------------------------------------------------------------


def routed_graph(engine="async", *, step=None, **args):
    graph = Graph("routed", engine=engine)
    check = graph.to(
        "RangeValidator",
        name="check",
        fields=FIELDS,
        on_violation="route",
        to="quarantine",
        valid_to="book",
        **args,
    )
    if step:
        graph.change_step("check", **step)
    check.to(name="book", handler=seen_by("book"))
    check.to(name="quarantine", handler=seen_by("quarantine"))
    graph.add_step(name="end", handler=lambda body: body, after=["book", "quarantine"])
    graph.change_step("end", responder=True)
    return graph


@pytest.mark.parametrize("engine", ["async", "sync"])
@pytest.mark.parametrize(
    "step",
    [
        pytest.param({}, id="plain"),
        pytest.param({"timeout_s": 5.0}, id="with-a-limit"),
        pytest.param({"blocking": True}, id="in-a-thread"),
    ],
)
def test_a_body_is_routed_by_its_violations(run_graph, engine, step):
    found = run_graph(routed_graph(engine, step=step), [GOOD, BAD, GOOD, BAD])

    assert [one["by"] for one in found] == ["book", "quarantine"] * 2
    assert found[1]["body"] == BAD


def test_a_routed_body_is_tagged_when_asked(run_graph):
    [found] = run_graph(routed_graph(tag="why"), [BAD])

    assert [one["field"] for one in found["body"]["why"]] == ["amount", "user.age"]


def test_routes_go_by_the_part_that_was_judged(run_graph):
    graph = routed_graph(step={"input_path": "order", "result_path": "order"})
    found = run_graph(graph, [{"order": GOOD}, {"order": BAD}])

    assert [one["by"] for one in found] == ["book", "quarantine"]


def test_one_place_may_have_several_names(run_graph):
    graph = Graph("several")
    check = graph.to(
        "RangeValidator",
        name="check",
        fields="n",
        min=0,
        on_violation="route",
        to="bad",
        valid_to=["a", "b"],
    )
    names = []
    for name in ("a", "b", "bad"):
        check.to(name=name, handler=lambda body, name=name: names.append(name))
    run_graph(graph, [{"n": 1}, {"n": -1}])

    assert sorted(names[:2]) == ["a", "b"]
    assert names[2:] == ["bad"]


def test_events_of_many_threads_are_routed_by_their_own_violations(open_runner):
    runner = open_runner(routed_graph("sync"))
    bodies = [GOOD, BAD] * 200
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(runner.run, bodies))

    assert [one["by"] for one in found] == ["book", "quarantine"] * 200


def test_an_outlet_that_is_no_follower_is_named(run_graph):
    graph = Graph("g")
    check = graph.to(
        "RangeValidator",
        name="check",
        fields="n",
        min=0,
        on_violation="route",
        to="ghost",
        valid_to="book",
    )
    check.to(name="book", handler=seen_by("book")).respond()

    with pytest.raises(StepError, match="Invalid outlet 'ghost' for 'check'"):
        run_graph(graph, [{"n": -1}])


# -- lists and tables -----------------------------------------------------------


def test_a_list_is_refused_with_the_places_in_it(ask):
    answer = ask(orders_graph(), ORDERS)

    assert answer.status_code == 422
    assert answer.body["detail"].startswith(f"2 violations: item 1: {SAID[0]}; item 1:")


def test_bad_items_of_a_list_are_dropped(run_graph):
    graph = orders_graph(last=True, on_violation="drop")

    assert run_graph(graph, [ORDERS, [BAD, BAD], []]) == [
        [ORDERS[0], ORDERS[2]],
        None,
        [],
    ]


def test_bad_items_of_a_list_are_tagged(run_graph):
    graph = orders_graph(last=True, on_violation="tag")
    [found] = run_graph(graph, [ORDERS])

    assert ["violations" in one for one in found] == [False, True, False]
    assert "violations" not in ORDERS[1]


@pytest.mark.parametrize("body", [7, "text", None])
def test_a_body_without_fields_is_one_violation(ask, body):
    graph = orders_graph()
    detail = ask(graph, body).body["detail"]

    assert detail == f"the body is {body!r}, must be an object"


def table():
    rows = [{"amount": one["amount"], "user": one["user"]} for one in ORDERS]
    return pd.DataFrame(rows, index=["o-1", "o-2", "o-3"])


def test_a_table_is_refused_with_its_rows():
    with pytest.raises(ViolationError) as refused:
        RangeValidator(FIELDS).do(table())

    assert str(refused.value) == (
        "2 violations: row 'o-2': field 'amount' is -5.0, must be from 0 to 10000; "
        f"row 'o-2': {SAID[1]}"
    )


def test_bad_rows_of_a_table_are_dropped(run_graph):
    frame = table()
    [found] = run_graph(orders_graph(last=True, on_violation="drop"), [frame])

    assert found.index.tolist() == ["o-1", "o-3"]
    assert len(frame) == 3


def test_bad_rows_of_a_table_are_tagged():
    frame = table()
    found = RangeValidator(FIELDS, on_violation="tag").do(frame)

    assert [len(one) for one in found["violations"]] == [0, 2, 0]
    assert "violations" not in frame


def test_rows_of_equal_labels_are_told_apart():
    frame = pd.DataFrame({"n": [1, -1, 2]}, index=[7, 7, 7])
    found = RangeValidator("n", min=0, on_violation="drop").do(frame)

    assert found["n"].tolist() == [1, 2]


def test_a_long_list_of_violations_is_cut():
    with pytest.raises(ViolationError, match=r"and 980 more$") as refused:
        RangeValidator("n", min=0).do([{"n": -1}] * 1000)

    assert len(refused.value.violations) == 1000


# -- severity, messages, arguments ----------------------------------------------


@pytest.mark.parametrize(
    ("act_on", "kept"),
    [("info", ["a", "b", "c"]), ("warning", ["b", "c"]), ("error", ["c"])],
)
def test_violations_below_a_severity_are_only_counted(act_on, kept):
    fields = {
        "a": {"min": 0, "severity": "info"},
        "b": {"min": 0, "severity": "warning"},
        "c": {"min": 0},
    }
    step = RangeValidator(fields, on_violation="tag", act_on=act_on)
    found = step.do({"a": -1, "b": -1, "c": -1})

    assert [one["field"] for one in found["violations"]] == kept
    assert step.counts["violations"] == 3


def test_a_body_with_notes_alone_passes(run_graph, caplog):
    graph = routed_graph()
    graph.change_step(
        "check",
        class_args={
            "fields": "n",
            "min": 0,
            "severity": "info",
            "on_violation": "route",
            "to": "quarantine",
            "valid_to": "book",
        },
    )
    with caplog.at_level(logging.INFO):
        [found] = run_graph(graph, [{"n": -1}])

    assert found["by"] == "book"
    assert [r.levelname for r in caplog.records if "said once" in r.message] == ["INFO"]


def test_a_message_of_ones_own_is_said():
    step = RangeValidator("n", min=0, message="{field} may not be {value}: {rule}")

    with pytest.raises(ViolationError, match=r"^n may not be -1: must be 0 or more$"):
        step.do({"n": -1})


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ({"on_violation": "rejct"}, "did you mean 'reject'"),
        ({"on_violation": None}, "on_violation must be one of reject, route"),
        ({"act_on": "fatal"}, "act_on must be one of info, warning, error"),
        ({"severity": "fatal"}, "severity must be one of"),
        ({"on_violation": "route"}, "needs to, the follower of bodies with violations"),
        ({"on_violation": "route", "to": "a"}, "needs valid_to, the follower of valid"),
        ({"to": "a"}, "to='a' goes with on_violation='route', not 'reject'"),
        ({"tag": "a"}, "tag='a' goes with 'tag' or 'route'"),
        ({"tag": 3, "on_violation": "tag"}, "tag must be the name of a field, got 3"),
        ({"fields": []}, "fields must be a path"),
        ({"fields": 3}, "fields must be a path"),
        ({"fields": {"a": {"mn": 1}}}, "no option 'mn'; did you mean 'min'"),
        ({"fields": {"a": 3}}, "field 'a': 3 is no options"),
        ({"fields": "a..b"}, "field 'a..b' has an empty part"),
        ({"required": "yes"}, "required must be true or false"),
        ({"message": 3}, "message must be a text"),
    ],
)
def test_a_wrong_argument_is_refused_before_the_first_event(open_runner, args, message):
    graph = Graph("wrong")
    graph.to("RangeValidator", name="check", **{"fields": "n", "min": 0, **args})

    with pytest.raises(SpecError, match=message) as refused:
        open_runner(graph)
    assert "'check'" in str(refused.value)


def test_an_error_can_be_made_again_from_its_parts():
    error = ViolationError([Violation("n", MISSING, "must be 0 or more")])
    twin = copy.copy(error)

    assert str(twin) == str(error) == "field 'n' is missing, must be 0 or more"
    assert twin.violations[0].value is MISSING
