"""SchemaValidator: pydantic, JSON Schema and pandera."""

import sys
from dataclasses import dataclass

import pandas as pd
import pytest
from pydantic import BaseModel, Field
from typing_extensions import TypedDict

from jupyter_graph import Graph
from jupyter_graph.errors import SpecError
from jupyter_graph.steps import SchemaValidator
from jupyter_graph.steps.validators.violations import ViolationError


class Line(BaseModel):
    sku: str
    count: int = Field(gt=0)


class Order(BaseModel):
    id: str
    amount: float = Field(ge=0)
    lines: list[Line] = []
    currency: str = "EUR"


GOOD = {"id": "o-1", "amount": "12.5", "lines": [{"sku": "a", "count": "2"}]}
BAD = {"amount": -5, "lines": [{"sku": "a", "count": 0}]}

JSON = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "required": ["id", "amount"],
    "additionalProperties": False,
    "properties": {
        "id": {"type": "string", "pattern": "^o-"},
        "amount": {"$ref": "#/$defs/money"},
        "mail": {"type": "string", "format": "email"},
        "at": {"type": "string", "format": "date-time"},
        "lines": {"type": "array", "items": {"required": ["sku"]}},
    },
    "$defs": {"money": {"type": "number", "minimum": 0}},
}


def problems(schema, body, **args):
    found = SchemaValidator(schema, on_violation="tag", **args).do(body)
    return [one["message"] for one in found.get("violations", [])]


def test_a_model_tells_all_its_violations_at_once(ask):
    graph = Graph("orders")
    graph.to("SchemaValidator", name="check", schema=Order).respond()
    answer = ask(graph, BAD)

    assert answer.status_code == 422
    assert answer.body["detail"] == (
        "3 violations: field 'id' is missing, field required; "
        "field 'amount' is -5, input should be greater than or equal to 0; "
        "field 'lines.0.count' is 0, input should be greater than 0"
    )


def test_a_body_passes_unchanged_or_converted(run_step):
    assert run_step("SchemaValidator", [GOOD], schema=Order) == [GOOD]
    assert run_step("SchemaValidator", [GOOD], schema=Order, convert=True) == [
        {
            "id": "o-1",
            "amount": 12.5,
            "lines": [{"sku": "a", "count": 2}],
            "currency": "EUR",
        }
    ]


def test_strict_takes_no_texts_for_numbers():
    assert problems(Order, GOOD) == []
    assert "valid number" in problems(Order, GOOD, strict=True)[0]


class Point(TypedDict):
    x: int


@dataclass
class Spot:
    x: int


@pytest.mark.parametrize("schema", [Point, Spot])
def test_typed_dicts_and_dataclasses_are_schemas(schema):
    step = SchemaValidator(schema, convert=True, on_violation="tag")

    assert step.do({"x": "1"}) == {"x": 1}
    assert [one["field"] for one in step.do({})["violations"]] == ["x"]


def test_each_item_and_each_row_must_fit():
    step = SchemaValidator(Line, on_violation="drop", convert=True)
    rows = [{"sku": "a", "count": "2"}, {"sku": "b", "count": 0}]
    frame = pd.DataFrame(rows, index=["r1", "r2"])

    assert step.do(rows[:1]) == [{"sku": "a", "count": 2}]
    assert step.do(rows) == rows[:1]
    assert step.do(frame).index.tolist() == ["r1"]
    assert step.do(frame[:1])["count"].tolist() == [2]
    with pytest.raises(ViolationError, match=r"^row 'r2': field 'count' is 0, input"):
        SchemaValidator(Line).do(frame)


@pytest.mark.parametrize("body", [None, 5, "text"])
def test_what_is_no_object_fits_no_model(body):
    with pytest.raises(ViolationError, match=f"^the body is {body!r}, input should be"):
        SchemaValidator(Order).do(body)


# -- JSON Schema ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"id": "o-1", "amount": 0}, []),
        ({"id": "x", "amount": 1}, ["field 'id' is 'x', must obey pattern '^o-'"]),
        ({"amount": 1}, ["field 'id' is missing, must be there"]),
        ({"id": "o-1", "amount": -1}, ["field 'amount' is -1, must obey minimum 0"]),
        ({"id": "o-1", "amount": True},
         ["field 'amount' is True, must obey type 'number'"]),
        ({"id": "o-1", "amount": 1, "mail": "me"},
         ["field 'mail' is 'me', must obey format 'email'"]),
        ({"id": "o-1", "amount": 1, "at": "noon"},
         ["field 'at' is 'noon', must obey format 'date-time'"]),
        ({"id": "o-1", "amount": 1, "lines": [{"sku": 1}, {}]},
         ["field 'lines.1.sku' is missing, must be there"]),
    ],
)  # fmt: skip
def test_a_json_schema_names_field_value_and_rule(body, said):
    assert problems(JSON, body) == said


