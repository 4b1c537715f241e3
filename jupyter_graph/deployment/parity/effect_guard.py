"""Refuses what a check may not do: write files, use the network, start processes.

An audit hook (PEP 578) of the process that runs a bundle only to compare its answers.
It raises where code outside of the process's own folder would change something, and
notes each case. Started by its path, with the standard library alone.

What it cannot see is C code that opens files or connections past Python: the writers of
Arrow and the clients of some databases. Our own connectors know by
``context.is_parity`` that they may only read, so what they open is let through.
"""

from __future__ import annotations

import functools
import json
import os
import sys
import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any, Final

VARIABLE: Final = "JUPYTER_GRAPH_EFFECT_GUARD"
"""Tells the processes of a step where to find this file, their folder and the notes."""

READERS: Final = tuple(
    os.sep.join(("", "jupyter_graph", *place))
    for place in (
        ("connectors", ""), ("http_client", ""), ("processes", "subprocess_worker.py")
    )
)  # fmt: skip
"""Code of ours that only reads during a check, or starts what is guarded."""

ASKED_ONLY: Final = frozenset({"lscpu", "uname", "sysctl", "ldconfig", "ldconfig.real"})
"""Programs by which libraries ask what machine this is."""

WRITES: Final = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
NOWHERE: Final = frozenset({os.devnull, "/dev/tty", "/dev/stdout", "/dev/stderr"})

Args = tuple[Any, ...]
Found = tuple[str, str]
"""A verb and what it is about, such as ``("writes", "/data/log.txt")``."""


class BlockedEffect(PermissionError):
    """A step wants to change something outside while its answers are compared."""


