"""Objects that are their fields ship by them, and come back equal."""

import enum
import json
from dataclasses import dataclass, field
from types import SimpleNamespace

import attrs
import pydantic
import pytest

from jupyter_graph.connectors.tables.table_json import encode
from jupyter_graph.errors import ValueShipError
from jupyter_graph.host.artifacts import load_value, save_value
from jupyter_graph.values.equal import same


class Color(enum.Enum):
    RED = 1
    BLUE = 2


@dataclass
class Row:
    n: int
    parts: list = field(default_factory=list)

    def __post_init__(self):
        if self.n < 0:
            raise ValueError("made anew")


@dataclass(frozen=True, slots=True, eq=False)
class Closed:
    n: int


@attrs.define
class Slots:
    n: int
    __own = 3
    color: Color = Color.RED


@attrs.frozen(slots=False)
class Frozen:
    n: list = attrs.field(factory=list)


class Model(pydantic.BaseModel, extra="allow"):
    n: int
    _seen: int = pydantic.PrivateAttr(default=3)


class Inner(dict):
    pass


@dataclass
class OfDict(Inner):
    n: int


def changed(value, **fields):
    for name, new in fields.items():
        object.__setattr__(value, name, new)
    return value


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(changed(Row(1, [(1, 2.0)]), n=-4, extra="x"), id="dataclass"),
        pytest.param(Closed(3), id="dataclass-with-slots"),
        pytest.param(changed(Slots(2), color=Color.BLUE), id="attrs"),
        pytest.param(Frozen([{"a": Row(1)}]), id="attrs-frozen"),
        pytest.param(changed(Model(n=1, more=[2]), _seen=7), id="pydantic"),
        pytest.param({"deep": [SimpleNamespace(a=1)]}, id="namespace"),
        pytest.param([Color.RED], id="member"),
    ],
)
def test_an_object_comes_back_with_its_fields(tmp_path, value):
    entry = save_value("it", value, tmp_path / "artifacts")
    back = load_value(str(tmp_path / "steps.py"), "it")

    assert type(back) is type(value)
    assert same(back, value)
    assert entry["format"] == "json"


def test_fields_of_other_types_are_not_the_same():
    assert not same(Row(1), Row(True))
    assert same(Closed(1), Closed(1))


def test_a_class_that_nothing_leads_to_is_told(tmp_path):
    @attrs.define
    class Local:
        n: int

    with pytest.raises(ValueShipError, match=r"its class is not .*Local of a module"):
        save_value("it", [Local(1)], tmp_path)


def test_what_is_more_than_its_fields_does_not_ship_by_them(tmp_path):
    with pytest.raises(ValueShipError, match="no safe file format"):
        save_value("it", OfDict(1), tmp_path)


def test_a_field_that_cannot_ship_is_named(tmp_path):
    with pytest.raises(ValueShipError, match=r"it\.parts\[0\] \(builtins\.generator\)"):
        save_value("it", Row(1, [(n for n in "a")]), tmp_path)


def test_a_table_keeps_no_objects():
    with pytest.raises(TypeError, match="a Row cannot be kept there"):
        encode(Row(1), "table 'x'")


def test_the_class_is_looked_up_where_the_notebooks_code_is(tmp_path):
    save_value("it", Row(1), tmp_path / "artifacts")
    text = json.loads((tmp_path / "artifacts/it.json").read_text())

    assert text["of"][:2] == [__name__, "Row"]
