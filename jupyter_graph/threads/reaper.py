"""Ends, in a thread of its own, what was garbage-collected without being closed.

A finalizer runs in whatever thread the collector runs in, between any two instructions:
also while that thread holds the very lock that the finalizer would take, also on
somebody's event loop. So it waits for nothing (no lock, thread, process or queue); it
leaves a note (``SimpleQueue.put`` is made for that), and this thread, which holds no
lock, does the work.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import queue
import sys
import threading
import warnings
import weakref
from collections.abc import Callable
from functools import partial
from types import BuiltinMethodType
from typing import Any, NamedTuple, Self

from jupyter_graph.threads.on_demand import ThreadOnDemand
from jupyter_graph.threads.outcome import Outcome
from jupyter_graph.threads.running_cell import running_cell

PACKAGE = os.path.dirname(os.path.dirname(__file__)) + os.sep  # noqa: PTH120  # as co_filename
IDLE_S = 0.25
"""Seconds that the thread stays when there is nothing left to watch."""
LAST_S = 2.0
"""Seconds that the end of the process waits for what was left open."""


class Place(NamedTuple):
    """A line of somebody's code."""

    filename: str
    line: int


def caller() -> Place:
    """Return the innermost line that is not of this package, nor of contextlib."""
    frame: Any = sys._getframe(1)
    while frame.f_back is not None:
        filename = frame.f_code.co_filename
        if not filename.startswith(PACKAGE) and filename != contextlib.__file__:
            break
        frame = frame.f_back
    return Place(frame.f_code.co_filename, frame.f_lineno)


class Unclosed(weakref.ref[Any]):
    """Something open, until it is closed or garbage-collected.

    Args:
        owner: what shall be closed.
        release: ends what the owner has outside itself, in the reaper's thread, when
            the owner is collected unclosed. It must not refer to the owner.
        what: names the owner in the ResourceWarning; "" = none is issued, since what
            the owner belongs to issues one.
        at_exit: ``release`` is called at the end of the process, too.
    """

    __slots__ = ("at_exit", "cell", "is_warned", "place", "release", "what")

    def __new__(cls, owner: Any, *_: Any, what: str = "", **__: Any) -> Self:
        # Python calls `put` itself, without an instruction of ours in between: an
        # interrupt that comes in a callback is lost. A test that records warnings
        # wants them in the moment of the collection; its list waits for nothing.
        is_recorded = bool(what) and _is_recorded()
        return super().__new__(cls, owner, _warn_now if is_recorded else _note)

    def __init__(
        self,
        owner: Any,
        release: Callable[[], Any],
        *,
        what: str = "",
        at_exit: bool = False,
    ) -> None:
        self.what = what
        self.is_warned = not what
        self.release = release
        self.at_exit = at_exit
        self.place = caller()
        self.cell = running_cell()
        _reaper.watch(self)

    def __hash__(self) -> int:
        return id(self)

    def __eq__(self, other: object) -> bool:
        return self is other

    @property
    def owner(self) -> Any:
        """What is open; None once it was collected."""
        return self()

    def closed(self) -> None:
        """Forget it: its owner was closed, and has ended what it had."""
        _reaper.forget(self)

    def warn(self) -> None:
        """Issue a ResourceWarning, as files and sockets do."""
        self.is_warned = True
        warnings.warn_explicit(
            f"unclosed {self.what}; open it in a with statement, or call close()",
            ResourceWarning,
            *self.place,
            source=self,  # tracemalloc shows where this was made: at the opening
        )


def _is_recorded() -> bool:
    """Tell whether warnings go to a list now, as in ``catch_warnings(record=True)``.

    Anything else may print, log, or wait; that is for a thread of ours.
    """
    show = getattr(warnings, "_showwarnmsg_impl", None)
    return isinstance(show, BuiltinMethodType)


def all_open() -> list[Unclosed]:
    """Return what is open now, in no order."""
    return list(_reaper.watched.copy())


class _Reaper:
    """The one thread of the process for it; it runs only while something is open."""

    def __init__(self) -> None:
        self.notes: queue.SimpleQueue[Unclosed | Callable[[], Any] | None]
        self.notes = queue.SimpleQueue()
        self.forked()

    def forked(self) -> None:
        """Begin anew in a child process: it owns nothing of what its parent opened."""
        self.watched: set[Unclosed] = set()
        self.thread = ThreadOnDemand(self._run, "jupyter_graph-reaper", self._is_wanted)

    def watch(self, one: Unclosed) -> None:
        self.watched.add(one)
        self.thread.start_if_wanted()

    def do(self, work: Callable[[], Any]) -> None:
        """Do something in the reaper's thread, and wait for nothing."""
        self.notes.put(work)
        self.thread.start_if_wanted()

    def _is_wanted(self) -> bool:
        return bool(self.watched or not self.notes.empty())

    def forget(self, one: Unclosed) -> None:
        self.watched.discard(one)
        if not self.watched:
            self.notes.put(None)  # so that the thread looks whether it may end

    def _run(self) -> None:
        while True:
            try:
                note = self.notes.get(timeout=None if self.watched else IDLE_S)
            except queue.Empty:
                if not self.watched:
                    self.thread.ended()
                    return
                continue
            if isinstance(note, Unclosed):
                self._end(note)
            elif note is not None:
                _try(note)
            del note

    def _end(self, one: Unclosed) -> None:
        if one not in self.watched:
            return
        _try(one.release)
        if not one.is_warned and one.owner is None:
            _try(one.warn)  # a warning may be an error
        self.watched.discard(one)

    def end_all(self) -> None:
        """At the end of the process: end what must not outlive it, within seconds."""
        for one in self.watched.copy():
            if not one.is_warned:
                _try(one.warn)
            if one.at_exit:
                self.notes.put(one)
        if self.thread.is_running and not self.notes.empty():
            last = Outcome()
            self.notes.put(partial(last.settle, None))
            last.wait(LAST_S)


def _try(call: Callable[[], Any]) -> None:
    """Call something; report an error that nobody can catch."""
    try:
        call()
    except BaseException as error:
        thread = threading.current_thread()
        threading.excepthook(
            threading.ExceptHookArgs((type(error), error, error.__traceback__, thread))
        )


_reaper = _Reaper()
_note = _reaper.notes.put
do_elsewhere = _reaper.do


def _warn_now(one: Unclosed) -> None:
    # Asked again: warnings may be printed by now, which is for the reaper.
    warns = one in _reaper.watched and _is_recorded()
    one.is_warned = one.is_warned or warns
    _note(one)
    if warns:
        one.warn()


atexit.register(_reaper.end_all)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_reaper.forked)
