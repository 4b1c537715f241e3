"""A bundle on disk: its files, its zip, whether it is ours, its move into place."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

from jupyter_graph.cells.source import place
from jupyter_graph.deployment.deploy_options import DeployOptions
from jupyter_graph.deployment.private_files import read_object
from jupyter_graph.errors import BundleError

if TYPE_CHECKING:
    from jupyter_graph.cells.slice.module_slice import Slice

SOURCES = "SOURCES.json"
MAKER = "jupyter_graph"
OLDEST = (1980, 1, 1, 0, 0, 0)  # the earliest date a zip archive can hold


@dataclass(frozen=True, kw_only=True)
class Bundle:
    """A built bundle.

    Attributes:
        folder: where it lies.
        files: path → sha256, of every file but SOURCES.json.
        hash: of all files together.
        slice: the part of the cells that it holds.
        requirements: what the graph needs, pinned.
        options: what it was built with.
        cwd: the notebook's folder.
    """

    folder: Path
    files: Mapping[str, str]
    hash: str
    slice: Slice
    requirements: tuple[str, ...]
    options: DeployOptions
    cwd: Path | None = None

    def read(self, path: str) -> str:
        """Return the text of one of its files."""
        return (self.folder / path).read_text(encoding="utf-8")


def place_of(part: Slice, line: int) -> str:
    """Return where a line of ``steps.py`` comes from."""
    if line in part.line_map:
        return place(*part.line_map[line])
    return f"steps.py, line {line}"


def check_is_ours(place: Path, *, zipped: bool = False) -> None:
    """Raise a BundleError when something is there that is no bundle of ours."""
    is_empty = not zipped and place.is_dir() and not any(place.iterdir())
    is_ours = is_bundle_zip if zipped else is_bundle
    if place.exists() and not is_empty and not is_ours(place):
        raise BundleError(
            f"{str(place)!r} is there already and is no bundle; choose another "
            "output, or remove it"
        )


def is_bundle(folder: Path) -> bool:
    """Return whether a folder is a bundle that this package wrote."""
    return read_object(folder / SOURCES).get("made_by") == MAKER


def is_bundle_zip(path: Path) -> bool:
    """Return whether a file is a zip of a bundle that this package wrote."""
    try:
        with zipfile.ZipFile(path) as archive:
            return f'"made_by": "{MAKER}"' in archive.read(SOURCES).decode()
    except (OSError, KeyError, ValueError, zipfile.BadZipFile):
        return False


@contextmanager
def folder_beside(place: Path) -> Iterator[Path]:
    """Yield an empty folder beside a place; what is left in it at the end goes."""
    folder = Path(tempfile.mkdtemp(dir=place.parent, prefix=f".{place.name}-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def put_in_place(new: Path, folder: Path) -> None:
    """Move a finished folder to its place, instead of the one that was there."""
    if not folder.exists():
        new.replace(folder)
        return
    # A folder cannot replace a full one, so the old one steps aside, and back on error.
    with folder_beside(folder) as aside:
        folder.replace(aside / "bundle")
        try:
            new.replace(folder)
        except OSError:
            (aside / "bundle").replace(folder)
            raise


def set_modes(folder: Path, *, private: bool) -> None:
    """Let only the owner read a bundle, or everybody."""
    for path in (folder, *folder.rglob("*")):
        mode = 0o755 if path.is_dir() else 0o644
        path.chmod(mode & 0o700 if private else mode)


def hash_of(files: Mapping[str, str]) -> str:
    """Return one hash for all files, whatever order they come in."""
    lines = "".join(f"{path}\0{files[path]}\n" for path in sorted(files))
    return hashlib.sha256(lines.encode()).hexdigest()


def bundle_files(folder: Path) -> Iterator[Path]:
    """Yield the files of a bundle in a fixed order, without caches of Python."""
    for path in sorted(folder.rglob("*"), key=lambda path: path.as_posix()):
        if path.is_file() and "__pycache__" not in path.parts:
            yield path


def zip_bundle(folder: Path, file: IO[bytes], *, packed: bool = True) -> None:
    """Write a bundle as a zip archive; the same files make the same bytes.

    Args:
        folder: the bundle.
        file: an open binary file.
        packed: compress each file by itself.
    """
    kind = zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED
    with zipfile.ZipFile(file, "w", kind, compresslevel=9) as archive:
        for path in bundle_files(folder):
            info = zipfile.ZipInfo(path.relative_to(folder).as_posix(), OLDEST)
            info.external_attr = 0o644 << 16  # the mode stands in the upper half
            info.compress_type = kind
            info.create_system = 3  # Unix, on every system
            archive.writestr(info, path.read_bytes(), compresslevel=9)
