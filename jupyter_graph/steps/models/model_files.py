"""Finding a model's file, also at a URL, and making sure that it is the one meant."""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit
from urllib.request import url2pathname

from jupyter_graph.errors import AccessDeniedError, SpecError
from jupyter_graph.http_client.fsspec_client import http_options, reason_of
from jupyter_graph.steps.models.model_schema import ModelSpec, read_model_spec

SPEC_FILE = "model_spec.yaml"
CACHE_VARIABLE: Final = "JUPYTER_GRAPH_CACHE"
"""The environment variable that names another cache folder."""

_VERSIONS: Final = ("ETag", "etag", "md5Hash", "mtime", "LastModified", "updated",
                    "last_modified", "created")  # fmt: skip


@dataclass(frozen=True, slots=True)
class ExtraFile:
    """A file that belongs to a model, such as the names of its classes."""

    path: str

    def local(self) -> str:
        """Return the path of a local copy."""
        return str(local_copy(self.path))

    def get(self) -> bytes:
        """Return what the file holds."""
        return Path(self.local()).read_bytes()

    def as_df(self) -> Any:
        """Return the table in a CSV, Parquet or JSON file."""
        import pandas as pd

        path = Path(self.local())
        readers = {
            ".csv": pd.read_csv,
            ".parquet": pd.read_parquet,
            ".pq": pd.read_parquet,
            ".json": pd.read_json,
        }
        if path.suffix not in readers:
            raise SpecError(
                f"{path.name} is no table; known are {', '.join(readers)} files"
            )
        return readers[path.suffix](path)


@dataclass(frozen=True, slots=True)
class ModelFile:
    """Where a model lies.

    Attributes:
        path: its file or folder, on this machine.
        sha256: what its content must be; None when anything goes.
        spec: what a ``model_spec.yaml`` beside it says.
        extra: more files that belong to it.
    """

    path: Path
    sha256: str | None = None
    spec: ModelSpec | None = None
    extra: Mapping[str, ExtraFile] = field(default_factory=dict)

    def read(self) -> bytes:
        """Return the content, compared with ``sha256`` after it was read.

        Raises:
            SpecError: it is another one.
        """
        data = self.path.read_bytes()
        self._compare(hashlib.sha256(data).hexdigest() if self.sha256 else "")
        return data

    def checked(self) -> Path:
        """Return the path, for what cannot be loaded from memory; compared just before.

        Raises:
            SpecError: the content is another one.
        """
        self._compare(digest_of(self.path) if self.sha256 else "")
        return self.path

    def _compare(self, digest: str) -> None:
        if self.sha256 and not hmac.compare_digest(digest, self.sha256.lower()):
            raise SpecError(
                f"{self.path.name} has the SHA-256 {digest}, but sha256 says "
                f"{self.sha256}: it is not the file that was meant"
            )


def check_sha256(sha256: Any) -> None:
    """Refuse what is no SHA-256.

    Raises:
        SpecError: it is neither None nor 64 hexadecimal digits.
    """
    fits = sha256 is None or (
        isinstance(sha256, str) and re.fullmatch("[0-9a-fA-F]{64}", sha256)
    )
    if not fits:
        raise SpecError(f"sha256 must be 64 hexadecimal digits, got {sha256!r}")


def find_model(
    model_path: str, suffixes: tuple[str, ...] = (), *, sha256: str | None = None
) -> ModelFile:
    """Return the model at a path: a file, a folder of one, or ``model_spec.yaml``.

    Args:
        model_path: a path, or a URL that fsspec knows.
        suffixes: how the model's file may end; without any, a folder is the model.
        sha256: of the model's file; of a folder, see ``digest_of``.

    Raises:
        SpecError: there is none, or there are several.
    """
    path = local_copy(model_path, sha256=sha256)
    if path.is_file() and path.suffix == ".yaml":
        return _described(path, sha256)
    if path.is_file() or not suffixes:
        return ModelFile(path, sha256)
    if (path / SPEC_FILE).is_file():
        return _described(path / SPEC_FILE, sha256)
    names = sorted(one.name for one in path.iterdir() if one.is_file())
    matching = [name for name in names if name.endswith(suffixes)]
    if len(matching) == 1:
        return ModelFile(path / matching[0], sha256)
    wanted = " or ".join(suffixes)
    if matching:
        raise SpecError(
            f"folder {str(path)!r} holds several {wanted} files: "
            f"{', '.join(matching)}; name one of them"
        )
    raise SpecError(
        f"folder {str(path)!r} holds no {wanted} file, but "
        f"{', '.join(names) or 'nothing'}"
    )


