"""Ranges, lengths and patterns: which values pass."""

import re
import time
from datetime import UTC, date, datetime
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from jupyter_graph.errors import SpecError
from jupyter_graph.steps import LengthValidator, PatternValidator, RangeValidator
from jupyter_graph.steps.validators.regex_cost import can_explode
from jupyter_graph.steps.validators.violations import ViolationError

NAN = float("nan")
INF = float("inf")


def passes(step, body):
    try:
        return step.do(body) is body
    except ViolationError:
        return False


RANGES = [
    pytest.param({"min": 0, "max": 10}, [0, 10, 0.5, Decimal("3.5"), np.int64(3)],
                 [-1, 11, NAN, INF, True, "3", None, [], np.float64(10.5)],
                 id="number"),
    pytest.param({"min": 0}, [0, INF, 1e300], [-INF, -1e-9, NAN], id="min"),
    pytest.param({"max": 0}, [0, -INF], [INF, 1e-9], id="max"),
    pytest.param({"min": 0, "max": 1, "min_inclusive": False}, [0.1, 1], [0],
                 id="above"),
    pytest.param({"min": 0, "max": 1, "max_inclusive": False}, [0, 0.9], [1],
                 id="below"),
    pytest.param({"min": 0, "min_inclusive": False}, [1], [0], id="above-alone"),
    pytest.param({"max": 0, "max_inclusive": False}, [-1], [0], id="below-alone"),
    pytest.param({"type": "int"}, [3, -3, 3.0, np.int8(3)], [3.5, True, "3", INF, NAN],
                 id="int"),
    pytest.param({"type": "int", "min": 1, "max": 5}, [1, 5.0], [0, 5.5, 6],
                 id="int-range"),
    pytest.param({"type": "int", "min": 0.5}, [1], [0], id="int-above-a-half"),
    pytest.param({"type": "number"}, [1, 1.5, INF], [NAN, True, "1"], id="any-number"),
    pytest.param({"min": "b", "max": "d"}, ["b", "cc", "d"], ["a", "dd", 3], id="text"),
    pytest.param({"min": "2024-01-01", "type": "datetime"},
                 ["2024-01-01T00:00:00Z", datetime(2024, 5, 1), date(2024, 1, 1),
                  datetime(2024, 5, 1, tzinfo=UTC), pd.Timestamp("2024-02-01")],
                 ["2023-12-31T23:59:59Z", "2024-01-01T00:30:00+02:00", "yesterday", 5],
                 id="time"),
    pytest.param({"max": date(2024, 1, 1)}, ["2024-01-01"], ["2024-01-02"], id="date"),
]  # fmt: skip


@pytest.mark.parametrize(("args", "good", "bad"), RANGES)
def test_values_in_a_range_pass_and_others_do_not(args, good, bad):
    step = RangeValidator("x", **args)

    assert [v for v in good if not passes(step, {"x": v})] == []
    assert [v for v in bad if passes(step, {"x": v})] == []


@pytest.mark.parametrize(("args", "good", "bad"), RANGES)
def test_a_table_is_judged_as_its_single_values(args, good, bad):
    step = RangeValidator("x", on_violation="tag", **args)
    frame = pd.DataFrame({"x": pd.Series([*good, *bad], dtype=object)})
    found = step.do(frame)["violations"]

    assert [not one for one in found] == [True] * len(good) + [False] * len(bad)


@pytest.mark.parametrize(
    ("values", "args", "good"),
    [
        pytest.param([1, 5, 9], {"min": 2, "max": 8}, [0, 1, 0], id="int64"),
        pytest.param([1.0, NAN, INF], {"min": 0, "max": 8}, [1, 0, 0], id="float64"),
        pytest.param(pd.array([1, None, 9], "Int64"), {"max": 8}, [1, 0, 0],
                     id="Int64"),
        pytest.param([1.0, 2.5, NAN], {"type": "int"}, [1, 0, 0], id="whole-floats"),
        pytest.param([INF, 2.0, 3.0], {"type": "int"}, [0, 1, 1], id="infinite-int"),
        pytest.param([True, False, True], {"min": 0}, [0, 0, 0], id="bool"),
        pytest.param([2**62 + 1, 2**62, 0], {"max": 2**62}, [0, 1, 1], id="large-ints"),
        pytest.param(["a", "b", "c"], {"min": "b"}, [0, 1, 1], id="texts"),
        pytest.param(pd.to_datetime(["2023-12-31", "2024-01-01", None]),
                     {"min": "2024-01-01", "type": "datetime"}, [0, 1, 0], id="times"),
        pytest.param(pd.to_datetime(["2023-12-31", "2024-01-01", None], utc=True),
                     {"min": "2024-01-01", "type": "datetime"}, [0, 1, 0], id="utc"),
    ],
)  # fmt: skip
def test_columns_of_every_type_are_judged(values, args, good):
    found = RangeValidator("x", on_violation="tag", **args).do(
        pd.DataFrame({"x": values})
    )

    assert [not one for one in found["violations"]] == [bool(one) for one in good]


