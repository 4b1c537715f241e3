"""What a test left open: runners, pools, threads, processes and sockets."""

from __future__ import annotations

import gc
import os
import re
import socket
import subprocess
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import CodeType, FrameType, FunctionType, ModuleType
from typing import Any, NamedTuple, Self

import pytest

from jupyter_graph.run.deadline import step_threads
from jupyter_graph.threads.reaper import Unclosed, all_open
from jupyter_graph.threads.stack_frames import frame_of
from tests.guards import locks

SOON_S, FIRST_S, LAST_S = 0.2, 2.0, 1.0
"""Seconds until the garbage is collected: when no runner is open, when one is; and
those that what is open has then."""
LOOK_S = 0.01
LOOPS = "jupyter_graph functions", "fsspecIO"
"""Threads of event loops that stay, and so do their sockets."""
OF_THE_PROCESS = "jupyter_graph-reaper", "jupyter_graph-watchdog", *LOOPS
OF_PYTHON = re.compile(r"multiprocessing\.(resource_tracker|forkserver)")
"""Processes of the standard library that stay until the end of this one."""
OUTSIDE = ModuleType | type | CodeType | FrameType
"""Kinds of objects that are no part of what refers to them."""
MOST_PARTS = 20_000


class Open(NamedTuple):
    """What is open at one moment."""

    unclosed: frozenset[Unclosed]
    threads: frozenset[threading.Thread]
    processes: frozenset[str]
    sockets: frozenset[str]

    @classmethod
    def now(cls) -> Self:
        return cls(
            frozenset(all_open()),
            frozenset(_threads()),
            frozenset(_processes()),
            frozenset(_sockets()),
        )

    def but(self, other: Open) -> Open:
        """Return what is not open in the other one."""
        return Open(*(mine - its for mine, its in zip(self, other, strict=True)))

    def plus(self, other: Open) -> Open:
        """Return what is open in either of them."""
        return Open(*(mine | its for mine, its in zip(self, other, strict=True)))

    def __bool__(self) -> bool:
        return any(self[:])

    def told(self) -> list[str]:
        """Name each, and say where it was opened as far as that is known."""
        return [
            *(_unclosed_told(one) for one in self.unclosed),
            *(_thread_told(one) for one in self.threads),
            *(f"process {pid}: {_command(pid)[:200]}" for pid in self.processes),
            *(_socket_told(link) for link in self.sockets),
        ]


def left_open(before: Open, kept: Iterable[Any] = ()) -> list[str]:
    """Wait for what ends by itself; name what was not open before and does not end.

    Args:
        before: what was open before the test.
        kept: what outlives the test; what belongs to it may be open.
    """
    began, is_collected, told = time.monotonic(), False, []
    while left := Open.now().but(before):
        seconds = time.monotonic() - began
        if seconds > FIRST_S + LAST_S:
            break
        # Whoever closes a runner leaves it to no collector, but sockets are often left.
        forgotten = [one for one in left.unclosed if one.owner is not None]
        if not is_collected and seconds > (FIRST_S if forgotten else SOON_S):
            told = [_unclosed_told(one) for one in forgotten]
            before, is_collected = before.plus(_parts_of(before, kept)), True
            gc.collect()
        time.sleep(LOOK_S)
    return list(dict.fromkeys(told + left.told()))


# -- what there is --------------------------------------------------------------


def _threads() -> Iterator[threading.Thread]:
    for thread in threading.enumerate():
        name = thread.name
        is_ours = name.startswith("jupyter_graph") and name not in OF_THE_PROCESS
        if is_ours and not (name == "jupyter_graph-step" and _waits_for_work(thread)):
            yield thread


def _waits_for_work(thread: threading.Thread) -> bool:
    """Tell whether a thread for steps is in no step, and so ends soon."""
    with frame_of(thread.ident) as frame:
        return frame is None or frame.f_code.co_filename == step_threads.__file__


def _processes() -> Iterator[str]:
    """Give the children of this process that run the same Python."""
    for task in _names("/proc/self/task"):
        try:
            text = Path(f"/proc/self/task/{task}/children").read_text()
        except OSError:
            continue
        for pid in text.split():
            if _link(f"/proc/{pid}/exe") == _python() and not OF_PYTHON.search(
                _command(pid)
            ):
                yield pid


def _sockets() -> Iterator[str]:
    """Give the sockets of this process; the number in each link names it for good."""
    for name in _names("/proc/self/fd"):
        link = _link(f"/proc/self/fd/{name}")
        if link.startswith("socket:"):
            yield link


