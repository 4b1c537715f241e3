"""Values become the same bytes, type and status everywhere, or one clear error."""

import asyncio
import dataclasses
import datetime as dt
import json
import subprocess
import sys
from collections import namedtuple
from decimal import Decimal
from enum import Enum
from pathlib import PurePosixPath
from uuid import UUID

import numpy as np
import pandas as pd
import pydantic
import pytest

from jupyter_graph.answer.problem import problem, status_of
from jupyter_graph.answer.raw_response import RawResponse
from jupyter_graph.answer.response import (
    Response,
    collect,
    encode,
    is_stream,
    open_stream,
)
from jupyter_graph.errors import (
    AnswerError,
    BadRequestError,
    ClosedError,
    DeadlineError,
    NoSeatError,
    NotFoundError,
    OverloadError,
    StatusError,
    StepError,
)
from jupyter_graph.values.json_form import to_jsonable


class Colour(Enum):
    RED = "red"
    TWO = 2


@dataclasses.dataclass
class Point:
    x: int
    y: object


class Order(pydantic.BaseModel):
    id: int
    at: dt.date


Pair = namedtuple("Pair", "a b")
NAN = float("nan")

TABLE = [
    (None, None),
    (True, True),
    (10**40, 10**40),
    (1.5, 1.5),
    (NAN, None),
    (float("-inf"), None),
    ([1, (2, [None])], [1, [2, [None]]]),
    ({"a": {"b": NAN}}, {"a": {"b": None}}),
    ({1: "a", None: "b", 2.5: "c"}, {"1": "a", "null": "b", "2.5": "c"}),
    ({(1, "a"): 1, Colour.RED: 2, b"x": 3}, {'[1, "a"]': 1, "red": 2, "eA==": 3}),
    ({3, 1, 2}, [1, 2, 3]),
    pytest.param({"b", 1, None}, ["b", 1, None], id="mixed-set"),
    (frozenset({(2, 1), (1, 2)}), [[1, 2], [2, 1]]),
    (range(3), [0, 1, 2]),
    (Pair(1, 2), [1, 2]),
    ([b"abc", bytearray(b"x")], ["YWJj", "eA=="]),
    (dt.datetime(2026, 1, 2, tzinfo=dt.UTC), "2026-01-02T00:00:00+00:00"),
    ([dt.date(2026, 1, 2), dt.time(3, 4)], ["2026-01-02", "03:04:00"]),
    (dt.timedelta(days=-1, seconds=1.5), "-PT23H59M58.5S"),
    (Decimal("1.10"), "1.10"),
    (Decimal("Infinity"), None),
    (UUID(int=7), "00000000-0000-0000-0000-000000000007"),
    ([PurePosixPath("/a")], ["/a"]),
    ([Colour.RED, Colour.TWO], ["red", 2]),
    (Colour.TWO, 2),
    (Point(1, {2}), {"x": 1, "y": [2]}),
    (Order(id=1, at="2026-01-02"), {"id": 1, "at": "2026-01-02"}),
    (np.int64(7), 7),
    (np.float64(NAN), None),
    (np.bool_(False), False),
    (np.array([[1, 2], [3, 4]]), [[1, 2], [3, 4]]),
    (np.array([0.5, NAN]), [0.5, None]),
    (np.array(3), 3),
    (np.array([np.inf], dtype="float16"), [None]),
    (np.longdouble(0.5), 0.5),
    (np.array(["a", None], dtype=object), ["a", None]),
    (np.array([(1, "x")], dtype=[("a", "i4"), ("b", "U1")]), [{"a": 1, "b": "x"}]),
    (np.array(["2026-01-02", "NaT"], dtype="M8[D]"), ["2026-01-02", None]),
    (np.array([1_500], dtype="m8[ms]"), ["PT1.5S"]),
    (np.ma.array([1, 2], mask=[0, 1]), [1, None]),
    (pd.Series([1.0, None]), [1.0, None]),
    (pd.Series([1, None], dtype="Int64"), [1, None]),
    (pd.Series(pd.to_datetime(["2026-01-02T03:04"])), ["2026-01-02T03:04:00"]),
    (pd.DataFrame({"a": [1], 3: [pd.NaT]}), [{"a": 1, "3": None}]),
    (pd.DataFrame(index=[1, 2]), [{}, {}]),
    (pd.Timestamp("2026-01-02", tz="UTC"), "2026-01-02T00:00:00+00:00"),
    (pd.Timedelta("1D2ns"), "P1DT0.000000002S"),
    ([pd.NA, pd.NaT], [None, None]),
    (pd.Categorical(["a", None]), ["a", None]),
    (pd.MultiIndex.from_tuples([(1, "a")]), [[1, "a"]]),
    ({"f": pd.DataFrame({"a": [np.array([1])]})}, {"f": [{"a": [1]}]}),
]  # fmt: skip


