"""One deploys or deletes a function at a time, whatever process it is in."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from jupyter_graph.deployment.private_files import function_folder
from jupyter_graph.errors import DeployError


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
