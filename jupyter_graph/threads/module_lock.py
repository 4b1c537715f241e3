"""Locks of modules, which every forked child gets free."""

from __future__ import annotations

import os
import threading
from typing import Any


def module_lock() -> Any:
    """Return a re-entrant lock of a module's own, free in every forked child.

    A thread that holds it in the parent does not exist there, and would never release
    it. It is re-entrant since a finalizer of the user's that closes something may come
    while it is held.
    """
    lock = threading.RLock()
    reinit = getattr(lock, "_at_fork_reinit", None)  # what threading does with its own
    if reinit is not None and hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=reinit)
    return lock
