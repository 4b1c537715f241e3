"""A bundle on disk: its files, whether it is ours, and its move into place."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from jupyter_graph.cells.source import place
from jupyter_graph.deployment.deploy_options import DeployOptions
from jupyter_graph.errors import BundleError

if TYPE_CHECKING:
    from jupyter_graph.cells.slice.module_slice import Slice

SOURCES = "SOURCES.json"
MAKER = "jupyter_graph"


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

    def at(self, folder: Path) -> Bundle:
        """Return the same bundle in another place."""
        return replace(self, folder=folder)


def place_of(part: Slice, line: int) -> str:
    """Return where a line of ``steps.py`` comes from."""
    if line in part.line_map:
        return place(*part.line_map[line])
    return f"steps.py, line {line}"


def check_is_ours(folder: Path) -> None:
    """Raise a BundleError when the folder holds something that is no bundle of ours."""
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return
    if not is_bundle(folder):
        raise BundleError(
            f"{str(folder)!r} is there already and is no bundle; choose another "
            "output, or remove it"
        )


def is_bundle(folder: Path) -> bool:
    """Return whether a folder is a bundle that this package wrote."""
    try:
        listed = json.loads((folder / SOURCES).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(listed, dict) and listed.get("made_by") == MAKER


def put_in_place(new: Path, folder: Path) -> None:
    """Move a finished folder to its place, instead of the one that was there."""
    if not folder.exists():
        new.replace(folder)
        return
    # A folder cannot replace a full one, so the old one steps aside, and back on error.
    old = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".old-{folder.name}-"))
    folder.replace(old / "bundle")
    try:
        new.replace(folder)
    except OSError:
        (old / "bundle").replace(folder)
        raise
    finally:
        shutil.rmtree(old, ignore_errors=True)


def set_modes(folder: Path, *, private: bool) -> None:
    """Let only the owner read a bundle, or everybody."""
    folder.chmod(0o700 if private else 0o755)
    for path in folder.rglob("*"):
        mode = (0o700 if private else 0o755) if path.is_dir() else 0
        path.chmod(mode or (0o600 if private else 0o644))


def hash_of(files: Mapping[str, str]) -> str:
    """Return one hash for all files, whatever order they come in."""
    lines = "".join(f"{path}\0{files[path]}\n" for path in sorted(files))
    return hashlib.sha256(lines.encode()).hexdigest()


def bundle_files(folder: Path) -> Iterator[Path]:
    """Yield the files of a bundle in a fixed order, without caches of Python."""
    for path in sorted(folder.rglob("*"), key=lambda path: path.as_posix()):
        if path.is_file() and "__pycache__" not in path.parts:
            yield path
