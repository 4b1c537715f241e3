"""A bundle as a zip archive."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import IO

from jupyter_graph.deployment.bundle.bundle_folder import MAKER, SOURCES, bundle_files

OLDEST = (1980, 1, 1, 0, 0, 0)  # the earliest date a zip archive can hold


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


def is_bundle_zip(path: Path) -> bool:
    """Return whether a file is a zip of a bundle that this package wrote."""
    try:
        with zipfile.ZipFile(path) as archive:
            return f'"made_by": "{MAKER}"' in archive.read(SOURCES).decode()
    except (OSError, KeyError, ValueError, zipfile.BadZipFile):
        return False
