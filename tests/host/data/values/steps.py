"""One step that gives a value of every kind by its name."""

import collections
import dataclasses
import datetime as dt
import decimal
import enum
import pathlib
import types
import uuid

import numpy as np
import pandas as pd
import pydantic

from jupyter_graph.errors import BadRequestError, NotFoundError, StatusError
from jupyter_graph.answer.response import Response


class Colour(enum.Enum):
    RED = "red"
    TWO = 2


class Level(enum.IntEnum):
    HIGH = 3


@dataclasses.dataclass
class Point:
    x: int
    y: object = None


class Order(pydantic.BaseModel):
    id: int
    at: dt.date = dt.date(2026, 1, 2)


Pair = collections.namedtuple("Pair", "a b")


class Foreign:
    """Not in the table."""


def loop():
    value = []
    value.append(value)
    return value


def nested(levels):
    value = 0
    for _ in range(levels):
        value = [value]
    return value


def fail(error):
    raise error


FRAME = pd.DataFrame(
    {
        "n": [1, 2],
        "f": [0.5, float("nan")],
        "t": ["a", None],
        "at": pd.to_datetime(["2026-01-02", None]),
    }
)

VALUES = {
    "none": lambda: None,
    "true": lambda: True,
    "int": lambda: 7,
    "big-int": lambda: 10**40,
    "huge-int": lambda: 10**5000,
    "float": lambda: 1.5,
    "nan": lambda: float("nan"),
    "inf-inside": lambda: {"a": [float("inf"), -float("inf"), 1e300]},
    "text": lambda: "héllo\n",
    "empty-text": lambda: "",
    "surrogate": lambda: "a\ud800",
    "surrogate-inside": lambda: {"a": "\ud800"},
    "bytes": lambda: b"\x00\xff\r\n",
    "empty-bytes": lambda: b"",
    "bytearray": lambda: bytearray(b"abc"),
    "bytes-inside": lambda: {"a": b"abc"},
    "empty-list": lambda: [],
    "list": lambda: [1, [2, None], "x"],
    "list-of-dicts": lambda: [{"a": 1}, {"a": 2}],
    "empty-dict": lambda: {},
    "dict": lambda: {"a": {"b": [1.25, True]}, "é": "ü"},
    "int-keys": lambda: {1: "a", None: "b", True and 2.5: "c"},
    "tuple-keys": lambda: {(1, "a"): 1},
    "same-keys": lambda: {1: "a", "1": "b"},
    "tuple": lambda: (201, {"a": 1}),
    "three-tuple": lambda: (1, 2, 3),
    "named-tuple": lambda: Pair(1, 2),
    "set": lambda: {3, 1, 2},
    "mixed-set": lambda: {1, "a", None},
    "frozenset": lambda: frozenset("ba"),
    "deque": lambda: collections.deque([1, 2]),
    "ordered": lambda: collections.OrderedDict(b=1, a=2),
    "range": lambda: range(3),
    "mapping": lambda: types.MappingProxyType({"a": 1}),
    "datetime": lambda: dt.datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=dt.UTC),
    "date-inside": lambda: {"d": dt.date(2026, 1, 2), "t": dt.time(3, 4)},
    "timedelta": lambda: dt.timedelta(days=1, seconds=3, microseconds=5),
    "decimal": lambda: decimal.Decimal("1.10"),
    "decimal-nan": lambda: [decimal.Decimal("NaN")],
    "uuid": lambda: uuid.UUID(int=7),
    "path": lambda: pathlib.PurePosixPath("/a/b"),
    "enum-text": lambda: Colour.RED,
    "enum-inside": lambda: [Colour.RED, Colour.TWO, Level.HIGH],
    "enum-key": lambda: {Colour.TWO: 1},
    "dataclass": lambda: Point(1, {2}),
    "model": lambda: Order(id=7),
    "np-int": lambda: np.int64(7),
    "np-float": lambda: {"a": np.float32(0.1), "b": np.float64("nan")},
    "np-bool": lambda: [np.bool_(True)],
    "np-text": lambda: np.str_("x"),
    "np-date": lambda: [np.datetime64("2026-01-02"), np.datetime64("NaT")],
    "np-duration": lambda: [np.timedelta64(90, "s"), np.timedelta64(2, "M")],
    "array": lambda: np.arange(6).reshape(2, 3),
    "array-nan": lambda: np.array([1.0, np.nan]),
    "array-0d": lambda: np.array(3.5),
    "array-inside": lambda: {"p": np.array([0.25, 0.75]), "c": np.array([True])},
    "array-dates": lambda: np.array(["2026-01-02T03:04:05.5"], dtype="M8[ns]"),
    "array-objects": lambda: np.array([1, "a", None], dtype=object),
    "array-records": lambda: np.array([(1, "x")], dtype=[("a", "i4"), ("b", "U2")]),
    "array-masked": lambda: np.ma.array([1, 2], mask=[False, True]),
    "array-complex": lambda: np.array([1j]),
    "series": lambda: pd.Series([1, 2]),
    "series-missing": lambda: pd.Series([1, None], dtype="Int64"),
    "series-dates": lambda: pd.Series(pd.to_datetime(["2026-01-02", None])),
    "frame": lambda: FRAME,
    "frame-inside": lambda: {"rows": FRAME},
    "empty-frame": lambda: pd.DataFrame(),
    "timestamp": lambda: pd.Timestamp("2026-01-02T03:04", tz="UTC"),
    "pd-duration": lambda: pd.Timedelta("1d2ns"),
    "missing": lambda: [pd.NA, pd.NaT, None],
    "categorical": lambda: pd.Categorical(["a", None]),
    "index": lambda: pd.Index(["a", "b"]),
    "multi-index": lambda: pd.MultiIndex.from_tuples([(1, "a")]),
    "response": lambda: Response({"a": 1}, 201, {"X-Own": "yes"}),
    "response-text": lambda: Response("<b>", content_type="text/html"),
    "response-latin": lambda: Response("é", content_type="text/plain; charset=latin-1"),
    "response-bytes": lambda: Response(b"\x89PNG", content_type="image/png"),
    "response-empty": lambda: Response(None, 204),
    "response-304": lambda: Response("kept out", 304),
    "response-list": lambda: Response([1, 2], 202),
    "response-header": lambda: Response("x", headers={"a": "b\r\nc: d"}),
    "response-status": lambda: Response("x", 99),
    "object": Foreign,
    "object-inside": lambda: {"a": [1, Foreign()]},
    "function": lambda: loop,
    "complex": lambda: 1j,
    "generator-inside": lambda: {"g": (n for n in [1])},
    "loop": loop,
    "deep": lambda: nested(100_000),
    "150-levels": lambda: nested(150),
    "big-array": lambda: np.zeros((300, 100)),
    "big-text": lambda: "x" * 300_000,
    "raise": lambda: fail(ValueError("no")),
    "raise-exit": lambda: fail(SystemExit(3)),
    "raise-status": lambda: fail(NotFoundError("no user 7")),
    "raise-bad": lambda: fail(BadRequestError("age must be a number")),
    "raise-teapot": lambda: fail(StatusError("short and stout", status_code=418)),
    "raise-validation": lambda: Order(id="x"),
}


def give(body):
    return VALUES[body]()
