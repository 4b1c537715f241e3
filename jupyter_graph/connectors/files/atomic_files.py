"""Files that are written aside, and take their place only when they are whole."""

from __future__ import annotations

import os
import shutil
import tempfile
import uuid
from pathlib import Path
from typing import Any, BinaryIO

from jupyter_graph.connectors.files.compression import packed
from jupyter_graph.connectors.files.places import Place


class Stage:
    """A file beside its place (or, for a URL, in the temporary folder).

    Args:
        place: where the file goes when it is whole.
        keep: what is there already stays, and new bytes come after it.
    """

    def __init__(self, place: Place, *, keep: bool = False) -> None:
        self.place = place
        self.keep = keep
        self.path: Path | None = None

    def start(self) -> Path:
        """Return the path of the file aside; its folder is there."""
        if self.path is None:
            path = beside(self.place)
            path.parent.mkdir(parents=True, exist_ok=True)
            self.path = path
        return self.path

    def start_with_copy(self) -> Path:
        """As ``start``; what is kept stands in the file aside already."""
        if self.path is not None or not (self.keep and self.place.exists()):
            return self.start()
        path = self.start()
        try:
            self.place.copy_to(path)
        except BaseException:
            path.unlink(missing_ok=True)
            self.path = None
            raise
        return path

    def commit(self) -> None:
        """Put the file in its place, in one move; what comes later comes after it."""
        if self.path is not None:
            publish(self.path, self.place)
            self.path = None
            self.keep = True


class StagedBytes:
    """Bytes for a ``Stage``: each write is all there, or not at all."""

    def __init__(self, place: Place, *, keep: bool = False) -> None:
        self._stage = Stage(place, keep=keep)

    def has_content(self) -> bool:
        """Tell whether rows stand in the file before the next ones."""
        path = self._stage.path
        if path is not None:
            return path.exists() and path.stat().st_size > 0
        return self._stage.keep and self._stage.place.exists()

    def write(self, data: bytes) -> None:
        path = self._stage.start_with_copy()
        with path.open("ab", buffering=0) as file:
            append_whole(file, packed(data, self._stage.place.packing))

    def commit(self) -> None:
        self._stage.commit()


class AppendedBytes:
    """Bytes at the end of a file of this machine, seen by readers at once.

    Promise: each write is all there or not at all, for several processes too.
    """

    def __init__(self, place: Place) -> None:
        assert place.path is not None
        self._place = place
        self._path: Path = place.path

    def has_content(self) -> bool:
        """Tell whether rows stand in the file before the next ones."""
        return self._path.is_file() and self._path.stat().st_size > 0

    def write(self, data: bytes) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("ab", buffering=0) as file:
            if not self._path.is_file():
                _write_all(file, data)  # a pipe or a device
                return
            with _Alone(file):
                if not self._place.packing and _is_torn(self._path):
                    data = b"\n" + data  # the last writer died in the midst of a row
                append_whole(file, packed(data, self._place.packing))

    def commit(self) -> None:
        """Do nothing: all is in its place already."""


def sink_for(place: Place, *, append: bool) -> StagedBytes | AppendedBytes:
    """Return where the bytes of a target go."""
    path = place.path
    if path is not None and path.exists() and not path.is_file():
        return AppendedBytes(place)  # a pipe or a device cannot be replaced
    if append and path is not None:
        return AppendedBytes(place)
    return StagedBytes(place, keep=append)


def beside(place: Place) -> Path:
    """Return a hidden path that does not exist, on the disk where a place is."""
    name = f".{place.name}.{uuid.uuid4().hex[:12]}.part"
    if place.path is None:
        return Path(tempfile.gettempdir()) / name
    return place.path.resolve().parent / name


def publish(local: Path, place: Place) -> None:
    """Move a whole file to its place; readers see the old or the new, nothing else."""
    # the bytes first, then the name: after a loss of power the place holds a whole file
    with local.open("rb") as file:
        os.fsync(file.fileno())
    if place.path is not None:
        real = place.path.resolve()  # a link stays a link
        real.parent.mkdir(parents=True, exist_ok=True)
        local.replace(real)
        return
    fs, path = place.file_system()
    parent, _, name = path.rpartition("/")
    if parent:
        fs.makedirs(parent, exist_ok=True)
    # stores have no move from a local disk: the file goes up under another name first,
    # so that readers never see a part of it
    aside = f"{parent}/{local.name}" if parent else f".{name}.part"
    fs.put_file(str(local), aside)
    fs.mv(aside, path)
    local.unlink()


def append_whole(file: BinaryIO, data: bytes) -> None:
    """Append bytes to an unbuffered file; after a failure it is as it was before."""
    size = os.fstat(file.fileno()).st_size
    try:
        _write_all(file, data)
    except BaseException:
        file.truncate(size)
        raise


def _write_all(file: BinaryIO, data: bytes) -> None:
    # an unbuffered write may take only some of the bytes
    view = memoryview(data)
    while view:
        view = view[file.write(view) :]


def _is_torn(path: Path) -> bool:
    with path.open("rb") as file:
        if file.seek(0, os.SEEK_END) == 0:
            return False
        file.seek(-1, os.SEEK_END)
        return file.read(1) != b"\n"


class _Alone:
    """Keep other processes out of a file while it grows, where the system can."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def __enter__(self) -> None:
        self._flock("LOCK_EX")

    def __exit__(self, *_: Any) -> None:
        self._flock("LOCK_UN")

    def _flock(self, how: str) -> None:
        try:
            import fcntl
        except ImportError:
            return  # Windows
        # held by the open file, so the system releases it when the process dies
        fcntl.flock(self._file.fileno(), getattr(fcntl, how))


def remove_folder(path: Path) -> None:
    """Remove a folder of ours with all that is in it."""
    shutil.rmtree(path)
