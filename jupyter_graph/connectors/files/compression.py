"""Compressed files: which suffixes there are, and how to read and grow such files.

Each write is a member of its own (gzip, bzip2, xz and zstd files are sequences of
members), so a file can grow and is whole after every write.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, BinaryIO, cast

from jupyter_graph.connectors.extras import needed


def packed(data: bytes, suffix: str) -> bytes:
    """Compress bytes into one member of a file with this suffix.

    >>> gzip.decompress(packed(b"ab", ".gz") + packed(b"c", ".gz"))
    b'abc'
    """
    pack = _PACK.get(suffix)
    return pack(data) if pack is not None else data


def _zstd(data: bytes) -> bytes:
    arrow = needed("pyarrow", "batch", "a .zst file")
    kept = arrow.BufferOutputStream()
    with arrow.CompressedOutputStream(kept, "zstd") as stream:
        stream.write(data)
    return bytes(kept.getvalue().to_pybytes())


_PACK: dict[str, Callable[[bytes], bytes]] = {
    ".bz2": bz2.compress,
    ".gz": partial(gzip.compress, compresslevel=6, mtime=0),
    ".xz": lzma.compress,
    ".zst": _zstd,
}


PACKED = frozenset({*_PACK, ".zip"})
"""The suffixes of compressed files."""


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
