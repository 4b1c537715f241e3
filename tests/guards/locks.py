"""Locks of the package that notice when they are taken where nothing may wait.

A finalizer, a handler of a signal and a hook of ``os.fork`` run between any two
instructions of a thread. That thread may hold the very lock that they take, and then
it waits for itself for ever; how seldom that is does not matter. So it counts that the
lock is taken there at all, not whether it was free.
"""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable
from functools import partial
from types import FrameType
from typing import Any

PACKAGE = "jupyter_graph"
OF_USERS = "jupyter_graph.cells."
"""Modules that make what the user's cells make."""
BETWEEN = ("threading", "queue", "concurrent.futures._base")
"""Modules that make locks for those who call them."""
MOST_FRAMES = 12
"""Calls to look at, from the lock outwards: more would cost more than they find."""

get_ident = threading.get_ident


class _Last:
    """What the collector told at last, at the start or stop of a collection."""

    __slots__ = ("start",)
    stop = None


_Last.stop = _Last.start  # one place for both
_last, _of_thread = _Last(), threading.local()
_forking = 0
"""The thread that runs a fork hook of the package."""
_places: dict[str, set[int] | None] = {"__del__": None, "_warn_now": None}
"""Functions that run between two instructions, by name; None = all of that name."""
_found: deque[str] = deque(maxlen=50)
_from_forks = -1, -1
_pid = os.getpid()


class CheckedLock:
    """A lock and what it does, but it notes where it is taken.

    A ``with`` statement gets the methods of the real one, which is C: between a
    function of ours that had taken it and the statement, an interrupt could come, and
    it would stay locked.
    """

    __slots__ = ("__weakref__", "_real")

    def __init__(self, real: Any) -> None:
        self._real = real

    @property
    def __enter__(self) -> Callable[..., Any]:
        _check()
        return self._real.__enter__

    @property
    def __exit__(self) -> Callable[..., Any]:
        return self._real.__exit__

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        if blocking:
            _check()
        return self._real.acquire(blocking, timeout)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def __reduce__(self) -> Any:
        kind = type(self._real)
        raise TypeError(f"cannot pickle '{kind.__module__}.{kind.__name__}' object")

    def __repr__(self) -> str:
        return f"<checked {self._real!r}>"


class _Kind(type):
    """The class of what stands for ``threading.Lock``: a class, as in Python 3.13."""

    def __instancecheck__(cls, one: Any) -> bool:
        real = one._real if type(one) is CheckedLock else one
        return isinstance(real, type(cls.make()))

    def __call__(cls, *args: Any, **options: Any) -> Any:
        lock = cls.make(*args, **options)
        frame: FrameType | None = sys._getframe(1)
        while frame is not None and frame.f_globals.get("__name__") in BETWEEN:
            frame = frame.f_back
        return CheckedLock(lock) if frame and _is_of_package(frame) else lock


def install() -> None:
    """Check the locks that modules of the package make from now on."""
    global _from_forks
    _from_forks = os.pipe()
    os.set_blocking(_from_forks[0], False)
    threading.Lock = _kind("Lock", threading.Lock)
    threading.RLock = _kind("RLock", threading.RLock)
    signal.signal = _noting_handlers(signal.signal)
    if hasattr(os, "register_at_fork"):
        os.register_at_fork = _noting_hooks(os.register_at_fork)
    # All in C: an interrupt that comes in a callback of the collector is lost.
    _last.start = None
    gc.callbacks += [partial(setattr, _last), partial(setattr, _of_thread)]


def found() -> list[str]:
    """Return where locks were taken that must not be, since this was last asked."""
    texts: list[str] = []
    with contextlib.suppress(OSError):  # it is empty
        texts += os.read(_from_forks[0], 65536).decode(errors="replace").split("\0")
    while _found:
        texts.append(_found.popleft())
    return [text for text in texts if text]


def _kind(name: str, make: Callable[..., Any]) -> Any:
    # Under its usual name, a class that uses it travels to other processes.
    return _Kind(name, (), {"make": staticmethod(make), "__module__": "threading"})


def _is_of_package(frame: FrameType) -> bool:
    name = frame.f_globals.get("__name__") or ""
    return name.startswith(PACKAGE) and not name.startswith(OF_USERS)


def _noting_handlers(real: Callable[..., Any]) -> Callable[..., Any]:
    def signal(signalnum: Any, handler: Any) -> Any:
        module = getattr(handler, "__module__", None) or ""
        if module.startswith(PACKAGE) and hasattr(handler, "__code__"):
            ids = _places.setdefault(handler.__code__.co_name, set())
            if ids is not None:
                ids.add(id(handler.__code__))
        return real(signalnum, handler)

    return signal


def _noting_hooks(real: Callable[..., Any]) -> Callable[..., Any]:
    def register_at_fork(**hooks: Any) -> None:
        if _is_of_package(sys._getframe(1)):
            hooks = {when: _noted(hook) for when, hook in hooks.items()}
        real(**hooks)

    return register_at_fork


def _noted(hook: Callable[[], Any]) -> Callable[[], Any]:
    def run() -> None:
        global _forking
        _forking = get_ident()
        try:
            hook()
        finally:
            _forking = 0

    return run


def _is_collecting() -> bool:
    """Tell whether the garbage collector runs in this thread."""
    return getattr(_of_thread, "start", ()) is _last.start


def _check() -> None:
    if _is_collecting():
        _note("while the garbage collector ran")
    elif _forking == get_ident():
        _note("in a hook of os.fork")
    frame: FrameType | None = sys._getframe(2)
    for _ in range(MOST_FRAMES):
        if frame is None:
            return
        code = frame.f_code
        if code.co_name in _places:
            ids = _places[code.co_name]
            if id(code) in ids if ids else _is_of_package(frame):
                _note(f"below {code.co_qualname}")
                return
        frame = frame.f_back


def _note(where: str) -> None:
    """Keep it without taking a lock; in a fork, tell the process of the tests."""
    lines = [f"a lock was taken {where}, where nothing may wait:"]
    frame: FrameType | None = sys._getframe(3)
    while frame is not None and len(lines) <= MOST_FRAMES:
        code = frame.f_code
        lines.append(f"  {code.co_filename}:{frame.f_lineno} in {code.co_qualname}")
        frame = frame.f_back
    text = "\n".join(lines)
    if os.getpid() == _pid:
        _found.append(text)
    else:
        os.write(_from_forks[1], (text + "\0").encode()[:4096])
