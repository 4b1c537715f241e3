"""This user's state: its folders, closed to others (0700), its files and locks."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from jupyter_graph.errors import DeployError


def state_folder() -> Path:
    """Return the folder of our state, made when it is not there, closed to others.

    ``$JUPYTER_GRAPH_STATE_DIR`` says where, else the user's state folder is taken.
    """
    from platformdirs import user_state_dir

    chosen = os.environ.get("JUPYTER_GRAPH_STATE_DIR")
    return private_folder(Path(chosen or user_state_dir("jupyter_graph")))


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


def read_object(path: Path) -> dict[str, Any]:
    """Return the JSON object in a file, an empty one where there is none."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return document if isinstance(document, dict) else {}


def function_folder(name: str, target: str) -> Path:
    """Return the folder that belongs to this function."""
    functions = private_folder(state_folder() / "functions")
    return private_folder(private_folder(functions / target) / name)


@contextlib.contextmanager
def locked(name: str, target: str) -> Iterator[None]:
    """Hold a function's lock: one deploys or deletes it at a time.

    Raises:
        DeployError: another process holds it now.
    """
    # Beside the folder: deleting the function must not take the lock away.
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
        yield  # closing the file releases the lock


def _lock(number: int) -> None:
    try:
        import fcntl
    except ImportError:  # Windows
        import msvcrt

        msvcrt.locking(number, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
    else:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
