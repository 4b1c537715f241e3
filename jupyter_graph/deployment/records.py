"""What is remembered of each deployment, on disk, so that it outlives the kernel.

One folder per function in the state folder, ours alone (0700, files 0600)::

    functions/local/NAME/record.json   what is deployed, from where, under which URL
    functions/local/NAME/bundles/…     the bundle that is served
    functions/local/.NAME.lock        held while somebody deploys or deletes it
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path

from jupyter_graph.deployment.private_files import (
    function_folder,
    read_object,
    state_folder,
)
from jupyter_graph.host.platform import write_private


@dataclass(frozen=True, kw_only=True)
class Record:
    """What is known about one deployment.

    Attributes:
        name: the function's name.
        target: where it runs.
        graph: the graph's name.
        notebook: path of the notebook or script it comes from; "" when unknown.
        kernel: the process that deployed it, where the notebook is unknown.
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
    kernel: str = ""
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
    return _read(state_folder() / "functions" / target / name / "record.json")


def _read(path: Path) -> Record | None:
    # Another version may have written fields that this one does not know.
    known = {entry.name for entry in fields(Record)}
    try:
        values = {key: v for key, v in read_object(path).items() if key in known}
        record = Record(**{**values, "command": tuple(values.get("command", ()))})
    except TypeError:
        return None  # never written, half written by another version, or not ours
    is_one = isinstance(record.name, str) and isinstance(record.target, str)
    return record if is_one else None


def read_records() -> Iterator[Record]:
    """Yield every record of this user, of all targets, in no order that counts."""
    for path in sorted((state_folder() / "functions").glob("*/*/record.json")):
        if (record := _read(path)) is not None:
            yield record
