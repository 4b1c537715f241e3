"""Where files are: paths of this machine, and URLs of everything fsspec reaches."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, TypeAlias
from urllib.parse import urlsplit

from jupyter_graph.connectors.extras import needed
from jupyter_graph.connectors.files.compression import PACKED, unpacked
from jupyter_graph.errors import AccessDeniedError, SpecError
from jupyter_graph.http_client.fsspec_client import http_options
from jupyter_graph.http_client.urls import without_password

Where: TypeAlias = "str | os.PathLike[str]"


@dataclass(frozen=True, slots=True)
class Place:
    """A file or folder: on this machine (``path``), or behind a URL.

    >>> place_of("memory://out/rows.csv.gz").kind
    '.csv'
    """

    url: str
    path: Path | None = None

    def __str__(self) -> str:
        """Return the path or URL as a message may show it, without a password."""
        return str(self.path) if self.path is not None else without_password(self.url)

    @property
    def name(self) -> str:
        """The last part of the path."""
        if self.path is not None:
            return self.path.name
        return PurePosixPath(urlsplit(self.url).path or urlsplit(self.url).netloc).name

    @property
    def packing(self) -> str:
        """The suffix that says how the file is compressed, "" when it is not."""
        suffix = PurePosixPath(self.name).suffix.lower()
        return suffix if suffix in PACKED else ""

    @property
    def kind(self) -> str:
        """The suffix that says what is in the file, in lower case."""
        name = self.name[: len(self.name) - len(self.packing)]
        return PurePosixPath(name).suffix.lower()

    def exists(self) -> bool:
        if self.path is not None:
            return self.path.exists()
        fs, path = self.file_system()
        return bool(fs.exists(path))

    def is_folder(self) -> bool:
        if self.path is not None:
            return self.path.is_dir()
        fs, path = self.file_system()
        return bool(fs.isdir(path))

    def file_system(self) -> tuple[Any, str]:
        """Return fsspec's file system, and the path there."""
        core = needed("fsspec.core", "batch", without_password(self.url))
        try:
            fs, path = core.url_to_fs(self.url, **http_options(self.url))
        except ImportError as missing:
            raise SpecError(
                f"{without_password(self.url)!r} cannot be opened here: {missing}; "
                'pip install "jupyter_graph[batch]" and the package it names'
            ) from missing
        except AccessDeniedError as refused:
            raise SpecError(str(refused)) from None
        except ValueError as unknown:
            raise SpecError(
                f"{without_password(self.url)!r} cannot be opened: {unknown}"
            ) from unknown
        return fs, path

    @contextmanager
    def reading(self) -> Iterator[BinaryIO]:
        """Open to read; compressed files are decompressed."""
        with self.raw() as file, unpacked(file, self.packing) as plain:
            yield plain

    def raw(self) -> Any:
        """Open to read the bytes as they are."""
        if self.path is not None:
            return self.path.open("rb")
        fs, path = self.file_system()
        return fs.open(path, "rb")

    def copy_to(self, local: Path) -> None:
        """Copy the bytes as they are to a file of this machine."""
        with self.raw() as source, local.open("wb") as copy:
            shutil.copyfileobj(source, copy, 1 << 20)


def place_of(where: Where, *, worker: str = "0") -> Place:
    """Read a path or a URL; a path without a root is relative to the working folder.

    Args:
        where: a path, or a URL such as ``memory://…`` or ``s3://…``; ``{worker}``
            in it becomes the number of the worker.
        worker: that number.

    Raises:
        SpecError: it is neither, or nothing that is installed can open it.
    """
    text = os.fspath(where) if isinstance(where, str | os.PathLike) else None
    if not isinstance(text, str) or not text:
        raise SpecError(f"a path or URL must be a text or a Path, got {where!r}")
    text = text.replace("{worker}", worker)
    scheme, mark, rest = text.partition("://")
    if mark and scheme not in ("file", "local"):
        place = Place(text)
        place.file_system()
        return place
    path = Path(rest if mark else text).expanduser().absolute()
    return Place(path.as_uri(), path)


def place_to_write(where: Where, context: Any = None) -> Place:
    """Read the path or URL of a target, for the worker that a step runs in.

    Raises:
        SpecError: as ``place_of``, and for what can only be read.
    """
    place = place_of(where, worker=str(getattr(context, "worker_id", "0")))
    if place.url.startswith(("http://", "https://")):
        raise SpecError(f"{place} can only be read; HTTPTarget sends rows to a URL")
    if place.packing == ".zip":
        raise SpecError(f"{place}: rows cannot be added to a .zip, use .gz or .zst")
    return place


def place_to_read(where: Where) -> Place:
    """Read the path or URL of a source; a path of this machine must exist.

    Raises:
        SpecError: as ``place_of``, and when there is no such file.
    """
    place = place_of(where)
    if place.path is not None and not place.path.exists():
        raise SpecError(f"there is no file {str(place.path)!r}")
    return place