@pytest.mark.parametrize(("value", "wanted"), TABLE, ids=lambda it: repr(it)[:20])
def test_a_value_becomes_its_json_value(value, wanted):
    wire = encode(value)

    assert (wire.status_code, wire.content_type) == (200, "application/json")
    assert json.loads(wire.payload) == wanted
    assert wire.decoded() == to_jsonable(value)


@pytest.mark.parametrize(
    ("value", "payload", "content_type"),
    [
        pytest.param("é", "é".encode(), "text/plain; charset=utf-8", id="text"),
        pytest.param(np.str_("x"), b"x", "text/plain; charset=utf-8", id="np-text"),
        pytest.param(Colour.RED, b"red", "text/plain; charset=utf-8", id="enum"),
        pytest.param(b"\xff", b"\xff", "application/octet-stream", id="bytes"),
        pytest.param(memoryview(b"x"), b"x", "application/octet-stream", id="view"),
        pytest.param({"é": 1}, '{"é": 1}'.encode(), "application/json", id="utf-8"),
        pytest.param(["\ud800"], b'["\\ud800"]', "application/json", id="surrogate"),
    ],
)
def test_text_and_bytes_go_as_they_are(value, payload, content_type):
    wire = encode(value)

    assert (wire.payload, wire.content_type) == (payload, content_type)


def nested(levels):
    value = 0
    for _ in range(levels):
        value = [value]
    return value


def loop():
    value = {}
    value["me"] = value
    return value


@pytest.mark.parametrize(
    ("value", "said"),
    [
        pytest.param(object(), "answer: object of type object", id="object"),
        pytest.param({"a": [1, object()]}, r"answer\['a'\]\[1\]: ", id="path"),
        pytest.param({10**30: object()}, r"answer\[a int\]: ", id="long-key"),
        pytest.param(pd.DataFrame({"a": [1j]}), r"answer\[0\]\['a'\]: ", id="frame"),
        pytest.param({1: "a", "1": "b"}, "two keys become the text '1'", id="keys"),
        pytest.param(pd.DataFrame([[1, 2]], columns=["a", "a"]), "two keys", id="cols"),
        pytest.param([10**5000], r"answer\[0\]: an integer of more", id="huge-int"),
        pytest.param(nested(100_000), "nested deeper than 200 levels", id="deep"),
        pytest.param(loop(), "or holds itself", id="loop"),
        pytest.param("a\ud800", "character 1 of the text", id="surrogate"),
        pytest.param({"g": iter([1])}, "cannot stream", id="iterator-inside"),
        pytest.param(lambda: 0, "object of type function", id="function"),
        pytest.param(Response("x", 99), "status_code must be 200 to 599", id="status"),
        pytest.param(Response("x", "200"), "must be a number", id="status-text"),
        pytest.param(
            Response("x", headers={"a": "b\r\nc: d"}), "one line of ASCII", id="header"
        ),
        pytest.param(
            Response("é", content_type="text/plain; charset=ascii"),
            "ascii",
            id="ascii",
        ),
    ],
)
def test_what_is_not_in_the_table_is_an_error_that_names_the_key(value, said):
    with pytest.raises(AnswerError, match=said):
        encode(value)


