"""A bundle folder, or a zip file of one, for somebody else to run."""

from __future__ import annotations

import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from jupyter_graph.deployment.bundle.bundle_folder import (
    MAKER,
    SOURCES,
    bundle_files,
    check_is_ours,
    put_in_place,
)
from jupyter_graph.deployment.index import Record, forget, remember
from jupyter_graph.deployment.targets import Job, Status
from jupyter_graph.errors import BundleError, DeployError

if TYPE_CHECKING:
    from jupyter_graph.deployment.bundle.bundle_folder import Bundle

OLDEST = (1980, 1, 1, 0, 0, 0)  # the earliest date a zip archive can hold


class ArchiveTarget:
    """Writes bundles where the user says."""

    def check(self, job: Job) -> None:
        """Raise a BundleError when the output is there and is no bundle of ours."""
        output = output_of(job)
        if output.suffix == ".zip":
            if output.exists() and not is_bundle_zip(output):
                raise BundleError(
                    f"{str(output)!r} is there already and is no bundle; choose "
                    "another output, or remove it"
                )
        else:
            check_is_ours(output)

    def start(self, job: Job, bundle: Bundle) -> tuple[Record, str]:
        """Put the bundle in its place; an older bundle there is replaced."""
        output = output_of(job)
        output.parent.mkdir(parents=True, exist_ok=True)
        if output.suffix == ".zip":
            _write_zip(bundle.folder, output)
            shutil.rmtree(bundle.folder, ignore_errors=True)
        else:
            _move(bundle.folder, output)
        before = job.before
        record = Record(
            name=job.options.name,
            target="archive",
            graph=job.graph,
            notebook=job.notebook,
            hash=bundle.hash,
            place=str(output),
            parity=job.parity,
            files=dict(bundle.files),
        )
        remember(record)
        is_same = before is not None and before.hash == record.hash
        return record, "unchanged" if is_same and before else ""

    def address(self, record: Record) -> str:
        """Refuse: a folder answers no events."""
        raise DeployError(
            f"{record.name!r} is an archive and answers no events; deploy it with "
            f"target local, or run: python -m jupyter_graph.host {record.place}"
        )

    def status(self, record: Record) -> Status:
        """Say whether the files are still there."""
        is_there = Path(record.place).exists()
        return Status("built" if is_there else "gone", message=record.place)

    def logs(self, record: Record) -> str:
        """Return nothing: nothing runs."""
        return ""

    def follow(self, record: Record) -> Iterator[str]:
        """Return nothing: nothing runs."""
        return iter(())

    def delete(self, record: Record) -> None:
        """Forget the archive; its files are the user's and stay."""
        forget(record)


def output_of(job: Job) -> Path:
    """Give the absolute output path; without a root it means the notebook's folder."""
    assert job.options.output is not None
    output = job.options.output.expanduser()
    folder = Path(job.notebook).parent if job.notebook else Path.cwd()
    return output if output.is_absolute() else (folder / output).resolve()


def _move(folder: Path, output: Path) -> None:
    """Move a bundle; on another disk it is copied beside its place first."""
    beside = Path(tempfile.mkdtemp(dir=output.parent, prefix=f".{output.name}-"))
    try:
        new = beside / "bundle"
        shutil.move(folder, new)
        put_in_place(new, output)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def zip_bundle(folder: Path, file: object, *, packed: bool = True) -> None:
    """Write a bundle as a zip archive; the same files give the same bytes.

    Args:
        folder: the bundle.
        file: an open binary file.
        packed: compress each file by itself.
    """
    kind = zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED
    with zipfile.ZipFile(file, "w", kind, compresslevel=9) as archive:  # type: ignore[call-overload]
        for path in bundle_files(folder):
            info = zipfile.ZipInfo(path.relative_to(folder).as_posix(), OLDEST)
            info.external_attr = 0o644 << 16
            info.compress_type = kind
            info.create_system = 3  # Unix, on every system
            archive.writestr(info, path.read_bytes(), compresslevel=9)


def is_bundle_zip(path: Path) -> bool:
    """Tell whether a file is a zip of a bundle that this package wrote."""
    try:
        with zipfile.ZipFile(path) as archive:
            return f'"made_by": "{MAKER}"' in archive.read(SOURCES).decode()
    except (OSError, KeyError, ValueError, zipfile.BadZipFile):
        return False


def _write_zip(folder: Path, output: Path) -> None:
    with tempfile.NamedTemporaryFile(
        dir=output.parent, prefix=f".{output.name}-", delete=False
    ) as file:
        temporary = Path(file.name)
        try:
            zip_bundle(folder, file)
        except BaseException:
            temporary.unlink()
            raise
    temporary.chmod(0o644)
    temporary.replace(output)
