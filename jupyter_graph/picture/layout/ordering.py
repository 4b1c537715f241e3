"""In which order the nodes of each rank stand, so that few lines cross."""

from __future__ import annotations

from bisect import bisect_left
from itertools import pairwise

Columns = list[list[int]]
Hop = tuple[int, int]

_SWEEPS = 12
_MANY = 8_000  # nodes from which on fewer sweeps must do
_PATIENCE = 3


def ordered(rank: list[int], low: list[bool], hops: list[Hop]) -> Columns:
    """Return the nodes of each rank from top to bottom, the low ones last.

    Args:
        rank: each node's rank.
        low: for each node, whether it stands below those that are not.
        hops: pairs of nodes one rank apart, the left one first.

    >>> ordered([0, 0, 1, 1], [False] * 4, [(0, 3), (1, 2)])
    [[0, 1], [3, 2]]
    """
    before, after = neighbours(len(rank), hops)
    best = _first_order(rank, low, after)
    fewest, waited = crossings(best, after), 0
    columns = best
    for sweep in range(_SWEEPS if len(rank) < _MANY else _SWEEPS // 4):
        # The barycenter heuristic may get worse before it gets better: it goes on for a
        # few sweeps, and the best order counts.
        if not fewest or waited > _PATIENCE:
            break
        towards, step = (after, -1) if sweep % 2 else (before, 1)
        columns = _swept(columns, low, towards, step)
        count = crossings(columns, after)
        waited += 1
        if count < fewest:
            best, fewest, waited = columns, count, 0
    return best


def neighbours(count: int, hops: list[Hop]) -> tuple[list[list[int]], list[list[int]]]:
    """Return each node's neighbours to the left, and those to the right."""
    before: list[list[int]] = [[] for _ in range(count)]
    after: list[list[int]] = [[] for _ in range(count)]
    for left, right in hops:
        after[left].append(right)
        before[right].append(left)
    return before, after


def _first_order(rank: list[int], low: list[bool], after: list[list[int]]) -> Columns:
    """Walk down each branch in turn, so that branches start side by side."""
    columns: Columns = [[] for _ in range(max(rank, default=-1) + 1)]
    seen = [False] * len(rank)
    for root in sorted(range(len(rank)), key=lambda n: (rank[n], n)):
        todo = [root]
        while todo:
            node = todo.pop()
            if not seen[node]:
                seen[node] = True
                columns[rank[node]].append(node)
                todo.extend(reversed(after[node]))
    return [sorted(column, key=lambda n: low[n]) for column in columns]


def _swept(
    columns: Columns, low: list[bool], towards: list[list[int]], step: int
) -> Columns:
    """Sort each column by the mean place of its neighbours in the one before it."""
    place = {n: index for column in columns for index, n in enumerate(column)}
    sorted_columns = [list(column) for column in columns]

    def wish(node: int) -> float:
        near = towards[node]
        return sum(place[n] for n in near) / len(near) if near else place[node]

    for column in sorted_columns[::step]:
        column.sort(key=lambda n: (low[n], wish(n), place[n]))
        place.update({n: index for index, n in enumerate(column)})
    return sorted_columns


def crossings(columns: Columns, after: list[list[int]]) -> int:
    """Count the pairs of lines that cross."""
    total = 0
    for column, following in pairwise(columns):
        place = {n: index for index, n in enumerate(following)}
        ends: list[int] = []  # sorted places of the ends of the lines above
        for node in column:
            targets = sorted(place[m] for m in after[node])
            total += sum(len(ends) - bisect_left(ends, end + 1) for end in targets)
            for end in targets:
                ends.insert(bisect_left(ends, end), end)
    return total
