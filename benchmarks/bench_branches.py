"""What do a choice, and a fan-out that is merged again, cost?"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Any

from benchmarks import peers
from benchmarks.bench_chain import PACKAGES, fused_of
from benchmarks.measure import Row, Variant, in_turn, measure
from benchmarks.report import run_timed, timed_parser
from jupyter_graph import Graph, Runner

CHOICES = ("a", "b", "c", "d")
BRANCHES = ("a", "b", "c")
BODY = {"x": 1, "to": "c"}
NESTED = {**BODY, "tags": ["new", "paid"], "user": {"name": "ann"}}


def pre(body: Any) -> Any:
    return {**body, "x": body["x"] + 1}


def branch(body: Any) -> Any:
    return {"x": body["x"] * 2, "to": body["to"]}


def post(body: Any) -> Any:
    return {"x": body["x"] - 1}


# -- choice ---------------------------------------------------------------------


def plain_choice(body: Any) -> Any:
    body = pre(body)
    match body["to"]:
        case "a" | "b" | "c" | "d":
            return post(branch(body))
        case other:
            raise ValueError(other)


def choice_graph() -> Graph:
    graph = Graph("choice")
    graph.to(name="pre", handler=pre).to("ChoiceByField", "choose", field_name="to")
    for name in CHOICES:
        graph.add_step(name=name, handler=branch, after="choose")
    graph.add_step(name="post", handler=post, after=CHOICES).respond()
    return graph


def choice_variants(stack: ExitStack) -> list[Variant]:
    from storey import Choice, Map

    class ByField(Choice):
        def select_outlets(self, body: Any) -> list[str]:
            return [body["to"]]

    def inner(last: Any) -> Any:
        chooser = last.to(Map(pre, name="pre")).to(ByField(name="choose"))
        end = Map(post, name="post")
        for name in CHOICES:
            chooser.to(Map(branch, name=name)).to(end)
        return end

    def grow(flow: Any) -> None:
        flow.to(name="pre", handler="pre").to("ByField", "choose")
        for name in CHOICES:
            flow.add_step(name=name, handler="branch", after="choose")
        flow.add_step(name="post", handler="post", after=list(CHOICES)).respond()

    names = {"pre": pre, "branch": branch, "post": post, "ByField": ByField}
    limit = Variant("plain", in_turn(plain_choice, BODY))
    return [limit, *_others(stack, choice_graph(), inner, grow, names, BODY)]


# -- fan-out and merge ----------------------------------------------------------


def plain_fan_out(twin: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def plain(body: Any) -> Any:
        body = pre(body)
        return [branch(body), branch(twin(body)), branch(twin(body))]

    return plain


def same(body: Any) -> Any:
    return body


def fan_out_graph(copies: str) -> Graph:
    graph = Graph("fan_out", copy=copies)
    graph.to(name="pre", handler=pre)
    for name in BRANCHES:
        graph.add_step(name=name, handler=branch, after="pre")
    graph.add_step("Merge", "merge", after=BRANCHES).respond()
    return graph


def shallow_variants(stack: ExitStack) -> list[Variant]:
    """Our branches get shallow copies; those of storey are deep, it has no others."""
    limits = [
        Variant("plain, dict copies", in_turn(plain_fan_out(dict), BODY)),
        Variant("plain, no copies", in_turn(plain_fan_out(same), BODY)),
    ]
    return [*limits, *_fan_outs(stack, "shallow", BODY)]


def deep_variants(stack: ExitStack, body: Any = BODY) -> list[Variant]:
    limit = Variant("plain, deepcopy", in_turn(plain_fan_out(copy.deepcopy), body))
    return [limit, *_fan_outs(stack, "deep", body)]


def nested_variants(stack: ExitStack) -> list[Variant]:
    return deep_variants(stack, NESTED)


def _fan_outs(stack: ExitStack, copies: str, body: Any) -> list[Variant]:
    """Give the fan-outs of all; storey has no merging step, one is written here."""
    from storey import Flow, Map

    class Gather(Flow):
        def __init__(self, **options: Any) -> None:
            super().__init__(full_event=True, **options)
            self._parts: dict[str, list[Any]] = {}

        async def _do(self, event: Any) -> Any:
            if not hasattr(event, "body"):  # the end of the flow
                return await self._do_downstream(event)
            parts = self._parts.setdefault(event.id, [])
            parts.append(event.body)
            if len(parts) < len(BRANCHES):
                return None
            event.body = self._parts.pop(event.id)
            return await self._do_downstream(event)

    def inner(last: Any) -> Any:
        first, end = last.to(Map(pre, name="pre")), Gather(name="merge")
        for name in BRANCHES:
            first.to(Map(branch, name=name)).to(end)
        return end

    def grow(flow: Any) -> None:
        flow.to(name="pre", handler="pre")
        for name in BRANCHES:
            flow.add_step(name=name, handler="branch", after="pre")
        merge = "mlrun.serving.merger.Merge"
        flow.add_step(merge, "merge", after=list(BRANCHES)).respond()

    names = {"pre": pre, "branch": branch}
    return _others(stack, fan_out_graph(copies), inner, grow, names, body)


# -- all of them ----------------------------------------------------------------


def _others(
    stack: ExitStack,
    graph: Graph,
    inner: Any,
    grow: Any,
    names: dict[str, Any],
    body: Any,
) -> list[Variant]:
    runner = stack.enter_context(Runner(graph))
    found = [
        Variant("fused function", in_turn(fused_of(graph), body)),
        Variant("Runner.run", in_turn(runner.run, body)),
        Variant("storey AsyncEmitSource", peers.storey_async(stack, inner, body)),
        Variant("storey SyncEmitSource", peers.storey_sync(stack, inner, body)),
    ]
    if peers.has_mlrun():  # its sync engine takes no branches
        server = peers.mlrun_server(stack, "async", grow, names)
        found.append(Variant("MLRun async engine", peers.mlrun_test(server, body)))
    return found


SHAPES = {
    "choice of 4": choice_variants,
    "fan-out 3 + merge, shallow": shallow_variants,
    "fan-out 3 + merge, deep": deep_variants,
    "fan-out 3 + merge, deep, nested body": nested_variants,
}


def run(*, rounds: int, turn_s: float) -> list[Row]:
    rows: list[Row] = []
    for shape, variants_of in SHAPES.items():
        with ExitStack() as stack:
            variants = variants_of(stack)
            rows += measure(shape, variants, rounds=rounds, turn_s=turn_s)
    return rows


def main(words: Sequence[str] | None = None) -> None:
    run_timed(run, timed_parser(__doc__, rounds=9).parse_args(words), PACKAGES)


if __name__ == "__main__":
    main()
