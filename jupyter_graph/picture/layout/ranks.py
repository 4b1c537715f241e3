"""Which column each node stands in: the longest way to it from the left."""

from __future__ import annotations

from jupyter_graph.picture.layout.ordering import neighbours

Pair = tuple[int, int]


def ranks(count: int, pairs: list[Pair]) -> list[int]:
    """Return each node's rank, 0 for the first ones; lines lead to higher ranks.

    In a cycle, which a finished graph has none of, the line that closes it leads
    back. A node with more lines out than in stands as near to its followers as it
    can.

    >>> ranks(4, [(0, 1), (1, 2), (0, 2), (2, 3)])
    [0, 1, 2, 3]
    """
    before, after = neighbours(count, _without_cycles(count, pairs))
    missing = [len(sources) for sources in before]
    rank = [0] * count
    ready = [n for n in range(count) if not missing[n]]
    for node in ready:  # grows while it is walked
        for target in after[node]:
            rank[target] = max(rank[target], rank[node] + 1)
            missing[target] -= 1
            if not missing[target]:
                ready.append(target)
    for node in reversed(ready):
        if len(after[node]) > len(before[node]):
            rank[node] = min(rank[target] for target in after[node]) - 1
    return rank


def _without_cycles(count: int, pairs: list[Pair]) -> list[Pair]:
    """Turn the lines that close a cycle around, and leave out loops on one node."""
    _, after = neighbours(count, pairs)
    state = [0] * count  # 1: on the way, 2: done
    back: set[Pair] = set()
    for root in range(count):
        if state[root]:
            continue
        state[root] = 1
        path = [(root, iter(after[root]))]
        while path:
            node, rest = path[-1]
            for target in rest:
                if state[target] == 1:
                    back.add((node, target))
                elif not state[target]:
                    state[target] = 1
                    path.append((target, iter(after[target])))
                    break
            else:
                state[node] = 2
                path.pop()
    return [
        (target, source) if (source, target) in back else (source, target)
        for source, target in pairs
        if source != target
    ]
