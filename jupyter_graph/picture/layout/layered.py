"""Our own layered layout: ranks, order within a rank, places, ways of the lines.

Source: Sugiyama, Tagawa, Toda, "Methods for visual understanding of hierarchical
system structures", 1981; the places come from isotonic regression (``heights.apart``).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

from jupyter_graph.picture.layout.block import Block, Plan
from jupyter_graph.picture.layout.curves import Curve, Point, curve, straight
from jupyter_graph.picture.layout.heights import Pull, level
from jupyter_graph.picture.layout.ordering import ordered
from jupyter_graph.picture.layout.ranks import ranks
from jupyter_graph.spec.topology import Edge

_ROW_GAP = 34.0
_LANE = 22.0
_DROP = 80.0
_FAINT = 1e-3
_FLAT = 0.05
_MOST_LANES = 12_000  # beyond, long lines run straight over what is between


@dataclass(slots=True)
class Layers:
    """The blocks and, for lines over several ranks, a lane in each rank between.

    Nodes are numbers: first the blocks in their order, then the lanes.
    """

    rank: list[int]
    low: list[bool]
    size: list[float]
    chains: dict[Edge, list[int]] = field(default_factory=dict)
    buses: dict[tuple[int, int], int] = field(default_factory=dict)

    def hops(self) -> list[tuple[int, int]]:
        """Return the pairs of neighbours, each one rank apart."""
        hops = (hop for chain in self.chains.values() for hop in pairwise(chain))
        near = (hop for hop in hops if self.rank[hop[1]] - self.rank[hop[0]] == 1)
        return list(dict.fromkeys(near))

    def lane(self, rank: int, low: bool, shared: int | None) -> int:
        """Return a new lane in a rank, or the one that is shared there."""
        if shared is not None and (rank, shared) in self.buses:
            return self.buses[rank, shared]
        number = len(self.rank)
        self.rank.append(rank)
        self.low.append(low)
        self.size.append(_LANE)
        if shared is not None:
            self.buses[rank, shared] = number
        return number


def arrange(blocks: dict[str, Block], links: list[Edge], gap: float) -> Plan:
    """Place blocks in columns from left to right, error handlers below the flow.

    Deterministic; a thousand blocks take about a second.
    """
    layers = _layers(blocks, links)
    columns = ordered(layers.rank, layers.low, layers.hops())
    ys = level(columns, layers.size, _pulls(layers, len(blocks)))
    every = list(blocks.values())
    spans: list[tuple[float, float]] = []
    left = 0.0
    for column in columns:
        width = max((every[n].width for n in column if n < len(every)), default=0.0)
        spans.append((left, left + width))
        left += width + gap
    centres = {
        block.name: (sum(spans[layers.rank[n]]) / 2, ys[n])
        for n, block in enumerate(every)
    }
    ways = {
        link: _way(
            link, [(spans[layers.rank[n]], ys[n]) for n in chain], blocks, centres
        )
        for link, chain in layers.chains.items()
    }
    return Plan(centres, ways)


def _layers(blocks: dict[str, Block], links: list[Edge]) -> Layers:
    number = {name: n for n, name in enumerate(blocks)}
    pairs = [(number[link.source], number[link.target]) for link in links]
    layers = Layers(
        rank=ranks(len(blocks), pairs),
        low=[block.low for block in blocks.values()],
        size=[block.height + _ROW_GAP for block in blocks.values()],
    )
    spans = sum(abs(layers.rank[a] - layers.rank[b]) for a, b in pairs)
    for link, (source, target) in zip(links, pairs, strict=True):
        if layers.rank[source] > layers.rank[target]:  # a line back, in a cycle
            source, target = target, source
        low = link.kind == "error" or layers.low[source] or layers.low[target]
        # Lines to one error handler share their lanes: a shared way along the bottom.
        shared = target if link.kind == "error" else None
        chain = [source]
        if spans < _MOST_LANES or shared is not None:
            for rank in range(layers.rank[source] + 1, layers.rank[target]):
                chain.append(layers.lane(rank, low, shared))
        layers.chains[link] = [*chain, target]
    return layers


def _pulls(layers: Layers, blocks: int) -> list[Pull]:
    pulls = []
    for left, right in layers.hops():
        lanes = (left >= blocks) + (right >= blocks)
        if layers.low[left] == layers.low[right]:
            weight = _FAINT if layers.low[left] else (1.0, 2.0, 8.0)[lanes]
            pulls.append(Pull(left, right, weight))
        else:
            drop = _DROP if layers.low[right] else -_DROP
            pulls.append(Pull(left, right, _FAINT, drop))
    return pulls


def _way(
    link: Edge,
    stops: list[tuple[tuple[float, float], float]],
    blocks: dict[str, Block],
    centres: dict[str, Point],
) -> Curve:
    """Lead a line level through each column and in curves through the gaps.

    Args:
        link: the line.
        stops: for each rank on its way, the column's borders and the height.
        blocks: all blocks by name.
        centres: where they stand.
    """
    start = blocks[link.source].exit(centres[link.source], link.kind)
    end = blocks[link.target].door(centres[link.target])
    if start[0] > end[0]:
        below = max(start[1], end[1]) + 2 * _DROP
        return (start, (start[0] + _DROP, below), (end[0] - _DROP, below), end)
    points: Curve = (start,)
    since, right, y = start, stops[0][0][1], start[1]  # level from ``since`` on
    for (left, next_right), next_y in [*stops[1:-1], (stops[-1][0], end[1])]:
        if abs(next_y - y) > _FLAT:
            leave, arrive = (right, y), (left, next_y)
            points += straight(since, leave)[1:] + curve(leave, arrive)[1:]
            since, y = arrive, next_y
        right = next_right
    return points + straight(since, end)[1:]
