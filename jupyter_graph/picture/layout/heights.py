"""How high each node stands, when the order within the ranks is known."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from jupyter_graph.picture.layout.ordering import Columns, neighbours

Pulled = list[list[tuple[int, float, float]]]
"""For each node those that pull at it: their weight, and how far below they stand."""

_ROUNDS = 6
_MANY = 8_000  # nodes from which on fewer rounds must do
_WEAK = 1e-3


@dataclass(frozen=True, slots=True)
class Pull:
    """Two nodes one rank apart that want to stand level.

    ``drop`` is how far below the left one the right one wants to be, in pixels.
    """

    left: int
    right: int
    weight: float
    drop: float = 0.0


def level(columns: Columns, sizes: list[float], pulls: list[Pull]) -> list[float]:
    """Return the height of each node's centre.

    Nodes of one column keep their order and do not overlap; with that, each stands as
    near as it can to the weighted mean of its neighbours.

    Args:
        columns: the nodes of each rank from top to bottom.
        sizes: each node's height with the free place around it.
        pulls: which nodes want to stand level.
    """
    count = len(sizes)
    ys = _stacked(columns, sizes)
    from_left: Pulled = [[] for _ in range(count)]
    from_right: Pulled = [[] for _ in range(count)]
    for pull in pulls:
        from_left[pull.right].append((pull.left, pull.weight, pull.drop))
        from_right[pull.left].append((pull.right, pull.weight, -pull.drop))
    both = [a + b for a, b in zip(from_left, from_right, strict=True)]
    for _ in range(_ROUNDS if count < _MANY else _ROUNDS // 3):
        _relax(columns, ys, sizes, from_left)
        _relax(columns[::-1], ys, sizes, from_right)
    for _ in range(2):
        _relax(columns, ys, sizes, both)
    for _ in range(2):
        _straighten(columns, ys, sizes, pulls)
    return ys


def _stacked(columns: Columns, sizes: list[float]) -> list[float]:
    ys = [0.0] * len(sizes)
    for column in columns:
        top = -sum(sizes[n] for n in column) / 2
        for node in column:
            ys[node] = top + sizes[node] / 2
            top += sizes[node]
    return ys


def _relax(
    columns: Columns, ys: list[float], sizes: list[float], pulled: Pulled
) -> None:
    for column in columns:
        wishes, weights = [], []
        for node in column:
            weight = sum(w for _, w, _ in pulled[node])
            if weight:
                wish = sum((ys[n] + drop) * w for n, w, drop in pulled[node]) / weight
            else:
                wish, weight = ys[node], _WEAK
            wishes.append(wish)
            weights.append(weight)
        wide = [sizes[node] for node in column]
        for node, y in zip(column, apart(wishes, weights, wide), strict=True):
            ys[node] = y


def apart(wishes: list[float], weights: list[float], sizes: list[float]) -> list[float]:
    """Return places nearest to the wishes (least squares) that do not overlap.

    The order is kept; each place lies at least half of both sizes after the one
    before. Solved exactly by pooling neighbours that overlap.

    >>> apart([0.0, 0.0], [1.0, 1.0], [10.0, 10.0])
    [-5.0, 5.0]
    >>> apart([0.0, 50.0], [1.0, 1.0], [10.0, 10.0])
    [0.0, 50.0]
    """
    offsets = [0.0]
    for one, two in pairwise(sizes):
        offsets.append(offsets[-1] + (one + two) / 2)
    pools: list[tuple[float, float, int]] = []  # mean, weight, members
    for wish, weight, offset in zip(wishes, weights, offsets, strict=False):
        mean, total, members = wish - offset, weight, 1
        # Pool adjacent violators: what would overlap moves as one from here on.
        while pools and pools[-1][0] > mean:
            above, more, count = pools.pop()
            mean = (mean * total + above * more) / (total + more)
            total, members = total + more, members + count
        pools.append((mean, total, members))
    means = [mean for mean, _, members in pools for _ in range(members)]
    return [mean + offset for mean, offset in zip(means, offsets, strict=False)]


def _straighten(
    columns: Columns,
    ys: list[float],
    sizes: list[float],
    pulls: list[Pull],
) -> None:
    """Put the nodes of each chain on one line where the others leave room."""
    place = {n: (column, i) for column in columns for i, n in enumerate(column)}
    for chain in chains(len(sizes), pulls):
        run: list[int] = []
        lowest, highest = float("-inf"), float("inf")
        for node in chain:
            low, high = _room(*place[node], ys, sizes)
            if max(lowest, low) > min(highest, high):
                _align(run, ys, lowest, highest)
                run, lowest, highest = [], float("-inf"), float("inf")
            run.append(node)
            lowest, highest = max(lowest, low), min(highest, high)
        _align(run, ys, lowest, highest)


def _room(
    column: list[int], index: int, ys: list[float], sizes: list[float]
) -> tuple[float, float]:
    """Return the highest and lowest place a node may have between its neighbours."""
    node, low, high = column[index], float("-inf"), float("inf")
    if index:
        above = column[index - 1]
        low = ys[above] + (sizes[above] + sizes[node]) / 2
    if index + 1 < len(column):
        below = column[index + 1]
        high = ys[below] - (sizes[below] + sizes[node]) / 2
    return min(low, ys[node]), max(high, ys[node])


def _align(run: list[int], ys: list[float], lowest: float, highest: float) -> None:
    if run:
        middle = sorted(ys[node] for node in run)[len(run) // 2]
        line = min(max(middle, lowest), highest)
        for node in run:
            ys[node] = line


def chains(count: int, pulls: list[Pull]) -> list[list[int]]:
    """Return the longest runs of nodes where each has one level follower only.

    >>> chains(4, [Pull(0, 1, 1), Pull(1, 2, 1), Pull(1, 3, 1, drop=9)])
    [[0, 1, 2]]
    """
    ins, outs = neighbours(count, [(p.left, p.right) for p in pulls if not p.drop])
    following = [
        near[0] if len(near) == 1 and len(ins[near[0]]) == 1 else None for near in outs
    ]
    inside = {node for node in following if node is not None}
    runs = []
    for node in range(count):
        if node not in inside and following[node] is not None:
            chain, next_node = [node], following[node]
            while next_node is not None:
                chain.append(next_node)
                next_node = following[next_node]
            runs.append(chain)
    return runs
