"""Compressed files: which suffixes there are, and how to read and grow such files.

Each write is a member of its own (gzip, bzip2, xz and zstd files are sequences of
members), so a file can grow and is whole after every write.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import Any, BinaryIO

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


def _open_zstd(file: BinaryIO) -> Any:
    arrow = needed("pyarrow", "batch", "a .zst file")
    stream = arrow.CompressedInputStream(arrow.PythonFile(file, "r"), "zstd")
    return io.BufferedReader(stream)


def _only_member(file: BinaryIO) -> Any:
    import zipfile

    archive = zipfile.ZipFile(file)
    names = [name for name in archive.namelist() if not name.endswith("/")]
    if len(names) != 1:
        raise ValueError(f"a .zip to read from must hold one file, found {names!r}")
    return archive.open(names[0])


_UNPACK: dict[str, Callable[[BinaryIO], Any]] = {
    ".bz2": bz2.BZ2File,
    ".gz": lambda file: gzip.GzipFile(fileobj=file),
    ".xz": lzma.LZMAFile,
    ".zip": _only_member,
    ".zst": _open_zstd,
}
PACKED = frozenset(_UNPACK)
"""The suffixes of compressed files."""


def unpacked(file: BinaryIO, suffix: str) -> AbstractContextManager[BinaryIO]:
    """Return what is in an open compressed file; it is read as it is asked for."""
    return _UNPACK[suffix](file) if suffix in PACKED else nullcontext(file)
