"""Bodies and answers are decoded the same way wherever they arrive."""

import pytest

from jupyter_graph.errors import BadRequestError, UnsupportedMediaTypeError
from jupyter_graph.values.decode import decode_body, decode_payload

JSON = "application/json"


@pytest.mark.parametrize(
    ("payload", "content_type", "body"),
    [
        pytest.param(b'{"a": 1}', JSON, {"a": 1}, id="json"),
        pytest.param(b'{"a": 1}', f"{JSON}; charset=utf-8", {"a": 1}, id="charset"),
        pytest.param(b'{"a": 1}', "Application/JSON", {"a": 1}, id="any-case"),
        pytest.param(b'{"a": 1}', "application/ld+json", {"a": 1}, id="plus-json"),
        pytest.param(b" [1]\n", JSON, [1], id="blanks-around"),
        pytest.param(b'\xef\xbb\xbf{"a": 1}', JSON, {"a": 1}, id="byte-order-mark"),
        pytest.param('{"a": 1}'.encode("utf-16"), JSON, {"a": 1}, id="utf-16"),
        pytest.param(b'{"a": 1}', "", {"a": 1}, id="no-type-json"),
        pytest.param(b"a,b", "", b"a,b", id="no-type-other"),
        pytest.param("plain", "", "plain", id="no-type-text"),
        pytest.param(b"\xff", "", b"\xff", id="no-type-bytes"),
        pytest.param(
            b'{"a": 1}', "application/x-www-form-urlencoded", {"a": 1}, id="curl-d"
        ),
        pytest.param(
            b"a=1", "application/x-www-form-urlencoded", b"a=1", id="a-real-form"
        ),
        pytest.param("hé".encode(), "text/plain", "hé", id="text"),
        pytest.param(b"h\xe9", "text/csv; charset=latin-1", "hé", id="text-latin-1"),
        pytest.param(b'"\xe9"', f"{JSON}; charset=ISO-8859-1", "é", id="json-latin-1"),
        pytest.param(
            '"é"'.encode("utf-16"), f"{JSON}; charset=utf-16", "é", id="json-utf-16"
        ),
        pytest.param(b"{}", "application/octet-stream", b"{}", id="bytes"),
        pytest.param(b"", JSON, None, id="empty"),
        pytest.param("", "", None, id="empty-text"),
        pytest.param({"a": 1}, JSON, {"a": 1}, id="decoded-already"),
        pytest.param(bytearray(b"[1]"), JSON, [1], id="bytearray"),
        pytest.param(b"1" * 4300, "", int("1" * 4300), id="longest-integer"),
    ],
)
def test_a_body_is_decoded_by_its_content_type(payload, content_type, body):
    assert decode_body(payload, content_type) == body


@pytest.mark.parametrize(
    ("payload", "content_type", "said"),
    [
        pytest.param(b'{"a":', JSON, "at line 1 column 6", id="cut-off"),
        pytest.param(b'{"a": 1} x', JSON, "Extra data at line 1 column 10", id="rest"),
        pytest.param(b"\xff\xfe\xfd", JSON, "body is not JSON", id="not-text"),
        pytest.param(b"[" * 100_000, JSON, "nested too deep", id="deep"),
        pytest.param(b"1" * 5000, JSON, "too many digits", id="huge-integer"),
        pytest.param(b"\xff", "text/plain", "byte 0 is not utf-8", id="not-utf-8"),
    ],
)
def test_a_broken_body_is_the_callers_fault(payload, content_type, said):
    with pytest.raises(BadRequestError, match=said):
        decode_body(payload, content_type)


def test_an_unknown_charset_is_named():
    with pytest.raises(UnsupportedMediaTypeError, match="unknown charset 'zz'"):
        decode_body(b"x", "text/plain; charset=zz")


@pytest.mark.parametrize(
    ("payload", "content_type", "value"),
    [
        pytest.param(b'{"a": NaN}x', JSON, b'{"a": NaN}x', id="not-json"),
        pytest.param(b"1\n\n[2]\n", "application/x-ndjson", [1, [2]], id="lines"),
        pytest.param(b"1\n{", "application/x-ndjson", b"1\n{", id="not-lines"),
        pytest.param(b"\xff", "text/plain", b"\xff", id="not-text"),
        pytest.param(b"x", "text/plain; charset=zz", b"x", id="unknown-charset"),
        pytest.param(b"1", "", b"1", id="no-type"),
    ],
)
def test_an_answer_that_is_not_what_it_says_stays_bytes(payload, content_type, value):
    assert decode_payload(payload, content_type) == value