def _names(folder: str) -> list[str]:
    try:
        return os.listdir(folder)  # noqa: PTH208  # twice as fast, before each test
    except OSError:  # there is no /proc
        return []


def _link(path: str) -> str:
    try:
        return os.readlink(path)  # noqa: PTH115  # as above
    except OSError:  # it has just gone
        return ""


def _python() -> str:
    return _link("/proc/self/exe")


def _command(pid: str) -> str:
    try:
        words = Path(f"/proc/{pid}/cmdline").read_text(errors="replace")
    except OSError:
        return ""
    return words.replace("\0", " ")


def _parts_of(before: Open, kept: Iterable[Any]) -> Open:
    """Give what belongs to what was open before, is kept, or is the process's own.

    A runner of a whole module, say, starts threads when its first event comes.
    """
    threads = threading.enumerate()
    todo: list[Any] = [one.release for one in before.unclosed if one.owner is not None]
    todo += [one.owner for one in before.unclosed]
    todo += [_target(thread) for thread in threads if thread.name in LOOPS]
    todo += kept
    parts = {id(part): part for part in todo}
    while todo and len(parts) < MOST_PARTS:
        one = todo.pop()
        inside = one.__closure__ if isinstance(one, FunctionType) else one
        for part in gc.get_referents(inside):
            if not isinstance(part, OUTSIDE) and id(part) not in parts:
                parts[id(part)] = part
                todo.append(part)
    links = [
        _link(f"/proc/self/fd/{one.fileno()}")
        for one in parts.values()
        if isinstance(one, socket.socket)
    ]
    pids = [str(one.pid) for one in parts.values() if isinstance(one, subprocess.Popen)]
    ours = [one for one in threads if {id(one), id(_target(one))} & parts.keys()]
    return Open(frozenset(), frozenset(ours), frozenset(pids), frozenset(links))


def _target(thread: threading.Thread) -> Any:
    """Give the object whose method a thread runs."""
    return getattr(getattr(thread, "_target", None), "__self__", thread)


# -- what is said of it ---------------------------------------------------------


def _unclosed_told(one: Unclosed) -> str:
    what = one.what or type(one.owner).__name__
    return f"{what}, opened at {one.place.filename}:{one.place.line}"


def _thread_told(thread: threading.Thread) -> str:
    places: list[str] = []
    with frame_of(thread.ident) as frame:
        while frame is not None and len(places) < 4:
            places.append(f"{frame.f_code.co_filename}:{frame.f_lineno}")
            frame = frame.f_back
    return f"thread {thread.name!r}, which is at {' in '.join(places)}"


def _socket_told(link: str) -> str:
    for name in _names("/proc/self/fd"):
        if _link(f"/proc/self/fd/{name}") == link:
            return next(
                (
                    repr(one)
                    for one in gc.get_objects()
                    if isinstance(one, socket.socket) and one.fileno() == int(name)
                ),
                f"a socket with the number {name}",
            )
    return link


# -- the guard ------------------------------------------------------------------


@pytest.fixture(autouse=True)
def leaves_nothing_open(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test that leaves open what it opened, or takes a lock in a finalizer.

    What a fixture of a module or of the session opens is not the test's.
    """
    request.node.stash[BEFORE] = Open.now()
    yield
    if not _may_leave_open(request.node):
        kept = _values_of_wider_fixtures(request)
        if left := left_open(request.node.stash[BEFORE], kept):
            pytest.fail("left open:\n" + "\n".join(left), pytrace=False)
    if taken := locks.found():
        pytest.fail("\n\n".join(taken), pytrace=False)


def _may_leave_open(item: pytest.Item) -> bool:
    marker = item.get_closest_marker("leaves_open")
    if marker is not None and not (marker.args or marker.kwargs.get("reason")):
        pytest.fail("leaves_open needs a reason", pytrace=False)
    return marker is not None


def _values_of_wider_fixtures(request: pytest.FixtureRequest) -> list[Any]:
    return [
        made.cached_result[0]
        for made in request._fixture_defs.values()
        if made.scope != "function" and made.cached_result is not None
    ]


BEFORE = pytest.StashKey[Open]()


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(fixturedef: Any, request: pytest.FixtureRequest) -> Any:
    """Take what fixtures of more than one test open for open before."""
    item = getattr(request, "_pyfuncitem", None)
    if fixturedef.scope == "function" or item is None or BEFORE not in item.stash:
        return (yield)
    before = Open.now()
    try:
        return (yield)
    finally:
        opened = Open.now().but(before)
        item.stash[BEFORE] = item.stash[BEFORE].plus(opened)
