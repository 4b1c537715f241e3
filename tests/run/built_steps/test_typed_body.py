"""A step gets what the annotation of its body says, or the caller a 422."""

from __future__ import annotations

import datetime as dt
import sys
from dataclasses import dataclass
from typing import TypedDict

import pytest
from pydantic import BaseModel, Field

from jupyter_graph import Graph, MockServer, Runner
from jupyter_graph.errors import SpecError
from jupyter_graph.host.pages import openapi


class Order(BaseModel):
    n: int = Field(gt=0)
    at: dt.date | None = None


@dataclass
class Place:
    street: str
    number: int


class Row(TypedDict):
    day: dt.date


def model(body: Order):
    return [type(body).__name__, body.n, body.at]


def data(body: Place) -> int:
    return body.number + 1


def typed_dict(body: Row):
    return {**body, "year": body["day"].year}


def many(body: list[Order]):
    return [one.n for one in body]


def maybe(body: Order | None):
    return body and body.n


async def later(body: Order):
    return body.n


def stream(body: Order):
    yield body.n
    yield body.n


class Priced:
    def do(self, body: Order):
        return body.n * 2


def plain(body: dict):
    return type(body).__name__


def unknown(body: Nobody):  # noqa: F821
    return body


def with_context(body: Order, context):
    return [body.n, context.name]


def ends(body):
    return body


def graph_of(code, **options):
    graph = Graph("g")
    name = "class_name" if isinstance(code, type) else "handler"
    graph.add_step(name="step", **{name: code}, **options).respond()
    return graph


@pytest.mark.parametrize(
    ("code", "body", "answer"),
    [
        (model, {"n": 2, "at": "2026-01-02"}, ["Order", 2, dt.date(2026, 1, 2)]),
        (model, Order(n=3), ["Order", 3, None]),
        (data, {"street": "a", "number": "7"}, 8),
        (typed_dict, {"day": "2026-01-02", "k": 1},
         {"day": dt.date(2026, 1, 2), "k": 1, "year": 2026}),
        (many, [{"n": 1}, {"n": 2}], [1, 2]),
        (maybe, None, None),
        (maybe, {"n": 4}, 4),
        (later, {"n": 5}, 5),
        (Priced, {"n": 6}, 12),
        (plain, {"n": 7}, "dict"),
        (unknown, {"n": 8}, {"n": 8}),
        (with_context, {"n": 9}, [9, "step"]),
    ],
)  # fmt: skip
def test_the_body_is_what_the_annotation_says(code, body, answer):
    with Runner(graph_of(code)) as runner:
        assert runner.run(body) == answer


def test_the_items_of_a_typed_stream():
    with Runner(graph_of(stream)) as runner:
        assert list(runner.run({"n": 1})) == [1, 1]


@pytest.mark.parametrize(
    ("code", "body", "said"),
    [
        (model, {"n": -2}, "field 'n': Input should be greater than 0"),
        (model, {}, "field 'n': Field required"),
        (model, [1], "valid dictionary or instance of Order"),
        (data, {"street": "a"}, "number"),
        (typed_dict, {"day": "no"}, "day"),
        (many, [{"n": 1}, {"n": "x"}], "1.n"),
        (later, {"n": 0}, "field 'n': "),
        (Priced, {"n": 0}, "field 'n': "),
    ],
)
def test_a_wrong_field_is_the_callers_fault(code, body, said):
    with Runner(graph_of(code)) as runner:
        answer = runner.answer(body, silent=True)

    assert answer.status_code == 422
    assert said in answer.body["detail"]
    assert answer.body["step"] == "step"


def test_a_handler_of_errors_gets_the_body_as_it_came():
    def mend(body):
        return {"got": body}

    graph = Graph("g")
    graph.to(name="step", handler=model).error_handler(
        name="mend", handler=mend, before="end"
    )
    graph.add_step(name="end", handler=ends, after="step").respond()
    with Runner(graph) as runner:
        assert runner.run({"n": 0}) == {"got": {"n": 0}}


def test_steps_of_whole_batches_get_what_comes():
    def both(body: list[Order]):
        return [type(one).__name__ for one in body]

    with Runner(graph_of(both, batch=2)) as runner:
        assert runner.run({"n": 1}) == "dict"


@pytest.mark.parametrize(
    ("code", "field"),
    [(model, "n"), (data, "street"), (typed_dict, "day")],
)
def test_the_schema_is_in_the_description(code, field):
    with Runner(graph_of(code)) as runner:
        document = openapi(runner, "g")
    schema = document["paths"]["/"]["post"]["requestBody"]["content"]

    assert field in schema["application/json"]["schema"]["properties"]


def test_the_mock_server_answers_the_same():
    server = MockServer(graph_of(model))

    assert server.test(body={"n": 0}, silent=True).status_code == 422
    server.close()


def test_without_pydantic_the_line_that_installs_it_is_said(monkeypatch):
    monkeypatch.setitem(sys.modules, "pydantic", None)

    with pytest.raises(
        SpecError, match=r"'Place'.*pip install 'jupyter_graph\[validate"
    ):
        Runner(graph_of(data)).open()