def _described(path: Path, sha256: str | None) -> ModelFile:
    spec = read_model_spec(path)
    if not spec.model_file:
        raise SpecError(f"{path} names no model_file")
    file = path.parent / spec.model_file
    if not file.exists():
        raise SpecError(f"{path} names the model_file {spec.model_file!r}: not there")
    extra = {
        key: ExtraFile(one if "://" in one else str(path.parent / one))
        for key, one in spec.extra_data.items()
    }
    return ModelFile(file, sha256, spec, extra)


# -- files at a URL, kept in a cache of the user's -----------------------------------


def local_copy(url: str, *, sha256: str | None = None) -> Path:
    """Return the local path of a file or folder.

    A path and a ``file://`` URL stay where they are. What another URL names is copied
    once for each version of it: the cache is asked by the URL together with
    ``sha256``, or else with what the store says of its version. A store that says
    nothing of it is read each time.

    Args:
        url: a path, or a URL that fsspec knows (``s3://``, ``gs://``, ``https://`` …).
        sha256: the content that is expected; the caller compares.

    Raises:
        SpecError: there is no such file, or the store cannot be reached.
    """
    scheme = url.partition("://")[0] if "://" in url else ""
    if scheme == "store":
        raise SpecError(
            f"{url!r} is kept by an MLRun server; give the path or URL of its file"
        )
    if scheme in ("", "file"):
        path = Path(url2pathname(urlsplit(url).path) if scheme else url).expanduser()
        if not path.exists():
            raise SpecError(f"there is no file or folder {str(path)!r}")
        return path
    return _fetched(url, sha256)


def cache_folder() -> Path:
    """Return the folder of the cache, made for this user alone."""
    chosen = os.environ.get(CACHE_VARIABLE)
    if not chosen:
        from platformdirs import user_cache_dir

        chosen = user_cache_dir("jupyter_graph")
    folder = Path(chosen).expanduser() / "models"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def _fetched(url: str, sha256: str | None) -> Path:
    try:
        import fsspec
    except ImportError:
        raise SpecError(
            'a model at a URL needs fsspec; pip install "fsspec>=2024.2"'
        ) from None
    try:
        store, path = fsspec.core.url_to_fs(url, **http_options(url))
        info = store.info(path)
    except (AccessDeniedError, ImportError, OSError, ValueError) as error:
        raise SpecError(f"{url!r} cannot be read: {reason_of(error)}") from error
    version = sha256 or next((str(info[key]) for key in _VERSIONS if info.get(key)), "")
    key = hashlib.sha256(f"{url}\0{version}\0{info.get('size')}".encode()).hexdigest()
    target = cache_folder() / key / (path.rstrip("/").rpartition("/")[2] or "model")
    if version and target.exists():
        return target
    try:
        _copy(store, path, target)
    except (AccessDeniedError, OSError) as error:
        reason = reason_of(error)
        raise SpecError(f"{url!r} cannot be copied to {target}: {reason}") from error
    return target


def _copy(store: Any, path: str, target: Path) -> None:
    """Copy beside the target, then move, so that no process sees half a file."""
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        part = Path(folder) / target.name
        store.get(path, str(part), recursive=store.isdir(path))
        if part.is_dir() and target.exists():
            shutil.rmtree(target)
        part.replace(target)


def digest_of(path: Path) -> str:
    """Return the SHA-256 of a file, or of a folder's names and contents."""
    if path.is_file():
        with path.open("rb") as opened:
            return hashlib.file_digest(opened, "sha256").hexdigest()
    whole = hashlib.sha256()
    for file in sorted(one for one in path.rglob("*") if one.is_file()):
        name = file.relative_to(path).as_posix()
        whole.update(f"{name}\0{digest_of(file)}\n".encode())
    return whole.hexdigest()
