"""Files and folders of this user's state, closed to others (0700, files 0600)."""

from __future__ import annotations

import os
from pathlib import Path

from jupyter_graph.errors import DeployError


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
