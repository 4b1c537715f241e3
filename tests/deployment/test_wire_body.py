"""Bodies on their way: what arrives, and what is said of the rest."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from jupyter_graph.deployment.wire_body import (
    arrived,
    tagged_body,
    wire_body,
    wire_change,
)
from jupyter_graph.errors import BadRequestError
from jupyter_graph.values.decode import TAGGED, decode_body
from jupyter_graph.values.equal import same

TRAVELS = [
    None,
    True,
    7,
    2.5,
    "text",
    "",
    {"a": [1, None, {"b": "ä"}]},
    [],
    b"\x00\xff",
]
TAGS = [
    (1, 2),
    {1: "one", (2, 3): "pair"},
    {"at": dt.datetime(2026, 5, 1, 12, tzinfo=dt.UTC)},
    {"value": float("nan")},
    {"ids": {1, 2}, "raw": b"\x00"},
    {"$": "a key of the user's own"},
]


@pytest.mark.parametrize("body", TRAVELS, ids=repr)
def test_what_json_has_travels_as_it_is(body):
    payload, kind = wire_body(body)

    assert same(arrived(payload, kind), body) or body in ("", None)


@pytest.mark.parametrize("body", TAGS, ids=repr)
def test_what_json_has_not_arrives_by_our_own_client(body):
    payload, kind = tagged_body(body)

    assert kind == TAGGED
    assert same(decode_body(payload, kind), body)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ((1, 2), "body is a tuple, and arrives as a list"),
        ({1: 2}, "a key of body is a number (int), and arrives as a text"),
        ({"a": [{"t": (1,)}]}, "body['a'][0]['t'] is a tuple, and arrives as a list"),
        ({"v": float("nan")}, "body['v'] is not a number (NaN), and arrives as null"),
        ({"d": dt.date(2026, 5, 1)}, "body['d'] is a date, and arrives as the text "),
        (np.array([1.5]), "body is a ndarray, and arrives as a list"),
        (pd.DataFrame({"a": [1]}), "body is a DataFrame, and arrives as a list"),
        ({"a": 1.0, "b": [None]}, ""),
    ],
)
def test_what_changes_on_the_way_is_said(body, said):
    change = wire_change(body, arrived(*wire_body(body)))

    assert change.startswith(said)
    assert bool(change) == bool(said)


@pytest.mark.parametrize(
    "payload",
    [
        b'{"$": "nope", "of": 1}',
        b'{"$": "int"}',
        b'{"$": "set", "of": [[1]]}',
        b'{"$": "fraction", "of": [1, 0]}',
        b'{"$": "decimal", "of": "x"}',
        b'{"$": 5, "of": 1}',
        b'{"$": ["tuple"], "of": 1}',
        b"{bad",
        b'{"$": "tuple", "of": ' * 3000 + b"1" + b"}" * 3000,
    ],
    ids=lambda payload: payload[:20].decode(),
)
def test_tagged_bodies_that_are_wrong_are_the_callers_fault(payload):
    with pytest.raises(BadRequestError):
        decode_body(payload, TAGGED)
