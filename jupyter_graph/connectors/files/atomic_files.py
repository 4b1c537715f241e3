"""Files and folders that are written aside, and take their place when whole."""

from __future__ import annotations

import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from jupyter_graph.connectors.files.compression import packed
from jupyter_graph.connectors.files.places import Place
from jupyter_graph.errors import SpecError


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


class StagedBytes(Stage):
    """A ``Stage`` for bytes: each write is all there, or not at all."""

    def has_content(self) -> bool:
        """Tell whether rows stand in the file before the next ones."""
        if self.path is not None:
            return self.path.exists() and self.path.stat().st_size > 0
        return self.keep and self.place.exists()

    def write(self, data: bytes) -> None:
        with self.start_with_copy().open("ab", buffering=0) as file:
            append_whole(file, packed(data, self.place.packing))


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
            with _alone(file):
                if not self._place.packing and _is_torn(self._path):
                    data = b"\n" + data  # the last writer died in the midst of a row
                append_whole(file, packed(data, self._place.packing))

    def commit(self) -> None:
        """Do nothing: all is in its place already."""


def sink_for(place: Place, *, append: bool) -> StagedBytes | AppendedBytes:
    """Return where the bytes of a target go."""
    path = place.path
    # a pipe or a device cannot be replaced
    if path is not None and (append or (path.exists() and not path.is_file())):
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
        file.seek(max(0, file.seek(0, os.SEEK_END) - 1))
        return file.read(1) not in (b"", b"\n")


@contextmanager
def _alone(file: BinaryIO) -> Iterator[None]:
    """Keep other processes out of a file while it grows, where the system can."""
    try:
        import fcntl
    except ImportError:
        yield  # Windows
        return
    # held by the open file, so the system releases it when the process dies
    fcntl.flock(file.fileno(), fcntl.LOCK_EX)
    try:
        yield
    finally:
        fcntl.flock(file.fileno(), fcntl.LOCK_UN)


class StagedFolder:
    """Files for a folder: put there one by one, or all in place of the old ones.

    Args:
        place: the folder.
        append: each file goes there as soon as it is whole, and what is there stays.
        suffix: of the files; a folder that holds others is never replaced.

    Raises:
        SpecError: the folder would be replaced and holds other files.
    """

    def __init__(self, place: Place, *, append: bool, suffix: str) -> None:
        self._place = place
        self.shows_at_once = append
        self._suffix = suffix
        self._path: Path | None = None
        if place.path is not None and place.path.exists() and not place.path.is_dir():
            raise SpecError(f"{place} is a file, a folder was expected")
        if not append:
            self._check_old()

    def start(self) -> Path:
        """Return the folder aside to write whole files to."""
        if self._path is None:
            self._path = beside(self._place)
            self._path.mkdir(parents=True)
        return self._path

    def file_written(self) -> None:
        """Mark all staged files as whole; move appended ones to their place."""
        if self.shows_at_once:
            self._move_files()

    def commit(self) -> None:
        """Put the files in their place; those that come later come beside them."""
        if self._path is None:
            return
        if self.shows_at_once:
            self._move_files()
        elif self._place.path is not None:
            self._swap(self._path, self._place.path.resolve())
        else:
            old = self._old_files()
            self._move_files()
            fs, _ = self._place.file_system()
            for path in old:
                fs.rm_file(path)
        self._path = None
        self.shows_at_once = True

    def _swap(self, new: Path, there: Path) -> None:
        self._check_old()
        if not there.exists():
            new.rename(there)
            return
        old = there.with_name(f"{new.name}.old")
        there.rename(old)
        try:
            new.rename(there)
        except OSError:
            old.rename(there)
            raise
        shutil.rmtree(old)

    def _move_files(self) -> None:
        if self._path is None:
            return
        for file in sorted(self._path.rglob(f"*{self._suffix}")):
            publish(file, _inside(self._place, file.relative_to(self._path).as_posix()))
        shutil.rmtree(self._path)
        self._path = None

    def _check_old(self) -> None:
        path = self._place.path
        if path is None or not path.is_dir():
            return
        for file in path.rglob("*"):
            is_ours = file.suffix == self._suffix or file.name.startswith((".", "_"))
            if file.is_file() and not is_ours:
                raise SpecError(
                    f"{self._place} holds {file.name!r}, which is no {self._suffix} "
                    "file, so the folder is not replaced; name another, or append=True"
                )

    def _old_files(self) -> list[str]:
        fs, path = self._place.file_system()
        if not fs.exists(path):
            return []
        return [name for name in fs.find(path) if name.endswith(self._suffix)]


def _inside(folder: Place, inner: str) -> Place:
    if folder.path is not None:
        path = folder.path / inner
        return Place(path.as_uri(), path)
    return Place(f"{folder.url.rstrip('/')}/{inner}")
