"""Files from a URL, kept in a cache of the user's."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit
from urllib.request import url2pathname

from jupyter_graph.errors import AccessDeniedError, SpecError
from jupyter_graph.http_client.fsspec_client import http_options, reason_of

CACHE_VARIABLE: Final = "JUPYTER_GRAPH_CACHE"
"""The environment variable that names another cache folder."""

_VERSIONS: Final = ("ETag", "etag", "md5Hash", "mtime", "LastModified", "updated",
                    "last_modified", "created")  # fmt: skip


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
