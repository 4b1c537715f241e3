"""What ``bench_widgets`` runs inside its kernel: events through watched graphs.

The notebook has two graphs of the same steps; a live view of ``seen`` is shown, none of
``unseen``.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from functools import partial
from itertools import repeat
from typing import Any

from benchmarks.bench_chain import composed
from benchmarks.measure import Events, Variant, in_turn, measure
from jupyter_graph import notebook

STEPS = 3
BODY = {"x": 1}
AT_ONCE = 100
GRAPHS = ("seen", "unseen")


def cells() -> list[str]:
    """Give the cells of the notebook."""
    named = [(graph, f"s{number}") for graph in GRAPHS for number in range(STEPS)]
    steps = [
        f"%%graph_step {name} --graph {graph}\n"
        f'def {name}(body):\n    return {{"x": body["x"] + 1}}'
        for graph, name in named
    ]
    new = [f"%graph new {graph}" for graph in GRAPHS]
    return ["%load_ext jupyter_graph", *new, *steps, "%graph show --graph seen"]


def variants(steps: Mapping[str, Callable[[Any], Any]]) -> list[Variant]:
    """Give the ways to send events, from one that nobody sees to the watched ones."""
    session = notebook()

    def value_of(graph: str, body: Any) -> Any:
        return session.run(body, graph=graph).value

    def each(graph: str) -> Events:
        """Send them a hundred at once, as ``%graph run --each`` does."""

        def events(count: int) -> Any:
            answer = None
            while count > 0:
                bodies = repeat(BODY, min(count, AT_ONCE))
                [*_, answer] = session.run_each(bodies, graph=graph)
                count -= AT_ONCE
            return None if answer is None else answer.value

        return events

    def run(graph: str) -> Any:
        return session.runners.of(session.graph(graph)).run

    found = [Variant("plain composition", in_turn(composed(steps), BODY))]
    for graph, said in (("unseen", "no view"), ("seen", "live view")):
        found += [
            Variant(f"Runner.run, {said}", in_turn(run(graph), BODY)),
            Variant(f"notebook.run, {said}", in_turn(partial(value_of, graph), BODY)),
            Variant(f"notebook.run_each, {said}", each(graph), AT_ONCE),
        ]
    return found


def steps_of(namespace: Mapping[str, Any]) -> dict[str, Callable[[Any], Any]]:
    """Give the functions that the notebook's cells defined."""
    return {f"s{number}": namespace[f"s{number}"] for number in range(STEPS)}


def measured(namespace: Mapping[str, Any], rounds: int, turn_s: float) -> str:
    """Measure all variants; give their rows as JSON."""
    shape = f"chain of {STEPS} in a notebook"
    found = measure(shape, variants(steps_of(namespace)), rounds=rounds, turn_s=turn_s)
    return json.dumps([asdict(row) for row in found])


def sent(namespace: Mapping[str, Any], name: str, count: int) -> str:
    """Send events by one variant; give how many seconds it took, as JSON."""
    [found] = [one for one in variants(steps_of(namespace)) if one.name == name]
    began = time.perf_counter()
    found.events(count)
    return json.dumps(time.perf_counter() - began)
