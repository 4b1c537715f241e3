"""What this package takes of json's private parts, and what it does without them."""

import json
import math

import pytest

from jupyter_graph.values import json_private_api
from jupyter_graph.values.decode import decode_body
from jupyter_graph.values.json_private_api import json_scanner, json_writer

VALUES = [
    {"é": [1, 2.5, None, True, "\n\"\\"], "": {}, "n": -0.0},
    [],
    (1, (2,)),
    "text",
    10**40,
    1e300,
    None,
]  # fmt: skip
OPTIONS = [
    pytest.param({}, {"ensure_ascii": False}, id="utf-8"),
    pytest.param({"ascii_only": True}, {}, id="ascii"),
    pytest.param(
        {"ascii_only": True, "compact": True}, {"separators": (",", ":")}, id="compact"
    ),
]


@pytest.mark.parametrize("is_missing", [False, True], ids=["fast", "slow"])
@pytest.mark.parametrize(("options", "documented"), OPTIONS)
def test_both_ways_write_what_json_dumps_writes(
    options, documented, is_missing, monkeypatch
):
    if is_missing:
        monkeypatch.setattr(json.encoder, "c_make_encoder", None)
    write = json_writer(**options)

    assert [write(v) for v in VALUES] == [json.dumps(v, **documented) for v in VALUES]
    for number in (math.nan, math.inf):
        with pytest.raises(ValueError, match="Out of range"):
            write([number])


def test_this_python_has_the_fast_encoder():
    """A new Python that fails here writes answers at a third of the speed."""
    write = json_writer()

    assert getattr(write, "__self__", None) is None, "the slow path is in use"


def test_a_decoder_without_its_scanner_reads_the_same(monkeypatch):
    class Plain:
        raw_decode = json.JSONDecoder().raw_decode

    monkeypatch.setattr(json_private_api.json, "JSONDecoder", Plain)

    assert json_scanner()('{"a": [1]} ', 0) == ({"a": [1]}, 10)


@pytest.mark.parametrize("text", ['{"a": 1} x', "", "{", "nul"])
def test_what_is_not_one_json_value_stays_what_it_was(text):
    assert decode_body(text, "") == (text or None)