@pytest.mark.parametrize(
    "value", [nested(200), {(1,): nested(199)}], ids=["json", "any"]
)
def test_the_depth_limit_does_not_depend_on_the_stack(value):
    def at_depth(frames):
        return at_depth(frames - 1) if frames else encode(value).payload

    assert at_depth(0) == at_depth(700)


@pytest.mark.parametrize(
    ("response", "wire"),
    [
        pytest.param(
            Response({"a": 1}, 201, {"X": 1}),
            RawResponse(b'{"a": 1}', 201, "application/json", {"X": "1"}),
            id="json",
        ),
        pytest.param(
            Response(body="<b>", content_type="text/html", headers={}, status_code=200),
            RawResponse(b"<b>", 200, "text/html; charset=utf-8", {}),
            id="mlrun-keywords",
        ),
        pytest.param(
            Response("x", headers={"content-type": "a/b", "Content-Length": "9"}),
            RawResponse(b"x", 200, "a/b", {}),
            id="type-in-headers",
        ),
        pytest.param(
            Response("gone", 204),
            RawResponse(b"", 204, "text/plain; charset=utf-8"),
            id="204",
        ),
        pytest.param(Response(), RawResponse(b"", 200), id="nothing"),
        pytest.param(
            Response("é", content_type="text/html; charset=latin-1"),
            RawResponse(b"\xe9", 200, "text/html; charset=latin-1"),
            id="own-charset",
        ),
        pytest.param(
            Response(b"\xff", content_type="text/csv"),
            RawResponse(b"\xff", 200, "text/csv"),
            id="bytes-of-unknown-charset",
        ),
        pytest.param(
            Response("x", headers=[("Vary", "a"), ("X-N", 1), ("vary", "b")]),
            RawResponse(b"x", headers={"Vary": "a, b", "X-N": "1"}),
            id="several-of-a-name",
        ),
    ],
)
def test_a_response_goes_as_it_says(response, wire):
    assert encode(response) == wire


def test_each_cookie_is_a_header_of_its_own():
    pairs = [("Set-Cookie", f"a={n}") for n in range(9)]
    headers = encode(Response("x", headers=pairs)).headers

    assert list(headers.values()) == [f"a={n}" for n in range(9)]
    assert {name.lower() for name in headers} == {"set-cookie"}


@pytest.mark.parametrize("value", [None, ["a=1"], ("a", "b"), {"a": 1}, {"a"}, b"a"])
def test_a_header_is_a_text(value):
    with pytest.raises(
        AnswerError, match=r"answer.headers\['X'\]: must be a text, got"
    ):
        encode(Response("x", headers={"X": value}))


@pytest.mark.parametrize("headers", ["X: a", ["X"], [("X", 1, 2)], 7])
def test_headers_are_names_and_values(headers):
    with pytest.raises((AnswerError, TypeError)):
        encode(Response("x", headers=headers))


def test_nuclios_own_response_is_one_too():
    import nuclio_sdk

    wire = encode(nuclio_sdk.Response(body={"a": 1}, status_code=202))

    assert wire == RawResponse(b'{"a": 1}', 202, "application/json", {})


def chunks_of(value):
    async def read():
        opened = await open_stream(value)
        return opened.content_type, [chunk async for chunk in opened.chunks]

    return asyncio.run(read())


async def numbers():
    yield 1
    yield {"n": np.int64(2)}


@pytest.mark.parametrize(
    ("make", "content_type", "chunks"),
    [
        pytest.param(
            lambda: (it for it in "aé"),
            "text/plain; charset=utf-8",
            [b"a", "é".encode()],
            id="text",
        ),
        pytest.param(
            lambda: (it for it in [b"a", b"b"]),
            "application/octet-stream",
            [b"a", b"b"],
            id="bytes",
        ),
        pytest.param(
            numbers, "application/x-ndjson", [b"1\n", b'{"n": 2}\n'], id="async-objects"
        ),
        pytest.param(lambda: (it for it in ()), "application/x-ndjson", [], id="empty"),
        pytest.param(
            lambda: Response((it for it in "a"), content_type="text/csv"),
            "text/csv; charset=utf-8",
            [b"a"],
            id="in-a-response",
        ),
    ],
)
def test_a_generator_streams_and_is_collected_to_the_same_bytes(
    make, content_type, chunks
):
    collected = asyncio.run(collect(make()))

    assert is_stream(make())
    assert chunks_of(make()) == (content_type, chunks)
    assert (collected.content_type, collected.payload) == (
        content_type, b"".join(chunks),
    )  # fmt: skip


