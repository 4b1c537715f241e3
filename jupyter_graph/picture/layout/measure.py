"""How wide a text is, and how it is shortened, where there is no font to ask."""

from __future__ import annotations

import unicodedata

# Advance widths of Helvetica in thousandths of the font size, by width.
# Source: the font metrics (AFM) of Adobe's fourteen core fonts.
_WIDTHS = {
    222: "ijl'`",
    278: " !,./:;I[\\]ft|",
    333: '()-r"{}',
    389: "*",
    500: "cksvxyzJ",
    556: "0123456789abdeghnopqu#$?_L^",
    584: "+<=>~",
    611: "FTZ",
    667: "&ABEKPSVXY%",
    722: "CDHNRUw",
    778: "GOQ",
    833: "Mm",
    944: "W",
    1015: "@",
}
_WIDTH_OF = {sign: width for width, signs in _WIDTHS.items() for sign in signs}

MONO = 0.602
"""Width of a sign of a monospaced font, in parts of the font size."""

# Fonts of desktops run wider than Helvetica; DejaVu Sans by 16 per cent.
_RESERVE, _BOLD = 1.12, 1.14


def columns(text: str) -> int:
    """Count the columns that a text takes in a terminal.

    >>> columns("ab"), columns("漢字")
    (2, 4)
    """
    return sum(_columns_of(sign) for sign in text)


def _columns_of(sign: str) -> int:
    if unicodedata.combining(sign):
        return 0
    return 2 if unicodedata.east_asian_width(sign) in "WF" else 1


def text_width(text: str, size: float, *, bold: bool = False) -> float:
    """Estimate the width in pixels of a text in a proportional font.

    Args:
        text: one line.
        size: font size in pixels.
        bold: whether the font is a bold one.

    >>> text_width("iii", 10) < text_width("WWW", 10)
    True
    """
    thousandths = sum(_thousandths(sign) for sign in text)
    return thousandths / 1000 * size * _RESERVE * (_BOLD if bold else 1.0)


def _thousandths(sign: str) -> int:
    if sign in _WIDTH_OF:
        return _WIDTH_OF[sign]
    return (0, 620, 1000)[_columns_of(sign)]


def mono_width(text: str, size: float) -> float:
    """Estimate the width in pixels of a text in a monospaced font."""
    return columns(text) * size * MONO


def plural(count: int, noun: str) -> str:
    """Return a count with its noun.

    >>> plural(1, "step"), plural(3, "step")
    ('1 step', '3 steps')
    """
    return f"{count} {noun}{'' if count == 1 else 's'}"


def shorten(text: str, length: int) -> str:
    """Cut a text in the middle, so that its start and its end stay readable.

    >>> shorten("a_long_name_of_a_step", 11)
    'a_long…step'
    >>> shorten("short", 11)
    'short'
    """
    if len(text) <= length:
        return text
    tail = (length - 1) * 2 // 5
    return f"{text[: length - 1 - tail]}…{text[len(text) - tail :]}"


def fitting(text: str, size: float, width: float, *, bold: bool = False) -> str:
    """Cut a text in the middle until it is no wider than this, in pixels.

    >>> fitting("W" * 63, 13, 100)
    'WWWW…WW'
    """
    length = len(text)
    while length > 3 and text_width(shorten(text, length), size, bold=bold) > width:
        length -= 1
    return shorten(text, length)


def cut(text: str, length: int) -> str:
    """Cut the end of a text; line breaks become blanks.

    >>> cut('{"user": "ann"}', 9)
    '{"user":…'
    """
    line = " ".join(text[: 4 * length].split())
    return line if len(line) <= length else f"{line[: length - 1].rstrip()}…"


def clean(text: str) -> str:
    r"""Replace what neither XML nor a terminal may hold: control signs, half pairs.

    >>> clean("a\x00b")
    'a\ufffdb'
    """
    if text.isprintable():
        return text
    return "".join(
        sign if sign.isprintable() or sign == " " else "\ufffd" for sign in text
    )
