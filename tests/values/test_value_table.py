"""One table: a value has the same form wherever it leaves the process."""

import asyncio
import csv
import dataclasses
import datetime as dt
import json
import logging
import subprocess
import sys
import threading
from collections import deque
from decimal import Decimal
from enum import Enum
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple
from uuid import UUID

import numpy as np
import pandas as pd
import pyarrow as pa
import pydantic
import pytest

from jupyter_graph.answer.response import encode
from jupyter_graph.connectors.files.csv_target import CSVTarget
from jupyter_graph.connectors.files.jsonlines import JSONLinesTarget
from jupyter_graph.connectors.files.parquet_target import ParquetTarget
from jupyter_graph.connectors.http_target import HTTPTarget
from jupyter_graph.connectors.rows import json_texts, rows_of
from jupyter_graph.connectors.sql.database import value_for
from jupyter_graph.connectors.tables.open_table import open_table
from jupyter_graph.errors import AnswerError, BadRequestError, UnprocessableError
from jupyter_graph.event import Event
from jupyter_graph.host.logs import JsonLines
from jupyter_graph.steps.remote.remote_step import RemoteStep
from jupyter_graph.values.equal import same


class Colour(Enum):
    RED = "red"


@dataclasses.dataclass
class Point:
    x: int


class Order(pydantic.BaseModel):
    id: int
    at: dt.date


class Row(NamedTuple):
    """One kind of value, and what each place makes of it."""

    kind: str
    """As the docs write it."""
    value: Any
    form: str
    """JSON: answers, HTTPTarget, JSON lines, queues, remote steps, logs."""
    cell: str
    """What stands in a CSV file."""
    is_kept: bool = True
    """A table gives back an equal value of an equal type; else it refuses the value."""


DAY = dt.date(2026, 1, 2)
NAN = float("nan")
INDEXED = pd.DataFrame({"a": [1]}, index=pd.Index(["k"], name="key"))
STRUCTURED = np.array([(1, "x")], dtype=[("a", "i4"), ("b", "U1")])

ROWS = [
    Row('`{"a": [1]}`', {"a": [1]}, '{"a": [1]}', '{"a": [1]}'),
    Row('`[1, "x"]`', [1, "x"], '[1, "x"]', '[1, "x"]'),
    Row("`(1, 2)`", (1, 2), "[1, 2]", "[1, 2]"),
    Row("`{2, 1}`", {2, 1}, "[1, 2]", "[1, 2]"),
    Row("`deque([1])`", deque([1]), "[1]", "[1]"),
    Row("`range(2)`", range(2), "[0, 1]", "[0, 1]"),
    Row('`{(1, "a"): 1}`', {(1, "a"): 1}, r'{"[1, \"a\"]": 1}', r'{"[1, \"a\"]": 1}'),
    Row('`{1: "a", None: 2}`', {1: "a", None: 2}, '{"1": "a", "null": 2}',
        '{"1": "a", "null": 2}'),
    Row('`"é"`', "é", '"é"', "é"),
    Row('`b"hi"`', b"hi", '"aGk="', "aGk="),
    Row("`10**40`", 10**40, f"1{'0' * 40}", f"1{'0' * 40}"),
    Row("`1.5`", 1.5, "1.5", "1.5"),
    Row("`nan`", NAN, "null", ""),
    Row("`inf`", float("inf"), "null", "inf"),
    Row("`True`", True, "true", "True"),
    Row("`None`", None, "null", ""),
    Row("`datetime`", dt.datetime(2026, 1, 2, tzinfo=dt.UTC),
        '"2026-01-02T00:00:00+00:00"', "2026-01-02T00:00:00+00:00"),
    Row("`date`", DAY, '"2026-01-02"', "2026-01-02"),
    Row("`time`", dt.time(3, 4), '"03:04:00"', "03:04:00"),
    Row("`timedelta(minutes=1)`", dt.timedelta(minutes=1), '"PT1M"', "PT1M"),
    Row('`Decimal("1.10")`', Decimal("1.10"), '"1.10"', "1.10"),
    Row("`UUID`", UUID(int=7), f'"{UUID(int=7)}"', str(UUID(int=7))),
    Row('`Decimal("Infinity")`', Decimal("Infinity"), "null", "Infinity"),
    Row('`PurePosixPath("/a")`', PurePosixPath("/a"), '"/a"', "/a"),
    Row("an `Enum`", Colour.RED, '"red"', "red", is_kept=False),
    Row("a dataclass", Point(1), '{"x": 1}', '{"x": 1}', is_kept=False),
    Row("a pydantic model", Order(id=1, at=DAY), '{"id": 1, "at": "2026-01-02"}',
        '{"id": 1, "at": "2026-01-02"}', is_kept=False),
    Row("`np.int64(7)`", np.int64(7), "7", "7"),
    Row("`np.float64(nan)`", np.float64(NAN), "null", ""),
    Row("`np.float32(inf)`", np.float32("inf"), "null", "inf"),
    Row("`np.array([1.5, nan])`", np.array([1.5, NAN]), "[1.5, null]", "[1.5, null]"),
    Row("a structured array", STRUCTURED, '[{"a": 1, "b": "x"}]',
        '[{"a": 1, "b": "x"}]'),
    Row("an array of `datetime64`", np.array(["2026-01-02", "NaT"], "M8[ns]"),
        '["2026-01-02T00:00:00", null]', '["2026-01-02T00:00:00", null]'),
    Row("`pd.Timestamp`", pd.Timestamp("2026-01-02"), '"2026-01-02T00:00:00"',
        "2026-01-02T00:00:00"),
    Row('`pd.Timedelta("1min")`', pd.Timedelta("1min"), '"PT1M"', "PT1M"),
    Row("`pd.NA`", pd.NA, "null", ""),
    Row("`pd.NaT`", pd.NaT, "null", ""),
    Row("`pd.Series([1.0, None])`", pd.Series([1.0, None]), "[1.0, null]",
        "[1.0, null]"),
    Row("`pd.Period`", pd.Period("2026-01"), '"2026-01"', "2026-01", is_kept=False),
    Row("`pd.DataFrame`", pd.DataFrame({"a": [1]}), '[{"a": 1}]', '[{"a": 1}]'),
    Row("an Arrow table", pa.table({"a": [1, None]}), '[{"a": 1}, {"a": null}]',
        '[{"a": 1}, {"a": null}]', is_kept=False),
]  # fmt: skip


