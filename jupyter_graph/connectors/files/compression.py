"""Compressed files: which suffixes there are, and how to read and grow such files.

Each write is a member of its own (gzip, bzip2, xz and zstd files are sequences of
members), so a file can grow and is whole after every write.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO, cast

from jupyter_graph.connectors.extras import needed

PACKED = frozenset({".gz", ".bz2", ".xz", ".zst", ".zip"})
"""The suffixes of compressed files."""


def packed(data: bytes, suffix: str) -> bytes:
    """Compress bytes into one member of a file with this suffix.

    >>> gzip.decompress(packed(b"ab", ".gz") + packed(b"c", ".gz"))
    b'abc'
    """
    match suffix:
        case ".gz":
            return gzip.compress(data, compresslevel=6, mtime=0)
        case ".bz2":
            return bz2.compress(data)
        case ".xz":
            return lzma.compress(data)
        case ".zst":
            return _zstd(data)
    return data


def _zstd(data: bytes) -> bytes:
    arrow = needed("pyarrow", "batch", "a .zst file")
    kept = arrow.BufferOutputStream()
    with arrow.CompressedOutputStream(kept, "zstd") as stream:
        stream.write(data)
    return bytes(kept.getvalue().to_pybytes())


@contextmanager
def unpacked(file: BinaryIO, suffix: str) -> Iterator[BinaryIO]:
    """Return what is in an open compressed file; it is read as it is asked for."""
    opened: Any = file
    match suffix:
        case ".gz":
            opened = gzip.GzipFile(fileobj=file)
        case ".bz2":
            opened = bz2.BZ2File(file)
        case ".xz":
            opened = lzma.LZMAFile(file)  # noqa: SIM115 - closed below
        case ".zst":
            arrow = needed("pyarrow", "batch", "a .zst file")
            stream = arrow.CompressedInputStream(arrow.PythonFile(file, "r"), "zstd")
            opened = io.BufferedReader(stream)
        case ".zip":
            opened = _only_member(file)
    try:
        yield cast("BinaryIO", opened)
    finally:
        if opened is not file:
            opened.close()


def _only_member(file: BinaryIO) -> Any:
    import zipfile

    archive = zipfile.ZipFile(file)
    names = [name for name in archive.namelist() if not name.endswith("/")]
    if len(names) != 1:
        raise ValueError(f"a .zip to read from must hold one file, found {names!r}")
    return archive.open(names[0])
