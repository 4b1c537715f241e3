"""Bodies that were compressed for the way (RFC 9110, section 8.4)."""

from __future__ import annotations

from typing import Final

from jupyter_graph.errors import (
    BadRequestError,
    TooLargeError,
    UnsupportedMediaTypeError,
)

MAX_BODY_BYTES: Final = 4 * 1024 * 1024
"""What a body may have at most, as it comes and unpacked."""

_GZIP: Final = ("gzip", "x-gzip")


def unpacked(body: bytes, encoding: str, most: int = MAX_BODY_BYTES) -> bytes:
    """Return a body as it was before its ``Content-Encoding``.

    Args:
        body: the body as it came.
        encoding: the header's value: names of encodings, the one applied first first.
        most: the largest result in bytes.

    Raises:
        UnsupportedMediaTypeError: an encoding other than gzip and deflate, or several.
        BadRequestError: the body is not what the encoding says.
        TooLargeError: unpacked it is too large.

    >>> import gzip
    >>> unpacked(gzip.compress(b'{"x": 1}'), "gzip")
    b'{"x": 1}'
    """
    names = [name.strip().lower() for name in encoding.split(",")]
    names = [name for name in names if name not in ("", "identity")]
    if not names:
        return body
    # Nobody packs twice but who wants to send a bomb.
    if len(names) > 1 or names[0] not in (*_GZIP, "deflate"):
        raise UnsupportedMediaTypeError(
            f"the content encoding {encoding[:100]!r} is not supported; "
            "send gzip, deflate or the plain body"
        )
    return _inflated(body, names[0], most)


def _inflated(body: bytes, name: str, most: int) -> bytes:
    import zlib

    # "deflate" is zlib's format; some clients send the raw stream inside it.
    is_raw = name == "deflate" and (body[:1] or b"x")[0] & 0x0F != 8
    bits = -15 if is_raw else 31 if name in _GZIP else 15
    parts: list[bytes] = []
    size, rest = 0, body
    try:
        while rest:
            stream = zlib.decompressobj(bits)
            part = stream.decompress(rest, most + 1 - size)
            parts.append(part)
            size += len(part)
            if size > most:
                raise TooLargeError(f"the body is larger than {most} bytes unpacked")
            if not stream.eof:
                raise BadRequestError(f"body is not {name}: it ends too early")
            rest = stream.unused_data if name in _GZIP else b""  # files put together
    except zlib.error as error:
        raise BadRequestError(f"body is not {name}: {error}") from None
    return b"".join(parts)
