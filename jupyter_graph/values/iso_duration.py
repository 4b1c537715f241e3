"""Durations as ISO 8601 writes them."""

from __future__ import annotations


def duration(nanoseconds: int) -> str:
    """Return an ISO 8601 duration in days, hours, minutes and seconds.

    >>> duration(90_061_500_000_000), duration(-60_000_000_000), duration(0)
    ('P1DT1H1M1.5S', '-PT1M', 'PT0S')
    """
    seconds, fraction = divmod(abs(nanoseconds), 1_000_000_000)
    minutes, second = divmod(seconds, 60)
    hours, minute = divmod(minutes, 60)
    day, hour = divmod(hours, 24)
    tail = f".{fraction:09d}".rstrip("0") if fraction else ""
    clock = "".join(
        (
            f"{hour}H" if hour else "",
            f"{minute}M" if minute else "",
            f"{second}{tail}S" if second or tail else "",
        )
    )
    text = (f"{day}D" if day else "") + (f"T{clock}" if clock else "")
    return ("-P" if nanoseconds < 0 else "P") + (text or "T0S")
