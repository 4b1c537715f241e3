"""From the text after a magic to its words and raw option values.

EXPR is the raw text up to the first `` --option`` outside quotes and brackets.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from IPython.core.error import UsageError

from jupyter_graph.errors import MagicError, did_you_mean

_OPTION = re.compile(r"--(?P<name>[A-Za-z][\w-]*)(?==|\s|\Z)")
_WORD = re.compile(r"""(?:"[^"]*"|'[^']*'|[^\s"']|["'])+""")
_CLOSING = {"(": ")", "[": "]", "{": "}"}
RAW = frozenset((
    "--arg", "--args", "--config", "--env", "--example", "--header", "--trigger",
    "--with",
))  # fmt: skip
"""The options whose value is the raw text up to the next option, in every magic."""


@dataclass(frozen=True, slots=True)
class Line:
    """The text after a magic, cut at its options.

    Attributes:
        head: the text before the first option.
        options: each option as typed (``--after``) with the raw text up to the next.

    >>> split_line('run {"a": "x --y"} --path /v1 --silent')
    Line(head='run {"a": "x --y"}', options=(('--path', '/v1'), ('--silent', '')))
    """

    head: str
    options: tuple[tuple[str, str], ...]


def split_line(text: str) -> Line:
    """Cut a line at the options that stand outside quotes and brackets."""
    cuts = [option for at in _word_starts(text) if (option := _OPTION.match(text, at))]
    ends = [*(cut.start() for cut in cuts[1:]), len(text)]
    head = text[: cuts[0].start()] if cuts else text
    options = tuple(
        (cut.group(), text[cut.end() : end].strip().removeprefix("=").strip())
        for cut, end in zip(cuts, ends, strict=False)
    )
    return Line(head.strip(), options)


def _word_starts(text: str) -> Iterator[int]:
    """Yield where a word starts, outside quotes and brackets."""
    at, depth, fresh = 0, 0, True
    while at < len(text):
        sign = text[at]
        if not depth and fresh and not sign.isspace():
            yield at
        fresh = sign.isspace()
        if sign in "\"'" and (end := _quote_end(text, at)):
            at = end
            continue
        if sign in _CLOSING:
            depth += 1
        elif sign in _CLOSING.values():
            depth = max(0, depth - 1)
        at += 1


def _quote_end(text: str, start: int) -> int:
    """Return where the quoted text ends; 0 when the quote is an apostrophe."""
    mark = text[start] * 3 if text.startswith(text[start] * 3, start) else text[start]
    at = start + len(mark)
    while at < len(text):
        if text.startswith(mark, at):
            return at + len(mark)
        at += 2 if text[at] == "\\" else 1
    return 0


def words(text: str) -> list[str]:
    """Cut a text into words; quotes keep blanks and are taken off.

    >>> words('parse "two words"')
    ['parse', 'two words']
    """
    return [unquoted(word) for word in _WORD.findall(text)]


def unquoted(word: str) -> str:
    """Take off the quotes around a word."""
    is_quoted = len(word) >= 2 and word[0] == word[-1] and word[0] in "\"'"
    return word[1:-1] if is_quoted else word


def read_options(
    parser: argparse.ArgumentParser,
    line: str,
    *,
    magic: str,
    allowed: Collection[str] | None = None,
) -> tuple[argparse.Namespace, list[str], str]:
    """Read the words after a magic.

    Args:
        parser: knows the options, their types and defaults.
        line: the text after the magic's name.
        magic: how messages call it, such as ``%graph run``.
        allowed: the options that may stand here, all of the parser's by default.

    Returns:
        the values, the words that belong to no option, and the raw head.

    Raises:
        MagicError: an option is unknown, lacks its value, or has a wrong one.
    """
    cut = split_line(line)
    known = {
        name: action
        for name, action in parser._option_string_actions.items()
        if allowed is None or name in allowed
    }
    argv: list[str] = []
    loose = words(cut.head)
    for name, text in cut.options:
        action = known.get(name)
        if action is None:
            raise MagicError(_unknown(magic, name, known))
        value, rest = _value(action, name, text, magic)
        argv.append(name if value is None else f"{name}={value}")
        loose += rest
    try:
        values, _ = parser.parse_known_args(argv)
    except UsageError as error:
        raise MagicError(f"{magic}: {error}") from None
    return values, loose, cut.head


def _unknown(magic: str, name: str, known: Collection[str]) -> str:
    listed = ", ".join(sorted(known)) or "none"
    meant = did_you_mean(name, known)
    if name == "--name":  # what one types who comes from other tools
        meant = "; a name stands before the options, as a word of its own"
    return f"{magic} has no option {name!r}{meant} (its options: {listed})"


def _value(
    action: argparse.Action, name: str, text: str, magic: str
) -> tuple[str | None, list[str]]:
    if action.nargs == 0:
        return None, words(text)
    if not text:
        wanted: Any = action.metavar or action.dest.upper()
        raise MagicError(f"{magic}: {name} needs a value: {name} {wanted}")
    if name in RAW:
        return text, []
    first, *rest = words(text)
    return first, rest


def one_name(loose: list[str], *, magic: str, hint: str) -> str | None:
    """Return the name that is all of the words; None when there is no word."""
    names = plain_words(loose, magic=magic)
    if len(names) > 1:
        raise MagicError(f"{magic} takes one NAME, got {' '.join(names)!r}{hint}")
    return names[0] if names else None


def plain_words(loose: list[str], *, magic: str) -> list[str]:
    """Return the words that are no option; a word like ``-x`` was meant as one."""
    for word in loose:
        if word.startswith("-") and not word[1:].isdigit():
            raise MagicError(f"{magic} has no option {word!r}; options begin with --")
    return loose