def in_docs(row: Row) -> str:
    """Return the line of the table in docs/answers.md."""
    cell = f"`{row.cell}`" if row.cell else "(empty)"
    back = "equal" if row.is_kept else "refused"
    return f"| {row.kind} | `{row.form}` | {cell} | {back} |"


DOCS = Path(__file__).parents[2] / "docs" / "answers.md"
EACH = pytest.mark.parametrize("row", ROWS, ids=lambda row: row.kind.strip("`"))


class Recorder(BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def do_POST(self):
        self.server.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(204)
        self.end_headers()


@pytest.fixture(scope="module")
def server():
    with HTTPServer(("127.0.0.1", 0), Recorder) as it:
        it.bodies = []
        it.url = f"http://127.0.0.1:{it.server_port}/"
        thread = threading.Thread(target=it.serve_forever)
        thread.start()
        yield it
        it.shutdown()
        thread.join()


def of_answer(body, server, folder):
    return encode(body).payload


def of_http_target(body, server, folder):
    target = HTTPTarget(server.url)
    target.do(body)
    target.close()
    return server.bodies[-1]


def of_json_lines(body, server, folder):
    target = JSONLinesTarget(folder / "out.jsonl")
    target.do(body)
    target.close()
    return (folder / "out.jsonl").read_bytes()


def of_queue(body, server, folder):
    """What a message on a queue holds; the targets themselves need a broker."""
    [text] = json_texts(body, "queue")
    return text


def of_remote_step(body, server, folder):
    asyncio.run(RemoteStep(server.url).do_event(Event(body)))
    return server.bodies[-1]


def of_log(body, server, folder):
    record = logging.makeLogRecord({"msg": "it", "more": body})
    return json.dumps({"v": json.loads(JsonLines("0").format(record))["with"]["v"]})


PLACES = [
    pytest.param(of_answer, id="answer"),
    pytest.param(of_http_target, id="http-target"),
    pytest.param(of_json_lines, id="json-lines"),
    pytest.param(of_queue, id="queue"),
    pytest.param(of_remote_step, id="remote-step"),
    pytest.param(of_log, id="log"),
]


@EACH
@pytest.mark.parametrize("place", PLACES)
def test_a_value_has_one_form_wherever_it_is_json(place, row, server, tmp_path):
    written = place({"v": row.value}, server, tmp_path)

    assert json.loads(written) == {"v": json.loads(row.form)}
    assert b"NaN" not in (written if isinstance(written, bytes) else written.encode())


@EACH
def test_a_value_has_the_same_form_in_a_cell_of_csv(row, tmp_path):
    target = CSVTarget(tmp_path / "out.csv")
    target.do({"v": row.value, "last": 1})
    target.close()

    with (tmp_path / "out.csv").open(encoding="utf-8", newline="") as file:
        assert list(csv.reader(file)) == [["v", "last"], [row.cell, "1"]]


class Level(int, Enum):
    LOW = 1


class Limit(float, Enum):
    NONE = float("inf")


class Status(str, Enum):  # noqa: UP042 - its str() is its name
    OPEN = "open"


class Price(Decimal, Enum):
    LOW = Decimal("1.5")


class Where(PurePosixPath, Enum):
    ROOT = "/a"


class Day(dt.date, Enum):
    FIRST = (2026, 1, 2)


ENUMS = [
    pytest.param(Level.LOW, 1, "1", id="int"),
    pytest.param(Limit.NONE, None, "inf", id="float"),
    pytest.param(Status.OPEN, "open", "open", id="str"),
    pytest.param(Price.LOW, "1.5", "1.5", id="decimal"),
    pytest.param(Where.ROOT, "/a", "/a", id="path"),
    pytest.param(Day.FIRST, "2026-01-02", "2026-01-02", id="date"),
]


@pytest.mark.parametrize(("value", "form", "cell"), ENUMS)
def test_an_enum_that_is_something_else_besides_is_its_value(
    value, form, cell, tmp_path
):
    target = CSVTarget(tmp_path / "out.csv")
    target.do({"v": value, Level.LOW: "x"})
    target.close()

    assert json.loads(encode({"v": value}).payload) == {"v": form}
    assert json.loads(json_texts({"v": [value]}, "queue")[0]) == {"v": [form]}
    assert (tmp_path / "out.csv").read_text() == f"v,1\n{cell},x\n"
    assert not isinstance(value_for(value), Enum)


@pytest.fixture
def table(tmp_path):
    opened = open_table(f"store://{tmp_path}/kept.sqlite")
    yield opened
    opened.close()


@pytest.mark.parametrize(
    "row", [row for row in ROWS if row.is_kept], ids=lambda row: row.kind.strip("`")
)
def test_a_table_gives_a_value_back_equal_and_of_equal_type(row, table):
    table.put("ann", {"v": row.value})
    table.put("bob", row.value)

    assert same(table.get("ann"), {"v": row.value})
    assert same(table.get("bob"), row.value)


@pytest.mark.parametrize(
    "row", [row for row in ROWS if not row.is_kept], ids=lambda row: row.kind.strip("`")
)
def test_a_table_refuses_what_it_could_give_back_only_by_importing_a_class(row, table):
    with pytest.raises(TypeError, match=r" at \['v'\]\[0\] cannot be kept there, use"):
        table.put("ann", {"v": [row.value]})


class Shown(str):
    def __str__(self):
        return "shown"


@pytest.mark.parametrize(
    ("value", "base"),
    [
        pytest.param(Status.OPEN, "open", id="str-enum"),
        pytest.param(Level.LOW, 1, id="int-enum"),
        pytest.param(Limit.NONE, float("inf"), id="float-enum"),
        pytest.param({"s": Status.OPEN, Status.OPEN: 1}, {"s": "open", "open": 1},
                     id="key"),
        pytest.param(Shown("kept"), "kept", id="str-that-shows-something-else"),
    ],
)  # fmt: skip
def test_a_table_keeps_a_subclass_of_text_or_a_number_as_that(value, base, table):
    table.put("ann", value)

    assert same(table.get("ann"), base)


@pytest.mark.parametrize("value", [Colour.RED, Price.LOW, Day.FIRST])
def test_a_table_refuses_other_enums(value, table):
    with pytest.raises(TypeError, match="cannot be kept there"):
        table.put("ann", value)


def test_the_docs_show_this_table():
    text = DOCS.read_text(encoding="utf-8")
    missing = [line for line in map(in_docs, ROWS) if line not in text]

    assert not missing


# -- where a policy differs ------------------------------------------------------------


@pytest.mark.parametrize(
    ("place", "form"),
    [
        pytest.param(of_answer, [{"a": 1}], id="answer"),
        pytest.param(of_remote_step, [{"a": 1}], id="remote-step"),
        pytest.param(of_http_target, [{"key": "k", "a": 1}], id="http-target"),
        pytest.param(of_json_lines, [{"key": "k", "a": 1}], id="json-lines"),
        pytest.param(of_queue, [{"key": "k", "a": 1}], id="queue"),
    ],
)
def test_only_targets_keep_an_index_that_has_a_name(place, form, server, tmp_path):
    assert json.loads(place({"v": INDEXED}, server, tmp_path)) == {"v": form}


@pytest.mark.parametrize(
    ("place", "error"),
    [
        pytest.param(of_answer, AnswerError, id="answer"),
        pytest.param(of_http_target, UnprocessableError, id="http-target"),
        pytest.param(of_json_lines, UnprocessableError, id="json-lines"),
        pytest.param(of_queue, UnprocessableError, id="queue"),
        pytest.param(of_remote_step, TypeError, id="remote-step"),
    ],
)
def test_an_unknown_object_raises_and_the_text_names_its_key(
    place, error, server, tmp_path
):
    with pytest.raises(error, match=r"\['v'\]\[0\]: object of type object has no JSON"):
        place({"v": [object()]}, server, tmp_path)


class Broken:
    def __str__(self):
        raise ValueError


def loop():
    value = []
    value.append(value)
    return value


@pytest.mark.parametrize(
    ("value", "form"),
    [
        pytest.param(1j, "1j", id="complex"),
        pytest.param([ValueError("no")], ["no"], id="error"),
        pytest.param(Broken(), "<Broken>", id="broken"),
        pytest.param({1: "a", "1": "b"}, "{1: 'a', '1': 'b'}", id="one-text-two-keys"),
    ],
)
def test_a_log_line_never_fails(value, form, server, tmp_path):
    assert json.loads(of_log({"v": value}, server, tmp_path)) == {"v": form}
    assert of_log({"v": loop()}, server, tmp_path)


@pytest.mark.parametrize(
    "frame",
    [
        pytest.param(pd.DataFrame({"a": [1.5, NAN]}), id="pandas"),
        pytest.param(pa.table({"a": [1.5, None]}), id="arrow"),
        pytest.param(pa.record_batch({"a": [1.5, None]}), id="batch"),
    ],
)
def test_a_whole_frame_is_a_batch_of_rows_for_a_target(frame):
    assert json_texts(frame, "queue") == ['{"a": 1.5}', '{"a": null}']


class Column:
    """What gives Arrow, but no table, and says so only when it is read."""

    def __arrow_c_array__(self, requested_schema=None):
        return pa.array([1]).__arrow_c_array__(requested_schema)


@pytest.mark.parametrize(
    ("body", "texts"),
    [
        pytest.param(pa.array([1, None]), ["[1, null]"], id="array"),
        pytest.param(pa.chunked_array([[1], [2]]), ["[1, 2]"], id="chunked"),
        pytest.param(pd.Series([1, 2]), ["[1, 2]"], id="series"),
        pytest.param(pa.array([{"a": 1}]), ['{"a": 1}'], id="structs"),
    ],
)
def test_an_arrow_array_is_a_list_for_a_target_and_one_of_structs_is_rows(body, texts):
    assert json_texts(body, "queue") == texts


def test_an_arrow_array_is_no_row_and_what_gives_no_table_is_the_callers_fault():
    with pytest.raises(BadRequestError, match="a list of dicts or a frame"):
        rows_of(pa.array([1]), "x")
    with pytest.raises(UnprocessableError, match="queue: a Column is no table"):
        json_texts(Column(), "queue")


def test_parquet_keeps_the_types_of_arrow(tmp_path):
    values = {
        row.kind: row.value
        for row in ROWS
        if row.kind in ("`1.5`", "`date`", "`timedelta(minutes=1)`", '`b"hi"`')
    }
    target = ParquetTarget(tmp_path / "out.parquet")
    target.do(values)
    target.close()

    assert pa.parquet.read_table(tmp_path / "out.parquet").to_pylist() == [values]


@EACH
def test_a_database_takes_every_kind(row):
    value = value_for(row.value)

    assert isinstance(
        value, (type(None), str, int, float, bytes, dict, list, pd.Timestamp)
    ) or type(value).__module__ in ("datetime", "decimal")


def test_writing_plain_values_imports_no_numpy():
    program = (
        "import sys\n"
        "from jupyter_graph.connectors.rows import json_text\n"
        "from jupyter_graph.connectors.tables.table_json import encode\n"
        "json_text({'a': {1, 2}, 'b': b'x'}), encode({'a': {1, 2}}, 'x')\n"
        "heavy = ('numpy', 'pandas', 'pyarrow')\n"
        "print([name for name in heavy if name in sys.modules])"
    )

    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    assert done.stdout.strip() == "[]"