class EffectGuard:
    """The hook of one process.

    Args:
        bundle: the bundle's folder.
        folder: what may be written: a folder for this check alone.
        notes: the file that gets a JSON line for each effect that was refused.
    """

    def __init__(self, bundle: str, folder: str, notes: str) -> None:
        self.bundle = os.path.join(bundle, "")
        self.folder = os.path.realpath(folder)
        self.notes = notes
        self._file = os.open(notes, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
        self._read = 0
        self._local = threading.local()
        self._checks: dict[str, Callable[[Args], Found | None]] = dict(_rows(self))

    def install(self) -> EffectGuard:
        """Begin; a hook cannot be taken away."""
        own = [__file__, self.bundle, self.folder, self.notes]
        os.environ[VARIABLE] = json.dumps(own)
        self.let_databases_be_read()
        sys.addaudithook(self._hook)
        return self

    def taken(self) -> list[dict[str, Any]]:
        """Return what was refused since the last call, in this process or a step's."""
        lines = bytearray()
        while part := os.pread(self._file, 65536, self._read + len(lines)):
            lines += part
        whole = lines[: lines.rfind(b"\n") + 1]
        self._read += len(whole)
        return [json.loads(line) for line in whole.splitlines()]

    def _hook(self, event: str, args: Args) -> None:
        check = self._checks.get(event)
        if check is None or getattr(self._local, "is_inside", False):
            return
        self._local.is_inside = True
        try:
            found = check(args)
            if found is not None:
                self.refuse(*found)
        finally:
            self._local.is_inside = False

    def refuse(self, verb: str, what: str) -> None:
        """Note an effect and raise, unless code of ours is known only to read."""
        place = self._place()
        if place is None:
            return
        note = {"verb": verb, "what": what, **place}
        os.write(self._file, json.dumps(note).encode() + b"\n")
        raise BlockedEffect(f"refused while answers are compared: {verb} {what}")

    # -- files ------------------------------------------------------------------

    def is_free(self, path: Any, folder_fd: Any = -1) -> bool:
        """Tell whether a path may be changed."""
        if path is None or isinstance(path, int):
            return True  # an open file: it was asked for when it was opened
        text = os.fsdecode(path)
        if text in NOWHERE:
            return True
        if isinstance(folder_fd, int) and folder_fd >= 0:
            text = os.path.join(_folder_of(folder_fd), text)
        # A link itself is removed or renamed, not what it leads to.
        head, tail = os.path.split(text)
        real = os.path.join(os.path.realpath(head or "."), tail)
        inside = (self.folder + os.sep, self.folder)
        return real.startswith(inside[0]) or os.path.realpath(text) == inside[1]

    def opened(self, args: Args) -> Found | None:
        path, _, flags = args
        if not isinstance(flags, int) or not flags & WRITES or self.is_free(path):
            return None
        return "writes", _shown(path)

    def database(self, args: Args) -> Found | None:
        path = os.fsdecode(args[0]) if isinstance(args[0], bytes | str) else args[0]
        bare, _, query = str(path).partition("?")
        bare = bare.removeprefix("file:")
        if _is_in_memory(bare, query) or self.is_free(bare):
            return None
        if not os.path.exists(bare):
            return "creates the database", _shown(bare)
        if not getattr(self._local, "is_asked", False):
            return "opens the database", _shown(bare)
        self._local.database = None if self._place() is None else bare
        return None

    def let_databases_be_read(self) -> None:
        """Open databases that are there, and ask before each of their statements.

        No event tells of statements, so ``sqlite3.connect`` sets SQLite's own hook.
        """
        try:
            import sqlite3
        except ImportError:
            return
        connect = sqlite3.connect

        def connect_asking(*args: Any, **options: Any) -> Any:
            local = self._local
            local.is_asked, local.database = True, None
            try:
                connection = connect(*args, **options)
            finally:
                local.is_asked = False
            if self._place() is not None:  # in memory, too: it may attach a file
                ask = functools.partial(self._asked_of, local.database)
                connection.set_authorizer(ask)
            return connection

        dbapi: Any = sqlite3.dbapi2
        sqlite3.connect = dbapi.connect = connect_asking

    def _asked_of(self, path: str | None, action: int, *about: str | None) -> int:
        """Answer SQLite, which asks before it compiles a statement.

        Args:
            path: the database, None for one that may be written.
            action: what the statement does, a number of sqlite3.h.
            *about: what it does that to; the third is the database's name.
        """
        if action == SQLITE_ATTACH:
            bare, _, query = str(about[0] or "").partition("?")
            bare = bare.removeprefix("file:")
            if _is_in_memory(bare, query) or self.is_free(bare):
                return 0
            return self._denied("attaches the database", bare)
        if action == SQLITE_PRAGMA and path is not None:
            changes = about[1] is not None and str(about[0]) in PRAGMAS
            return SQLITE_IGNORE if changes else 0
        if path is None or action not in SQLITE_WRITES or about[2] == "temp":
            return 0
        return self._denied("writes to the database", path)

    def _denied(self, verb: str, path: str) -> int:
        try:
            self.refuse(verb, _shown(path))
        except BlockedEffect:
            return SQLITE_DENY
        return 0

    # -- where ------------------------------------------------------------------

    def _place(self) -> dict[str, Any] | None:
        """Return the step and the line of the bundle that led here.

        None where the code nearest to it is a reader of ours.
        """
        known = sys.modules.get("jupyter_graph.compile.failing_step")
        generated = getattr(known, "LINES", {})
        nearest: FrameType | None = None
        step = None
        frame: FrameType | None = sys._getframe(1)
        while frame is not None:
            file = frame.f_code.co_filename
            if file in generated:
                step = generated[file].get(frame.f_lineno)
                break
            if nearest is None and any(room in file for room in READERS):
                return None
            if nearest is None and self._is_users(file):
                nearest = frame
            frame = frame.f_back
        if nearest is None:
            return {"step": step, "file": "", "line": 0, "code": ""}
        code = nearest.f_code
        file = code.co_filename.removeprefix(self.bundle)
        place = {"file": file, "line": nearest.f_lineno}
        return {"step": step, **place, "code": code.co_qualname}

    def _is_users(self, file: str) -> bool:
        """Tell whether a file of the bundle is code of the user's, not of ours."""
        inside = file.removeprefix(self.bundle)
        own = ("main.py", "_graph_steps.py", f"jupyter_graph{os.sep}")
        return inside != file and not inside.startswith(own)


SQLITE_DENY, SQLITE_IGNORE, SQLITE_PRAGMA, SQLITE_ATTACH = 1, 2, 19, 24
SQLITE_WRITES: Final = frozenset(
    {1, 2, 7, 8, 9, 10, 11, 16, 17, 18, 23, 26, 27, 28, 29, 30}
)
"""Numbers of sqlite3.h: create, drop, delete, insert, update, attach, alter …"""

PRAGMAS: Final = frozenset(
    {"journal_mode", "user_version", "application_id", "auto_vacuum", "encoding",
     "page_size", "wal_checkpoint", "incremental_vacuum"}
)  # fmt: skip
"""Those that write the file; they are passed over."""


def _rows(guard: EffectGuard) -> Iterator[tuple[str, Callable[[Args], Found | None]]]:
    """Yield the events of the interpreter that are looked at."""
    yield "open", guard.opened
    yield "sqlite3.connect", guard.database
    for event, verb, paths, folder in _PATHS:
        yield event, _path_check(guard, verb, paths, folder)
    for event, verb, at in _OTHERS:
        yield event, _other_check(verb, at)
    yield "os.mkdir", _mkdir_check(guard)
    yield "subprocess.Popen", _program_check
    yield "os.kill", _kill_check
    yield "import", _import_check


_PATHS: Final = (
    # event, verb, places of the paths, places of the folders they are relative to
    ("os.remove", "removes", (0,), (1,)),
    ("os.rmdir", "removes the folder", (0,), (1,)),
    ("os.rename", "renames", (0, 1), (2, 3)),
    ("os.link", "links", (0, 1), (2, 3)),
    ("os.symlink", "links", (1,), (2,)),
    ("os.truncate", "cuts", (0,), ()),
    ("os.chmod", "changes the mode of", (0,), (2,)),
    ("os.chown", "changes the owner of", (0,), (3,)),
    ("os.utime", "changes the times of", (0,), (3,)),
    ("os.setxattr", "changes attributes of", (0,), ()),
    ("os.removexattr", "changes attributes of", (0,), ()),
)


def _path_check(
    guard: EffectGuard, verb: str, paths: tuple[int, ...], folders: tuple[int, ...]
) -> Callable[[Args], Found | None]:
    def check(args: Args) -> Found | None:
        for number, at in enumerate(paths):
            fd = args[folders[number]] if number < len(folders) else -1
            path = args[at]
            if isinstance(path, int):  # an open file: its mode and times are outside
                path = _folder_of(path)
            if not guard.is_free(path, fd):
                return verb, _shown(path)
        return None

    return check


def _mkdir_check(guard: EffectGuard) -> Callable[[Args], Found | None]:
    def check(args: Args) -> Found | None:
        path = args[0]
        # One that is there already is no effect: the call itself fails.
        if guard.is_free(path, args[2]) or os.path.exists(path):
            return None
        return "makes the folder", _shown(path)

    return check


_OTHERS: Final = (
    # event, verb, place of what it is about
    ("socket.connect", "connects to", 1),
    ("socket.bind", "listens on", 1),
    ("socket.sendto", "sends to", 1),
    ("socket.sendmsg", "sends to", 1),
    ("socket.getaddrinfo", "looks up", 0),
    ("socket.gethostbyname", "looks up", 0),
    ("socket.gethostbyaddr", "looks up", 0),
    ("os.system", "runs", 0),
    ("os.exec", "runs", 0),
    ("os.posix_spawn", "runs", 0),
    ("os.spawn", "runs", 1),
    ("os.startfile", "opens", 0),
    ("os.fork", "forks", None),
    ("os.forkpty", "forks", None),
    ("pty.spawn", "runs", 0),
    ("os.killpg", "signals the processes", 0),
    ("syslog.syslog", "writes to", "the system's log"),
    ("syslog.openlog", "opens", "the system's log"),
    ("webbrowser.open", "opens", 0),
)


def _other_check(verb: str, at: Any) -> Callable[[Args], Found | None]:
    def check(args: Args) -> Found | None:
        if isinstance(at, str):
            return verb, at
        about = "the process" if at is None else args[at]
        if about is None:
            return None  # a socket that is connected, a name that is nobody's
        if verb == "listens on" and isinstance(about, tuple) and about[1:2] == (0,):
            return None  # libraries ask so whether there is IPv6; nobody connects to it
        if isinstance(about, tuple):
            about = ":".join(map(str, about[:2]))
        return verb, _shown(about)

    return check


def _program_check(args: Args) -> Found | None:
    program, words = args[0], args[1]
    text = words if isinstance(words, str | bytes) else next(iter(words or [program]))
    name = os.path.basename(os.fsdecode(program or text))
    if name in ASKED_ONLY:
        return None
    said = words if isinstance(words, str) else " ".join(map(_shown, words or ()))
    return "starts", _shown(said or program)


def _kill_check(args: Args) -> Found | None:
    pid, signal = args[0], args[1]
    is_own = pid == os.getpid() or signal == 0
    return None if is_own else ("signals the process", str(pid))


def _import_check(args: Args) -> Found | None:
    """Refuse multiprocessing's own way to start processes, which no event tells of."""
    kinds = ("multiprocessing.popen_spawn_posix", "multiprocessing.popen_forkserver")
    return ("starts", "a process of multiprocessing") if args[0] in kinds else None


def _is_in_memory(path: str, query: str) -> bool:
    """Tell whether SQLite keeps a database in memory, by its path and its options."""
    modes = [part for part in query.split("&") if part.startswith("mode=")]
    in_memory = bool(modes) and all(mode == "mode=memory" for mode in modes)
    return path in ("", ":memory:") or in_memory


def _folder_of(fd: int) -> str:
    try:
        return os.readlink(f"/proc/self/fd/{fd}")
    except OSError:
        return os.sep


def _shown(value: Any) -> str:
    text = os.fsdecode(value) if isinstance(value, bytes | os.PathLike) else str(value)
    return text if len(text) <= 200 else f"{text[:199]}…"


def install_from_environment() -> None:
    """Guard a process that a guarded one has started."""
    if VARIABLE in os.environ:
        EffectGuard(*json.loads(os.environ[VARIABLE])[1:]).install()
