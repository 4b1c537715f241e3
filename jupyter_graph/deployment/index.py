"""The deployments of this user, remembered on disk so that they outlive the kernel.

One folder per function in the state folder, ours alone (0700, files 0600)::

    functions/local/NAME/record.json   what is deployed, from where, under which URL
    functions/local/NAME/bundles/…     the bundle that is served
    functions/local/.NAME.lock        held while somebody deploys or deletes it
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_graph.errors import DeployError, did_you_mean

if TYPE_CHECKING:
    from jupyter_graph.deployment.deployment import Deployment

TARGETS = ("local", "nuclio", "archive")


@dataclass(frozen=True, kw_only=True)
class Record:
    """What is known about one deployment.

    Attributes:
        name: the function's name.
        target: where it runs.
        graph: the graph's name.
        notebook: path of the notebook or script it comes from; "" when unknown.
        hash: of everything that was deployed, options included.
        url: where it answers; "" when nothing listens.
        pid: process id of its host; local only.
        created: start of that process, seconds since 1970: a process id is used again.
        place: folder or file of the bundle.
        log: file with the host's output; local only.
        state: file in which the host says that it is ready; local only.
        project: of Nuclio.
        dashboard: URL of the Nuclio dashboard.
        parity: the text of the parity report.
        command: the words that started it.
        cwd: the folder it was started in.
        env: its plain environment variables.
        files: path → sha256 of every file of the bundle.
    """

    name: str
    target: str
    graph: str = ""
    notebook: str = ""
    hash: str = ""
    url: str = ""
    pid: int = 0
    created: float = 0.0
    place: str = ""
    log: str = ""
    state: str = ""
    project: str = ""
    dashboard: str = ""
    parity: str = ""
    command: tuple[str, ...] = ()
    cwd: str = ""
    env: dict[str, str] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)


def state_folder() -> Path:
    """Return the folder of our state, made when it is not there, closed to others.

    ``$JUPYTER_GRAPH_STATE_DIR`` says where, else the user's state folder is taken.
    """
    chosen = os.environ.get("JUPYTER_GRAPH_STATE_DIR")
    if not chosen:
        from platformdirs import user_state_dir

        chosen = user_state_dir("jupyter_graph")
    return private_folder(Path(chosen))


def private_folder(path: Path) -> Path:
    """Make a folder that only its owner enters.

    Raises:
        DeployError: it cannot be made, for instance because a file is in its place.
    """
    try:
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.chmod(0o700)
    except OSError as error:
        raise DeployError(
            f"cannot make the folder {str(path)!r}: {error.strerror}; set "
            "JUPYTER_GRAPH_STATE_DIR to a folder that you may write"
        ) from None
    return path


def function_folder(name: str, target: str) -> Path:
    """Return the folder that belongs to this function."""
    functions = private_folder(state_folder() / "functions")
    return private_folder(private_folder(functions / target) / name)


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner reads; a reader sees the old or the new one."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".new-")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
    Path(temporary).replace(path)


def remember(record: Record) -> None:
    """Put a deployment into the index, in place of the one of that name."""
    folder = function_folder(record.name, record.target)
    text = json.dumps(asdict(record), indent=1, sort_keys=True)
    write_private(folder / "record.json", text)


def forget(record: Record) -> None:
    """Take a deployment and its files out of the index."""
    shutil.rmtree(function_folder(record.name, record.target), ignore_errors=True)


def recall(name: str, target: str) -> Record | None:
    """Return what is remembered of a function, None when there is nothing."""
    path = state_folder() / "functions" / target / name / "record.json"
    return _read(path)


def _read(path: Path) -> Record | None:
    known = {entry.name for entry in fields(Record)}
    try:
        values: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        values = {key: value for key, value in values.items() if key in known}
        return Record(**{**values, "command": tuple(values.get("command", ()))})
    except (OSError, ValueError, TypeError, AttributeError):
        return None  # never written, half written by another version, or not ours


def records() -> list[Record]:
    """List what is remembered, by name."""
    found = (state_folder() / "functions").glob("*/*/record.json")
    read = [record for path in sorted(found) if (record := _read(path)) is not None]
    return sorted(read, key=lambda record: (record.name, TARGETS.index(record.target)))


def find_record(name: str) -> Record:
    """Return the deployment of this name; a local one before one elsewhere.

    Raises:
        DeployError: nothing of that name was deployed by this user.
    """
    everything = records()
    for record in everything:
        if record.name == name:
            return record
    names = [record.name for record in everything]
    listed = f" (deployed: {', '.join(names)})" if names else " (nothing is deployed)"
    raise DeployError(f"no deployment {name!r}{did_you_mean(name, names) or listed}")


def list_deployments() -> list[Deployment]:
    """List this user's deployments, also those of other kernels and notebooks."""
    from jupyter_graph.deployment.deployment import Deployment

    return [Deployment(record) for record in records()]


def find(name: str) -> Deployment:
    """Return the deployment of this name, whoever started it.

    Raises:
        DeployError: nothing of that name was deployed by this user.
    """
    from jupyter_graph.deployment.deployment import Deployment

    return Deployment(find_record(name))


@contextlib.contextmanager
def locked(name: str, target: str) -> Iterator[None]:
    """Hold a function's lock: one deploys or deletes it at a time.

    Raises:
        DeployError: another process holds it now.
    """
    path = function_folder(name, target).parent / f".{name}.lock"
    with path.open("a") as file:
        path.chmod(0o600)
        try:
            _lock(file.fileno())
        except OSError:
            raise DeployError(
                f"another process is deploying or deleting {name!r} now; "
                "wait until it is done"
            ) from None
        yield  # closing the file lets the lock go


def _lock(number: int) -> None:
    try:
        import fcntl
    except ImportError:  # Windows
        import msvcrt

        msvcrt.locking(number, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
    else:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
