"""Folders of files that are written aside, and take their place when whole."""

from __future__ import annotations

from pathlib import Path

from jupyter_graph.connectors.files.atomic_files import beside, publish, remove_folder
from jupyter_graph.connectors.files.places import Place
from jupyter_graph.errors import SpecError


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
        self._append = append
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
        if self._append:
            self._move_files()

    def commit(self) -> None:
        """Put the files in their place; those that come later come beside them."""
        if self._path is None:
            return
        if self._append:
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
        self._append = True

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
        remove_folder(old)

    def _move_files(self) -> None:
        if self._path is None:
            return
        for file in sorted(self._path.rglob(f"*{self._suffix}")):
            inner = file.relative_to(self._path).as_posix()
            publish(file, _inside(self._place, inner))
        remove_folder(self._path)
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
