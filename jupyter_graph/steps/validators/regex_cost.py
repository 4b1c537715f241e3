"""Whether a regular expression can take exponential time on a text.

A pattern is turned into the automaton of its characters (Glushkov's construction). A
backtracking matcher needs exponential time when a loop of it can read one text in two
ways.

Source: Weber and Seidl, "On the degree of ambiguity of finite automata" (1991), the
criterion EDA; https://doi.org/10.1016/0304-3975(91)90381-B
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

PARSER: Any = import_module("re._parser")  # 3.11 to 3.14 have it; ``sre_parse`` warns
OTHER = 256
"""Stands for all characters from U+0100 on."""
EVERY = frozenset(range(OTHER + 1))
COPIES = 8
"""Repeats up to this often are written out; more count as a loop."""
MOST_EMPTY = 3
MOST_PLACES = 300
MOST_PAIRS = 20_000


@dataclass(frozen=True, slots=True)
class _Part:
    """A part of a pattern: in how many ways it may be empty, where it begins, ends."""

    empty: int = 1
    first: tuple[int, ...] = ()
    last: tuple[int, ...] = ()


@dataclass
class _Automaton:
    """The places of a pattern, each with its characters, and the ways between them."""

    ignore_case: bool
    is_risky: bool = False
    chars: list[frozenset[int]] = field(default_factory=list)
    ways: Counter[tuple[int, int]] = field(default_factory=Counter)

    def sequence(self, items: Iterable[Any]) -> _Part:
        whole = _Part()
        for op, value in items:
            whole = self._joined(whole, self._part(str(op), value))
        return whole

    def _part(self, op: str, value: Any) -> _Part:
        if op in ("AT", "ASSERT", "ASSERT_NOT"):
            if op != "AT":
                self._apart(value[1])
            return _Part()
        if op == "SUBPATTERN":
            return self.sequence(value[-1])
        if op in ("MAX_REPEAT", "MIN_REPEAT"):
            return self._repeat(*value)
        if op in ("POSSESSIVE_REPEAT", "ATOMIC_GROUP"):
            # a matcher never goes back into these, so from outside they are one place
            # that matches anything they can; what is inside is checked by itself
            inside = value[2] if op == "POSSESSIVE_REPEAT" else value
            return self._place(self._apart(inside), empty=1)
        if op in ("BRANCH", "GROUPREF_EXISTS"):
            branches = value[1] if op == "BRANCH" else value[1:]
            return self._either([self.sequence(branch or ()) for branch in branches])
        if op == "GROUPREF":
            # the text it refers to is not known here: any text, or none
            return self._place(EVERY, empty=1)
        return self._place(_chars(op, value, self.ignore_case))

    def _place(self, chars: frozenset[int], *, empty: int = 0) -> _Part:
        self.chars.append(chars)
        place = len(self.chars) - 1
        self.is_risky |= place > MOST_PLACES
        return _Part(empty, (place,), (place,))

    def _joined(self, one: _Part, two: _Part) -> _Part:
        self._connect(one.last, two.first)
        return _Part(
            min(one.empty * two.empty, MOST_EMPTY),
            # a part that may be empty in n ways lets the next begin in n ways: the
            # places are repeated, so that ``ways`` counts how often one follows another
            one.first + two.first * one.empty,
            two.last + one.last * two.empty,
        )

    def _connect(self, before: tuple[int, ...], after: tuple[int, ...]) -> None:
        if len(before) * len(after) > MOST_PAIRS:
            self.is_risky = True
            return
        self.ways.update((a, b) for a in before for b in after)

    def _either(self, parts: list[_Part]) -> _Part:
        return _Part(
            min(sum(part.empty for part in parts), MOST_EMPTY),
            tuple(place for part in parts for place in part.first),
            tuple(place for part in parts for place in part.last),
        )

    def _repeat(self, least: int, most: int, items: Any) -> _Part:
        if self.is_risky:
            return _Part()
        if most <= COPIES or least == most:
            whole = _Part()
            # x{2,5} is written out as xxx?x?x?
            for count in range(min(int(most), COPIES)):
                part = self.sequence(items)
                if part.empty and most > COPIES:
                    self.is_risky = True  # each of many rounds may be left out
                if count >= least:
                    part = _Part(part.empty + 1, part.first, part.last)
                whole = self._joined(whole, part)
            return whole
        part = self.sequence(items)
        if part.empty and (least > 1 or most != PARSER.MAXREPEAT):
            self.is_risky = True
        # a loop: its end leads back to its beginning
        self._connect(part.last, part.first)
        return _Part(part.empty + (least == 0), part.first, part.last)

    def _apart(self, items: Any) -> frozenset[int]:
        """Add a part that is never entered again; return its characters."""
        inner = _Automaton(self.ignore_case)
        inner.sequence(items)
        self.is_risky |= inner.is_exponential()
        return frozenset().union(*inner.chars)

    def is_exponential(self) -> bool:
        return self.is_risky or any(map(self._is_ambiguous, self._loops()))

    def _loops(self) -> Iterator[set[int]]:
        """Yield the groups of places that can all be reached from one another."""
        after, before = defaultdict(set), defaultdict(set)
        for a, b in self.ways:
            after[a].add(b)
            before[b].add(a)
        # the strongly connected components; the number of places is bounded, so the
        # simple way is fast enough
        left = set(range(len(self.chars)))
        while left:
            start = min(left)
            group = _reached({start}, after) & _reached({start}, before)
            left -= group | {start}
            if group:
                yield group

    def _is_ambiguous(self, loop: set[int]) -> bool:
        """Tell whether two different ways through a loop read the same text."""
        ways = [(a, b, n) for (a, b), n in self.ways.items() if {a, b} <= loop]
        if any(n > 1 for _, _, n in ways) or len(ways) ** 2 > MOST_PAIRS * 50:
            return True  # or too large to be looked at
        # the product of the loop with itself: a pair of places that can be reached from
        # a pair of equal ones, and leads back to one, reads one text in two ways
        after, before = defaultdict(set), defaultdict(set)
        for a, b, _ in ways:
            for c, d, _ in ways:
                if self.chars[b] & self.chars[d]:
                    after[a, c].add((b, d))
                    before[b, d].add((a, c))
        same = {(place, place) for place in loop}
        return bool((_reached(same, after) & _reached(same, before)) - same)


def _reached(starts: set[Any], ways: Any) -> set[Any]:
    reached: set[Any] = set()
    todo = list(starts)
    while todo:
        new = ways[todo.pop()] - reached
        reached |= new
        todo += new
    return reached


def can_explode(pattern: str) -> bool:
    r"""Tell whether a pattern can take exponential time.

    Safe patterns of unusual size may be taken for unsafe ones; back references count
    as any text.

    >>> can_explode(r"([a-z0-9-]+\.)+[a-z]{2,}"), can_explode(r"(a+)+")
    (False, True)
    """
    parsed = PARSER.parse(pattern)
    automaton = _Automaton(bool(parsed.state.flags & 2))
    automaton.sequence(parsed)
    return automaton.is_exponential()


def _chars(op: str, value: Any, ignore_case: bool) -> frozenset[int]:
    if op == "LITERAL":
        return _literal(value, ignore_case)
    if op == "NOT_LITERAL":
        return (EVERY - _literal(value, ignore_case)) | {OTHER}
    if op == "IN":
        return _set(value, ignore_case)
    return EVERY  # ANY, and what a later Python may add


def _literal(code: int, ignore_case: bool) -> frozenset[int]:
    text = chr(code)
    texts = {text, text.lower(), text.upper()} if ignore_case else {text}
    return frozenset(min(ord(one), OTHER) for one in texts if len(one) == 1)


def _set(items: Any, ignore_case: bool) -> frozenset[int]:
    members: set[int] = set()
    is_negated = False
    for op, value in items:
        kind = str(op)
        if kind == "NEGATE":
            is_negated = True
        elif kind == "RANGE":
            low, high = value
            for code in range(min(low, OTHER), min(high, OTHER) + 1):
                members |= _literal(code, ignore_case)
        elif kind == "CATEGORY":
            members |= _category(str(value))
        else:
            members |= _literal(value, ignore_case)
    return frozenset((EVERY - members) | {OTHER}) if is_negated else frozenset(members)


def _category(name: str) -> frozenset[int]:
    tests = {"DIGIT": str.isdigit, "SPACE": str.isspace, "WORD": _is_word}
    test = tests.get(name.split("_")[-1])
    if test is None:
        return EVERY
    own = frozenset(code for code in range(OTHER) if test(chr(code)))
    return (EVERY - own if "_NOT_" in name else own) | {OTHER}


def _is_word(char: str) -> bool:
    return char.isalnum() or char == "_"
