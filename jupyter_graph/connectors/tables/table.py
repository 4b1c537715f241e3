"""What a table is: values by key, and what all kinds of tables share."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any, Final, Protocol, TypeAlias, runtime_checkable

Change: TypeAlias = Callable[[Any], Any]
"""Makes the new value of a key from the old one."""

TIMEOUT_S = 5.0
STRIPES: Final = 64
MISSING: Final = object()
"""Stands for "there is no such key"; never stored."""


@runtime_checkable
class Table(Protocol):
    """Values by key, safe from several threads; one update of a key at a time.

    Keys are text. Values are JSON where they leave the process (``table_json``).
    Where another process is asked, every call ends within the table's time limit:

    Raises:
        ServiceUnavailableError: it cannot be reached, or broke off.
        GatewayTimeoutError: it did not answer in time, or others hold the key.
        InternalServerError: it refused, or holds something that is no value of ours.
        TypeError: a value cannot be kept there.
    """

    name: str

    def get(self, key: str, default: Any = None) -> Any:
        """Return the value of a key, ``default`` when there is none."""

    def put(self, key: str, value: Any) -> None:
        """Return once the value is kept, in place of the old one."""

    def update(self, key: str, change: Change, default: Any = None) -> Any:
        """Keep what ``change`` makes of the old value, and return it.

        Nobody else changes the key in between, in no process. So that this holds,
        ``change`` may be called again with a newer value; it must not use the table.
        """

    def delete(self, key: str) -> None:
        """Remove a key; one that is not there is no error."""

    def keys(self) -> Iterator[str]:
        """Return all keys, in no order."""

    def close(self) -> None:
        """Close connections; may be called twice."""


class KeyLocks:
    """One lock for each of some groups of keys: few threads wait for other keys."""

    def __init__(self) -> None:
        # Reentrant: a change may read the key that it is called for.
        self._locks = tuple(threading.RLock() for _ in range(STRIPES))

    def of(self, key: str) -> threading.RLock:
        """Return the lock that changes of this key hold."""
        return self._locks[hash(key) % STRIPES]


def masked(url: str) -> str:
    """Return a URL without its password, and without what stands behind ``?``.

    >>> masked("redis://ann:secret@host:6379/0")
    'redis://ann:***@host:6379/0'
    """
    # Imported late: most tables have no URL.
    from jupyter_graph.http_client.urls import without_password

    return without_password(url.partition("?")[0])
