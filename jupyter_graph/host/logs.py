"""Log lines as Nuclio writes them: one JSON object each, to a file or stderr."""

from __future__ import annotations

import io
import logging
import os
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partialmethod
from pathlib import Path
from typing import Any

from jupyter_graph.values.json_form import to_json
from jupyter_graph.values.json_rules import LOG

_LARGEST_BYTES = 16 * 1024 * 1024


class JsonLines(logging.Formatter):
    """Formats a record as ``{"datetime", "level", "message", "with"}``."""

    def __init__(self, worker_id: str) -> None:
        super().__init__()
        self.worker_id = worker_id

    def format(self, record: logging.LogRecord) -> str:
        """Return one line; what the value table has no row for is its text."""
        more = dict(getattr(record, "more", None) or {})
        if record.exc_info and record.exc_info[0] is not None:
            more["traceback"] = self.formatException(record.exc_info)
        document = {
            "datetime": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname.lower(),
            "message": record.getMessage(),
            "with": {"worker_id": self.worker_id, **more},
        }
        return to_json(document, "log", LOG).decode()


class HostLogger:
    """The logger of a context: Nuclio's methods, the standard library's too.

    >>> HostLogger(logging.getLogger("shown")).bind(order=7).more
    {'order': 7}
    """

    def __init__(
        self, logger: logging.Logger, more: Mapping[str, Any] | None = None
    ) -> None:
        self._logger = logger
        self.more = dict(more or {})

    def bind(self, **more: Any) -> HostLogger:
        """Return a logger that adds these fields to each line."""
        return HostLogger(self._logger, {**self.more, **more})

    def log(
        self, level: int, message: Any, *args: Any, exc_info: Any = None, **more: Any
    ) -> None:
        """Write a line of this level; further words become its ``with``."""
        extra = {"more": {**self.more, **more}}
        self._logger.log(level, message, *args, exc_info=exc_info, extra=extra)

    debug = debug_with = partialmethod(log, logging.DEBUG)
    info = info_with = partialmethod(log, logging.INFO)
    warning = warn = warn_with = partialmethod(log, logging.WARNING)
    error = error_with = partialmethod(log, logging.ERROR)
    exception = partialmethod(log, logging.ERROR, exc_info=True)
    critical = partialmethod(log, logging.CRITICAL)


class LineStream(io.TextIOBase):
    """Standard output of a worker: each printed line becomes a log line."""

    def __init__(self, logger: logging.Logger, level: int) -> None:
        self._logger = logger
        self._level = level
        self._rest = ""

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        """Log all whole lines and keep the rest for later."""
        # print writes its text and the newline in two calls.
        *lines, self._rest = (self._rest + text).split("\n")
        for line in lines:
            if line.strip():
                self._logger.log(self._level, "%s", line)
        return len(text)


def start_logging(file: str | None, worker_id: str) -> logging.Logger:
    """Send the process's log as JSON lines to the file; return the host's logger.

    Args:
        file: where to append, by default standard error.
        worker_id: the number of the worker, ``supervisor`` for its parent.
    """
    handler = logging.StreamHandler(open_log(file) if file else sys.__stderr__)
    handler.setFormatter(JsonLines(worker_id))
    root = logging.getLogger()
    root.handlers[:] = [handler]  # also those that a bundle's imports have added
    root.setLevel(logging.INFO)
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    logging.captureWarnings(True)
    return logging.getLogger("jupyter_graph.host")


def catch_prints() -> None:
    """Let what steps print become log lines."""
    printed = logging.getLogger("print")
    sys.stdout = LineStream(printed, logging.INFO)
    sys.stderr = LineStream(printed, logging.WARNING)


def open_log(file: str) -> io.TextIOWrapper:
    """Open a log for appending, mode 0600; lines of several processes stay whole."""
    path = Path(file)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    return os.fdopen(os.open(path, flags, 0o600), "a", encoding="utf-8", buffering=1)


def rotate(file: str) -> None:
    """Put a log of more than 16 MiB aside as ``FILE.1``; done before a host starts."""
    path = Path(file)
    if path.exists() and path.stat().st_size > _LARGEST_BYTES:
        path.replace(path.with_name(path.name + ".1"))