@pytest.mark.parametrize(
    "values", [[1.0, NAN], pd.array([1, None], "Int64"), ["a", None]]
)
def test_empty_cells_pass_where_none_is_allowed(values):
    limits = {"type": "str"} if isinstance(values[0], str) else {"min": 0}
    frame = pd.DataFrame({"x": values})

    assert RangeValidator("x", allow_none=True, **limits).do(frame) is frame


@pytest.mark.parametrize(
    ("args", "text"),
    [
        ({"min": 0, "max": 9}, "must be from 0 to 9"),
        ({"min": 0}, "must be 0 or more"),
        ({"max": 9}, "must be 9 or less"),
        ({"min": 0, "min_inclusive": False}, "must be above 0"),
        ({"max": 9, "max_inclusive": False}, "must be below 9"),
        ({"min": 0, "max": 9, "min_inclusive": False}, "must be above 0 and 9 or less"),
        ({"min": 0, "max": 9, "max_inclusive": False}, "must be 0 or more and below 9"),
        ({"type": "int"}, "must be a whole number"),
        ({"type": "int", "min": 0}, "must be a whole number, 0 or more"),
    ],
)
def test_the_rule_is_said_in_words(args, text):
    with pytest.raises(ViolationError, match=f"^field 'x' is None, {text}$"):
        RangeValidator("x", **args).do({"x": None})


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ({}, "a range needs min, max or type"),
        ({"min": 2, "max": 1}, "min must not be above max, got 2 and 1"),
        ({"min": NAN}, "min must be a number, got nan"),
        ({"min": True}, "min must be a number, got True"),
        ({"min": 1, "max": "b"}, "max must be a number, got 'b'"),
        ({"min": "b", "type": "int"}, "min must be a whole number, got 'b'"),
        ({"min": "soon", "type": "datetime"}, "min must be a time, such as"),
        ({"min": 1, "type": "float"}, "type must be one of int, number, str, datetime"),
    ],
)
def test_wrong_limits_are_refused(args, message):
    with pytest.raises(SpecError, match=message):
        RangeValidator("x", **args)


# -- paths, missing and None ----------------------------------------------------

CART = {"user": {"address": {"zip": 12345}}, "items": [{"n": 1}, {"n": 0}, {}]}


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("user.address.zip", []),
        ("user.address.city", ["user.address.city"]),
        ("user.name.first", ["user.name.first"]),
        ("items.0.n", []),
        ("items.1.n", ["items.1.n"]),
        ("items.9.n", ["items.9.n"]),
        ("items.*.n", ["items.1.n", "items.2.n"]),
        ("user.*.zip", []),
        ("user.address.*.x", ["user.address.zip.x"]),
        ("nothing.*.n", ["nothing.*.n"]),
    ],
)
def test_paths_lead_into_bodies(path, fields):
    step = RangeValidator(path, min=1, on_violation="tag")
    found = step.do(CART).get("violations", [])

    assert [one["field"] for one in found] == fields


def test_paths_lead_into_the_objects_of_a_table():
    frame = pd.DataFrame({"items": [CART["items"], []], "user": [CART["user"], None]})
    step = RangeValidator(["items.*.n", "user.address.zip"], min=1, on_violation="tag")
    found = step.do(frame)["violations"]

    assert [[one["field"] for one in row] for row in found] == [
        ["items.1.n", "items.2.n"],
        ["user.address.zip"],
    ]


def test_a_column_with_dots_in_its_name_is_found():
    frame = pd.DataFrame({"user.age": [17, 18]})
    found = RangeValidator("user.age", min=18, on_violation="drop").do(frame)

    assert found["user.age"].tolist() == [18]


@pytest.mark.parametrize("body", [{}, pd.DataFrame({"y": [1]})])
def test_a_missing_field_is_a_violation_unless_it_is_optional(body):
    text = "^field 'x' is missing, must be 0 or more$"

    with pytest.raises(ViolationError, match=text):
        RangeValidator("x", min=0).do(body)
    assert RangeValidator("x", min=0, required=False).do(body) is body


@pytest.mark.parametrize("value", [None, NAN, np.nan, pd.NA, pd.NaT])
def test_none_and_its_like_pass_only_when_allowed(value):
    body = {"x": value}

    assert not passes(RangeValidator("x", min=0), body)
    assert passes(RangeValidator("x", min=0, allow_none=True), body)


def test_the_body_itself_may_be_the_value(run_step):
    answers = run_step("RangeValidator", [5, [1, 20, 3], -1], fields="", min=0, max=9,
                       on_violation="drop")  # fmt: skip

    assert answers == [5, [1, 3], None]