def test_an_item_that_changes_later_is_collected_as_it_was():
    def counted():
        item = {}
        for item["n"] in range(3):
            yield item

    expected = b'{"n": 0}\n{"n": 1}\n{"n": 2}\n'
    assert encode(counted()).payload == expected
    assert encode(Response(counted())).payload == expected


def test_a_generator_is_closed_when_an_item_has_no_form():
    ended = []

    def items():
        try:
            yield object()
            yield 1
        finally:
            ended.append(True)

    stream = items()
    with pytest.raises(AnswerError, match=r"answer\[0\]: object of type object"):
        encode(stream)

    assert ended == [True]


def test_a_stream_that_began_as_text_takes_no_objects():
    with pytest.raises(AnswerError, match=r"answer\[1\]: a stream that began as text"):
        chunks_of(it for it in ["a", {}])


def validation_error():
    try:
        Order(id="x", at="2026-01-02")
    except pydantic.ValidationError as error:
        return error


@pytest.mark.parametrize(
    ("error", "status"),
    [
        pytest.param(BadRequestError("no"), 400, id="bad-request"),
        pytest.param(StatusError("no", status_code=418), 418, id="own-status"),
        pytest.param(validation_error(), 422, id="pydantic"),
        pytest.param(DeadlineError("late"), 408, id="deadline"),
        pytest.param(OverloadError("full"), 429, id="overload"),
        pytest.param(NoSeatError(30), 429, id="no seat"),
        pytest.param(ClosedError("closed"), 503, id="closed"),
        pytest.param(AnswerError("no"), 500, id="answer"),
        pytest.param(ValueError("no"), 500, id="other"),
        pytest.param(StepError("a", "e", ValueError("no")), 500, id="step"),
        pytest.param(StepError("a", "e", NotFoundError("no")), 404, id="step-status"),
        pytest.param(StepError("a", "e", validation_error()), 422, id="step-pydantic"),
        pytest.param(
            StepError("a", "e", StepError("b", "e", DeadlineError("late"))),
            408,
            id="step-in-step",
        ),
    ],
)
def test_the_status_says_whose_fault_it_is(error, status):
    assert status_of(error) == status


def test_a_problem_names_step_event_and_cause_but_no_traceback():
    wire = problem(StepError("parse", "e1", ValueError("no")), event_id="e1")

    assert wire.content_type == "application/problem+json"
    assert json.loads(wire.payload) == {
        "title": "Internal Server Error",
        "status": 500,
        "detail": "ValueError: no",
        "step": "parse",
        "event_id": "e1",
    }


def test_a_failed_validation_names_the_field():
    document = json.loads(problem(validation_error(), event_id=None).payload)

    assert document["detail"].startswith("field 'id': Input should be a valid integer")


def test_mlrun_status_turns_failed_steps_into_400_and_nothing_else():
    statuses = [
        problem(error, event_id=None, mlrun_status=True).status_code
        for error in (
            StepError("a", "e", ValueError("no")),
            StepError("a", "e", NotFoundError("no")),
            DeadlineError("late"),
        )
    ]

    assert statuses == [400, 404, 408]


def test_too_many_requests_say_when_to_come_back():
    assert problem(OverloadError("full"), event_id=None).headers == {"Retry-After": "1"}


def test_encoding_plain_values_imports_no_numpy():
    program = (
        "import sys\n"
        "from jupyter_graph.answer.response import encode\n"
        "encode({'a': {1, 2}, 'b': b'x'})\n"
        "print([name for name in ('numpy', 'pandas', 'pydantic', 'uvicorn')"
        " if name in sys.modules])"
    )

    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    assert done.stdout.strip() == "[]"
