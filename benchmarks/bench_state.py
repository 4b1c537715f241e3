"""What do a state by key and a lookup cost, in memory and in the file of the store?"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from benchmarks import peers
from benchmarks.measure import Row, Variant, in_turn, measure
from benchmarks.report import run_timed, timed_parser
from jupyter_graph import Graph, Runner

PACKAGES = ("jupyter_graph", "storey")
BODY = {"user": "ann", "n": 3}
ROW = {"city": "Ghent", "age": 33}
USERS = {"ann": ROW, "bob": {"city": "Basel", "age": 44}}


def count(body: Any, seen: int) -> Any:
    """Count, without saying how far: the answer is the same however often it ran."""
    return {**body, "is_counted": True}, seen + 1


# -- a state by key -----------------------------------------------------------------


def plain_state() -> Callable[[Any], Any]:
    states: dict[str, Any] = {"ann": 0}

    def run(body: Any) -> Any:
        found, states[body["user"]] = count(body, states[body["user"]])
        return found

    return run


def state_graph(table: str) -> Graph:
    graph = Graph("state")
    arguments = {"initial_state": 0, "fn": count, "key": "user", "table": table}
    graph.to("MapWithState", "count", class_args=arguments).respond()
    return graph


def state_variants(stack: ExitStack, folder: Path) -> list[Variant]:
    from storey import MapWithState

    def inner(last: Any) -> Any:
        return last.to(MapWithState(0, count, name="count"))

    return [
        Variant("plain dict", in_turn(plain_state(), BODY)),
        _run(stack, "MapWithState, memory", state_graph("memory")),
        _run(stack, "MapWithState, store", state_graph(f"store://{folder}/states")),
        Variant(
            "storey AsyncEmitSource, one state", peers.storey_async(stack, inner, BODY)
        ),
    ]


# -- a lookup -----------------------------------------------------------------------


def plain_lookup(body: Any) -> Any:
    return {**body, **USERS[body["user"]]}


def lookup_graph(table: Any) -> Graph:
    graph = Graph("lookup")
    arguments = {"table": table, "key": "user"}
    graph.to("JoinWithTable", "join", class_args=arguments).respond()
    return graph


def fill(stack: ExitStack, table: str) -> None:
    """Write the rows into a table, as a graph would."""
    graph = Graph("fill")
    graph.to("TableTarget", "write", class_args={"table": table, "key": "user"})
    runner = stack.enter_context(Runner(graph))
    for user, row in USERS.items():
        runner.run({"user": user, **row})


def lookup_variants(stack: ExitStack, folder: Path) -> list[Variant]:
    table = f"store://{folder}/users"
    fill(stack, table)
    return [
        Variant("plain dict", in_turn(plain_lookup, BODY)),
        _run(stack, "JoinWithTable, a dict", lookup_graph(USERS)),
        _run(stack, "JoinWithTable, store", lookup_graph(table)),
    ]


def _run(stack: ExitStack, name: str, graph: Graph) -> Variant:
    return Variant(name, in_turn(stack.enter_context(Runner(graph)).run, BODY))


# -- both ---------------------------------------------------------------------------

SHAPES = {"state by key": state_variants, "lookup by key": lookup_variants}


def run(*, rounds: int, turn_s: float) -> list[Row]:
    rows: list[Row] = []
    for shape, variants_of in SHAPES.items():
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            variants = variants_of(stack, folder)
            rows += measure(shape, variants, rounds=rounds, turn_s=turn_s)
    return rows


def main(words: Sequence[str] | None = None) -> None:
    run_timed(run, timed_parser(__doc__, rounds=7).parse_args(words), PACKAGES)


if __name__ == "__main__":
    main()
