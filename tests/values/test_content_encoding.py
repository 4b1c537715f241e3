"""Packed bodies are unpacked within bounds, or refused by name."""

import gzip
import zlib

import pytest

from jupyter_graph.errors import (
    BadRequestError,
    TooLargeError,
    UnsupportedMediaTypeError,
)
from jupyter_graph.event import Event, read_event
from jupyter_graph.values.content_encoding import unpacked

TEXT = b'{"x": [1, 2, 3]}' * 50


def raw_deflate(data):
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        pytest.param(gzip.compress(TEXT), "gzip", id="gzip"),
        pytest.param(gzip.compress(TEXT), " X-GZIP ", id="old-name"),
        pytest.param(
            gzip.compress(TEXT[:99]) + gzip.compress(TEXT[99:]), "gzip", id="two-files"
        ),
        pytest.param(zlib.compress(TEXT), "deflate", id="deflate"),
        pytest.param(raw_deflate(TEXT), "deflate", id="raw-deflate"),
        pytest.param(gzip.compress(TEXT), "identity, gzip", id="with-identity"),
        pytest.param(TEXT, "identity", id="identity"),
        pytest.param(TEXT, "", id="none"),
    ],
)
def test_a_body_comes_out_as_it_was(body, encoding):
    assert unpacked(body, encoding) == TEXT


@pytest.mark.parametrize("encoding", ["br", "zstd", "gzip, gzip", "x", "deflate;q=1"])
def test_other_encodings_are_named(encoding):
    with pytest.raises(UnsupportedMediaTypeError, match=repr(encoding)):
        unpacked(TEXT, encoding)


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
@pytest.mark.parametrize("body", [b"x" * 9, b"\x1f\x8b", TEXT])
def test_what_is_no_packed_body_is_the_callers_fault(body, encoding):
    with pytest.raises(BadRequestError, match=f"body is not {encoding}"):
        unpacked(body, encoding)


def test_a_body_cut_off_is_the_callers_fault():
    with pytest.raises(BadRequestError, match="ends too early"):
        unpacked(gzip.compress(TEXT)[:-9], "gzip")


@pytest.mark.parametrize(
    "pack", [gzip.compress, lambda it: gzip.compress(it[:5]) + gzip.compress(it[5:])]
)
def test_a_bomb_is_refused_before_it_is_unpacked(pack):
    body = pack(bytes(1001))

    assert len(unpacked(pack(bytes(1000)), "gzip", 1000)) == 1000
    with pytest.raises(TooLargeError, match="larger than 1000 bytes unpacked"):
        unpacked(body, "gzip", 1000)


@pytest.mark.parametrize("name", ["content-encoding", "Content-Encoding"])
def test_an_event_is_read_unpacked(name):
    headers = {name: "gzip"}
    event = Event(
        gzip.compress(b'{"x": 1}'), headers=headers, content_type="application/json"
    )

    assert read_event(event).body == {"x": 1}
