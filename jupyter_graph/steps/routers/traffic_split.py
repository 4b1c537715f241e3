"""Shares of events: which of them go where, the same in every process."""

from __future__ import annotations

import itertools
import json
import math
from bisect import bisect_right
from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

from jupyter_graph.argument_checks import require
from jupyter_graph.steps.routers.votes import check_weights
from jupyter_graph.values.dotted_path import part_of


def point_of(event: Any, key: str | None, salt: str) -> float:
    """Return an event's place in [0, 1): equal keys have the same, in every process.

    Args:
        event: the event.
        key: the part of the body that holds the key, by dots; without it, and where
            the body has none there, the event's id is the key.
        salt: what keeps two routers from cutting at the same place.
    """
    value = None if key is None else part_of(event.body, key)
    return point(event.id if value is None else value, salt)


def point(value: Any, salt: str = "") -> float:
    """Return a value's place in [0, 1).

    The text of a number is as good as the number: ``7`` and ``"7"`` are one key.

    >>> point("ann"), point(7) == point("7")
    (0.5516795764552993, True)
    """
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    digest = blake2b(text.encode(), digest_size=8, person=salt.encode()[:16]).digest()
    return (int.from_bytes(digest, "big") >> 11) / (1 << 53)


class Shares:
    """The routes side by side in [0, 1), each as wide as its share.

    Args:
        weights: numbers of 0 or more by route; all of them are scaled to sum to 1. A
            route that is not there gets nothing.
        routes: the routes.

    Raises:
        SpecError: a weight is no such number or that of no route, or all are 0.

    >>> shares = Shares({"old": 90, "new": 10}, {"old": 1, "new": 2})
    >>> shares.at(0.5), shares.at(0.95), shares.by_route
    ('old', 'new', {'old': 0.9, 'new': 0.1})
    """

    def __init__(self, weights: Mapping[str, float], routes: Mapping[str, Any]) -> None:
        rule = "weights must be numbers by route, such as {'old': 0.9, 'new': 0.1}"
        require(isinstance(weights, Mapping) and len(weights) > 0, rule, weights)
        check_weights(weights, routes, "a number of 0 or more", least=0)
        total = math.fsum(weights.values())
        kept = {name: weights[name] / total for name in routes if weights.get(name)}
        self.by_route = {name: kept.get(name, 0.0) for name in routes}
        self._names = list(kept)
        self._ends = list(itertools.accumulate(kept.values()))[:-1]

    def at(self, place: float) -> str:
        """Return the route at a place in [0, 1)."""
        return self._names[bisect_right(self._ends, place)]