# -- lengths --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("args", "good", "bad"),
    [
        ({"min": 1, "max": 3}, ["a", "äöü", [1], {"k": 1}, b"abc", (1, 2)],
         ["", "abcd", [], 3, None]),
        ({"min": 2}, ["ab" * 999], ["a"]),
        ({"max": 0}, ["", []], ["a"]),
    ],
)  # fmt: skip
def test_lengths_have_limits(args, good, bad):
    step = LengthValidator("x", **args)

    assert [v for v in good if not passes(step, {"x": v})] == []
    assert [v for v in bad if passes(step, {"x": v})] == []


def test_a_length_is_told_in_words():
    text = "^field 'name' is '', must have a length of 1 or more$"

    with pytest.raises(ViolationError, match=text):
        LengthValidator("name", min=1).do({"name": ""})


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ({}, "a length needs min or max"),
        ({"min": -1}, "min must be a whole number, 0 or more, got -1"),
        ({"max": 1.5}, "max must be a whole number, 0 or more, got 1.5"),
        ({"min": 3, "max": 2}, "min must not be above max"),
    ],
)
def test_wrong_lengths_are_refused(args, message):
    with pytest.raises(SpecError, match=message):
        LengthValidator("x", **args)


# -- patterns -------------------------------------------------------------------


def test_a_pattern_matches_the_whole_text():
    step = PatternValidator({"zip": r"\d{5}", "iban": {"pattern": "(?i)de[0-9]{20}"}})

    assert passes(step, {"zip": "12345", "iban": "De" + "1" * 20})
    assert not passes(step, {"zip": "123456", "iban": "DE" + "1" * 20})
    assert not passes(step, {"zip": 12345, "iban": "DE" + "1" * 20})
    assert not passes(step, {"zip": "12345\n", "iban": "DE" + "1" * 20})


def test_patterns_work_on_columns():
    frame = pd.DataFrame({"zip": ["12345", "x", None]})
    step = PatternValidator("zip", pattern=r"\d{5}", on_violation="drop")

    assert step.do(frame)["zip"].tolist() == ["12345"]


def test_a_text_that_is_too_long_is_not_matched():
    step = PatternValidator("x", pattern="a*", max_length=10)

    assert passes(step, {"x": "a" * 10})
    with pytest.raises(ViolationError, match="and have 10 characters at most"):
        step.do({"x": "a" * 11})


EXPLODING = [
    "(a+)+", "(a*)*b", "(a|a)*b", "(a|aa)+", r"(\w+\s?)*", "(.*)*x", "(a?){25}a{25}",
    "(x+x+)+y", r"^(([a-z])+.)+[A-Z]([a-z])+$", "(?=(a+)+b).*", r"(\d{1,20})+x",
    "(a|ab|b)*c", "((a)?b?)*ab*!",
]  # fmt: skip
HARMLESS = [
    r"\d{5}", r"[A-Z]\d{7}", r"([a-z0-9-]+\.)+[a-z]{2,}", r"[^@\s]+@[^@\s]+\.[a-z]+",
    r"(\w+,)*\w+", "(foo|bar)*", r"(\d{1,3}\.){3}\d{1,3}", "(a++)+", "(?>a+)*b",
    "[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}", r"(\d|[a-f])*", "(ab|ac)*",
    r"https?://[\w.-]+(/[\w./-]*)?", "(?:[A-Za-z0-9+/]{4})*", "([0-9a-f]{32})+",
    r"\+?\d{1,3}[ -]?(\d{2,4}[ -]?){2,4}\d{2,4}", r"(?P<a>[^,]*)(?:,(?P=a))?",
]  # fmt: skip


@pytest.mark.parametrize("pattern", EXPLODING)
def test_a_pattern_of_exponential_time_is_refused(pattern):
    assert can_explode(pattern)
    with pytest.raises(SpecError, match="can take exponential time"):
        PatternValidator("x", pattern=pattern)


@pytest.mark.parametrize("pattern", HARMLESS)
def test_a_harmless_pattern_is_taken(pattern):
    assert not can_explode(pattern)
    PatternValidator("x", pattern=pattern)


def test_any_pattern_is_taken_with_a_time_limit():
    pytest.importorskip("regex")
    step = PatternValidator("x", pattern="(a|aa)+b", timeout_s=0.05)
    started = time.monotonic()

    assert passes(step, {"x": "aaab"})
    assert not passes(step, {"x": "a" * 200})
    assert time.monotonic() - started < 5


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ({}, "pattern must be a regular expression, got None"),
        ({"pattern": "(a"}, re.escape("pattern '(a' is no regular expression")),
        ({"pattern": "a", "max_length": 0}, "max_length must be a whole number, 1 or"),
        ({"pattern": "a", "timeout_s": 0}, "timeout_s must be above 0 seconds, got 0"),
        (
            {"pattern": "a", "timeout_s": "1"},
            "timeout_s must be above 0 seconds, got '1'",
        ),
    ],
)
def test_a_wrong_pattern_is_refused(args, message):
    with pytest.raises(SpecError, match=message):
        PatternValidator("x", **args)