def test_a_field_too_many_is_named():
    [said] = problems(JSON, {"id": "o-1", "amount": 1, "x": 1})

    assert "('x' was unexpected)" in said


def test_formats_may_be_left_out():
    body = {"id": "o-1", "amount": 1, "mail": "me"}

    assert problems(JSON, body, check_formats=False) == []


def test_a_json_schema_of_a_list_takes_the_list_as_a_whole():
    schema = {"type": "array", "minItems": 2, "items": {"type": "integer"}}

    with pytest.raises(ViolationError, match=r"^2 violations: .* obey minItems 2.*'0'"):
        SchemaValidator(schema).do(["x"])


def test_a_json_schema_comes_from_a_document(run_graph):
    document = {
        "kind": "root",
        "steps": {
            "check": {
                "kind": "task",
                "class_name": "SchemaValidator",
                "class_args": {"schema": JSON, "on_violation": "drop"},
                "responder": True,
            }
        },
    }
    graph = Graph.from_dict(document)

    assert run_graph(graph, [{"id": "o-1", "amount": 1}, {}]) == [
        {"id": "o-1", "amount": 1},
        None,
    ]


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        ({"type": "objct"}, "the JSON Schema is wrong: 'objct' is not valid"),
        (
            {"$ref": "https://example.com/a.json"},
            "refers to 'https://example.com/a.json'",
        ),
        ({"properties": {"a": {"$ref": "b.json#/x"}}}, "which is not fetched"),
        (int, "schema must be a pydantic model"),
        ("order.json", "schema must be a pydantic model"),
        (Order(id="1", amount=1), "schema must be a pydantic model"),
    ],
)
def test_what_is_no_schema_is_refused(schema, message):
    with pytest.raises(SpecError, match=message):
        SchemaValidator(schema)


def test_a_json_schema_converts_nothing():
    with pytest.raises(SpecError, match="JSON Schema converts nothing"):
        SchemaValidator(JSON, convert=True)


def test_a_missing_package_is_named_with_its_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "jsonschema", None)

    with pytest.raises(SpecError, match=r'pip install "jupyter_graph\[validate\]"'):
        SchemaValidator(JSON)


# -- pandera --------------------------------------------------------------------


@pytest.fixture(scope="module")
def pa():
    return pytest.importorskip("pandera.pandas")


@pytest.fixture
def table_schema(pa):
    return pa.DataFrameSchema(
        {"sku": pa.Column(str), "count": pa.Column(int, pa.Check.gt(0), coerce=True)}
    )


@pytest.mark.slow
def test_a_table_fits_a_pandera_schema(run_step, table_schema):
    frame = pd.DataFrame({"sku": ["a", "b"], "count": ["1", "2"]})
    [same] = run_step("SchemaValidator", [frame], schema=table_schema)
    [made] = run_step("SchemaValidator", [frame], schema=table_schema, convert=True)

    assert same["count"].tolist() == ["1", "2"]
    assert made["count"].tolist() == [1, 2]


@pytest.mark.slow
def test_rows_that_break_a_pandera_schema_are_named(table_schema):
    frame = pd.DataFrame({"sku": ["a", "b"], "count": [1, 0]}, index=["r1", "r2"])
    step = SchemaValidator(table_schema, on_violation="drop")

    assert step.do(frame).index.tolist() == ["r1"]
    with pytest.raises(
        ViolationError, match=r"^row 'r2': field 'count' is 0, must obey"
    ):
        SchemaValidator(table_schema).do(frame)


@pytest.mark.slow
def test_a_column_that_a_pandera_schema_misses_is_named(table_schema):
    frame = pd.DataFrame({"count": [1]})

    with pytest.raises(ViolationError, match=r"^field 'sku' is missing, must be there"):
        SchemaValidator(table_schema).do(frame)
    with pytest.raises(ViolationError, match="must be a DataFrame"):
        SchemaValidator(table_schema).do({"count": 1})


@pytest.mark.slow
def test_a_pandera_model_is_a_schema(pa):
    class Rows(pa.DataFrameModel):
        count: int = pa.Field(gt=0)

    step = SchemaValidator(Rows, on_violation="tag")
    found = step.do(pd.DataFrame({"count": [0, 1]}))["violations"]

    assert [len(one) for one in found] == [1, 0]
