"""Files of recorded events, a line for each."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import BinaryIO, Final

from jupyter_graph.errors import EventFileError
from jupyter_graph.session.recorded.event_lines import (
    RecordedEvent,
    event_of,
    line_of,
)

LONGEST_LINE: Final = 16 << 20
"""Bytes that the line of one event may have."""
MOST_LINES: Final = 100_000


def write_events(path: Path, events: Iterable[RecordedEvent]) -> int:
    """Write a file of events, whole or not at all; return how many there are.

    Raises:
        EventFileError: an event cannot be written; an older file stays.
        OSError: the file cannot be written.
    """
    lines = list(_lines(path, events))
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        # What was sent may be anybody's business: the file is its owner's.
        number = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(number, "w", encoding="ascii") as file:
            file.writelines(f"{line}\n" for line in lines)
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)
    return len(lines)


def _lines(path: Path, events: Iterable[RecordedEvent]) -> Iterator[str]:
    for event in events:
        line = line_of(event)
        if len(line) > LONGEST_LINE:
            raise EventFileError(
                f"event {event.input.event_id} takes {len(line):,} bytes as a line of "
                f"{str(path)!r}, {LONGEST_LINE:,} at most are read again"
            )
        yield line


def read_events(path: Path) -> list[tuple[int, RecordedEvent]]:
    """Return the events of a file, each with its line's number from 1.

    Raises:
        EventFileError: the file is missing or holds what is no event; the text names
            the line.
    """
    try:
        with path.open("rb") as file:
            return list(_events(path, file))
    except OSError as error:
        raise EventFileError(f"cannot read {str(path)!r}: {error.strerror}") from None


def _events(path: Path, file: BinaryIO) -> Iterator[tuple[int, RecordedEvent]]:
    # Never more of a line than is allowed, so that a huge one takes no memory.
    lines = iter(lambda: file.readline(LONGEST_LINE + 2), b"")
    for number, line in enumerate(islice(lines, MOST_LINES + 1), start=1):
        where = f"{str(path)!r}, line {number}"
        if number > MOST_LINES:
            raise EventFileError(f"{where}: {MOST_LINES:,} lines are read at most")
        if len(line.rstrip(b"\r\n")) > LONGEST_LINE:
            raise EventFileError(f"{where} has more than {LONGEST_LINE:,} bytes")
        if not line.strip():
            continue
        try:
            yield number, event_of(line.decode("utf-8-sig"))
        except UnicodeDecodeError as error:
            raise EventFileError(f"{where} is no text in UTF-8: {error}") from None
        except EventFileError as error:
            raise EventFileError(f"{where}: {error.args[0]}") from None
