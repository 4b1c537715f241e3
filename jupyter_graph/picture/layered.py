"""Our own layered layout: ranks, order within a rank, places, ways of the lines.

Source: Sugiyama, Tagawa, Toda, "Methods for visual understanding of hierarchical
system structures", 1981; the places come from isotonic regression (``places``).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

from jupyter_graph.picture.block import Block, Link, Plan
from jupyter_graph.picture.curves import Point, curve, straight
from jupyter_graph.picture.ordering import ordered
from jupyter_graph.picture.places import Pull, level
from jupyter_graph.picture.ranks import ranks

_ROW_GAP = 34.0
_LANE = 2.0
_DROP = 80.0
_FAINT = 1e-3


@dataclass(slots=True)
class Layers:
    """The blocks and, for lines over several ranks, a lane in each rank between.

    Nodes are numbers: first the blocks in their order, then the lanes.
    """

    rank: list[int]
    low: list[bool]
    height: list[float]
    chains: dict[Link, list[int]] = field(default_factory=dict)

    def hops(self) -> list[tuple[int, int]]:
        """Give the pairs of neighbours, each one rank apart."""
        return [hop for chain in self.chains.values() for hop in pairwise(chain)]


def arrange(blocks: dict[str, Block], links: list[Link], gap: float) -> Plan:
    """Place blocks in columns from left to right, error handlers below the flow.

    Deterministic; a thousand blocks take about a second.
    """
    layers = _layers(blocks, links)
    columns = ordered(layers.rank, layers.low, layers.hops())
    ys = level(columns, layers.height, _pulls(layers, len(blocks)), _ROW_GAP)
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


def _layers(blocks: dict[str, Block], links: list[Link]) -> Layers:
    number = {name: n for n, name in enumerate(blocks)}
    pairs = [(number[link.source], number[link.target]) for link in links]
    layers = Layers(
        rank=ranks(len(blocks), pairs),
        low=[block.low for block in blocks.values()],
        height=[block.height for block in blocks.values()],
    )
    for link, (source, target) in zip(links, pairs, strict=True):
        if layers.rank[source] > layers.rank[target]:  # a line back, in a cycle
            source, target = target, source
        low = link.kind == "error" or layers.low[source] or layers.low[target]
        chain = [source]
        for rank in range(layers.rank[source] + 1, layers.rank[target]):
            chain.append(len(layers.rank))
            layers.rank.append(rank)
            layers.low.append(low)
            layers.height.append(_LANE)
        layers.chains[link] = [*chain, target]
    return layers


def _pulls(layers: Layers, blocks: int) -> list[Pull]:
    found = []
    for left, right in layers.hops():
        lanes = (left >= blocks) + (right >= blocks)
        if layers.low[left] == layers.low[right]:
            weight = _FAINT if layers.low[left] else (1.0, 2.0, 8.0)[lanes]
            found.append(Pull(left, right, weight))
        else:
            drop = _DROP if layers.low[right] else -_DROP
            found.append(Pull(left, right, _FAINT, drop))
    return found


def _way(
    link: Link,
    stops: list[tuple[tuple[float, float], float]],
    blocks: dict[str, Block],
    centres: dict[str, Point],
) -> tuple[Point, ...]:
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
    here = (stops[0][0][1], start[1])
    points = straight(start, here)
    for (left, right), y in stops[1:-1]:
        points += curve(here, (left, y))[1:]
        here = (right, y)
        points += straight((left, y), here)[1:]
    door = (stops[-1][0][0], end[1])
    return (*points, *curve(here, door)[1:], *straight(door, end)[1:])
