"""Graphs to draw."""

from __future__ import annotations

import random

import pytest

from jupyter_graph.spec.model import GraphSpec, StepSpec

ODD_NAMES = (
    "a.b:c",
    "<script>alert(1)</script>",
    "quo\"ted 'name' & more",
    "漢字の手順",
    "ends with \\",
    "line\nbreak\x00\ud800",
    "]]>",
    "x" * 63,
)


def step(name, *after, **fields):
    fields.setdefault("handler", name)
    return StepSpec(name=name, after=after, **fields)


def routes(*names):
    return tuple(StepSpec(name=name, class_name="V2Model") for name in names)


def _linear():
    names = ("parse", "validate", "enrich", "predict", "threshold")
    steps = [step(n, *names[max(i - 1, 0) : i]) for i, n in enumerate(names)]
    return GraphSpec(
        name="linear", steps=(*steps, step("reply", "threshold", responder=True))
    )


def _branch():
    return GraphSpec(
        name="branch",
        steps=(
            step("parse"),
            step("left", "parse"),
            step("right", "parse"),
            step("deep", "right"),
            step("merge", "left", "deep", class_name="storey.Merge", responder=True),
            step("store", "merge", class_name="storey.ParquetTarget", handler=None),
        ),
    )


def _router():
    models = StepSpec(
        name="models",
        kind="router",
        class_name="ModelRouter",
        after=("prepare",),
        routes=routes("forest:v1", "boost", "net"),
    )
    return GraphSpec(
        name="router", steps=(step("prepare"), models, step("explain", "models"))
    )


def _root_router():
    router = StepSpec(name="router", kind="router", routes=routes("m1:v1", "m1:v2"))
    return GraphSpec(name="root", topology="router", router=router)


def _errors():
    handler = {"kind": "error_step"}
    return GraphSpec(
        name="errors",
        on_error="catch_all",
        steps=(
            step("parse"),
            step("validate", "parse", on_error="fix"),
            step("fix", before=("reply",), base_step="validate", **handler),
            step("predict", "validate", on_error="excuse"),
            step("excuse", base_step="predict", **handler),
            step("reply", "predict", responder=True),
            step("catch_all", **handler),
        ),
    )


def _kinds():
    runner = {"models": {"a": ["A", {}], "b": ["B", {}]}}
    return GraphSpec(
        name="kinds",
        allow_cyclic=True,
        steps=(
            step("tidy", kind="flow", handler=None, steps=(step("a"), step("b", "a"))),
            step("ask", "tidy", "judge", cycle_from=("judge",)),
            step("judge", "ask"),
            step(
                "models",
                "judge",
                kind="model_runner",
                class_name="ModelRunnerStep",
                class_args=runner,
                handler=None,
            ),
            step("also", "judge"),
            step("both", "models", "also", join="all", responder=True),
            step("orders", "both", kind="queue", path="memory://o", handler=None),
            step("work", "orders", function="worker"),
        ),
    )


def _odd():
    steps = [
        step(name, *ODD_NAMES[max(i - 1, 0) : i]) for i, name in enumerate(ODD_NAMES)
    ]
    return GraphSpec(name='odd <&> "graph"', steps=tuple(steps))


def _wrong():
    return GraphSpec(
        name="wrong",
        on_error="nobody",
        steps=(
            step("loop", "back"),
            step("back", "loop"),
            step("self", "self"),
            step("twice", "ghost"),
            step("twice"),
            step("bare", handler=None),
        ),
    )


def random_graph(count, seed=1):
    """Give a graph where each step follows one or two of those shortly before it."""
    chance = random.Random(seed)
    steps = [step("s0")]
    for i in range(1, count):
        ups = {max(0, i - 1 - int(chance.expovariate(0.15))) for _ in range(2)}
        keep = sorted(ups)[: 1 + (chance.random() < 0.3)]
        steps.append(step(f"s{i}", *(f"s{up}" for up in keep)))
    return GraphSpec(name="random", steps=tuple(steps))


def _wide_router():
    names = [f"model_{i}" for i in range(40)]
    return GraphSpec(steps=(step("all", kind="router", routes=routes(*names)),))


GRAPHS = {
    "empty": lambda: GraphSpec(name="empty"),
    "linear": _linear,
    "branch": _branch,
    "router": _router,
    "root-router": _root_router,
    "wide-router": _wide_router,
    "errors": _errors,
    "kinds": _kinds,
    "odd": _odd,
    "wrong": _wrong,
    "random": lambda: random_graph(40),
}


@pytest.fixture
def graph():
    """Give one of the graphs by its name."""
    return lambda name: GRAPHS[name]()


@pytest.fixture(params=sorted(GRAPHS))
def any_graph(request):
    """Give each of the graphs in turn."""
    return GRAPHS[request.param]()


@pytest.fixture
def big_graph():
    """Give a graph of a thousand steps."""
    return random_graph(1000)


@pytest.fixture
def odd_names():
    """Give names that mean something to some format."""
    return ODD_NAMES


@pytest.fixture
def counted():
    """Give counters of a graph, as a runner's snapshot has them."""

    def counters(spec, count=30, errors=2, last='{"user": "ann", "amount": 12.5}'):
        from jupyter_graph.spec.topology import edges

        return {
            "steps": {
                s.name: {"count": count, "errors": errors, "mean_ms": 0.4, "last_ms": 1}
                for s in spec.every_step()
            },
            "edges": {
                f"{edge.source}→{edge.target}": {"count": count, "last": last}
                for edge in edges(spec)
            },
        }

    return counters


@pytest.fixture
def no_programs(monkeypatch):
    """Hide dot and graphviz-pure."""
    monkeypatch.setattr(
        "jupyter_graph.picture.layout.graphviz_engine.which", lambda *_, **__: None
    )
