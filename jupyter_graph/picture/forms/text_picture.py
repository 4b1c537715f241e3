"""A graph drawn with signs, for terminals and places that show no images."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from jupyter_graph.picture import counter_texts
from jupyter_graph.picture.counter_texts import Snapshot
from jupyter_graph.picture.forms.text_lanes import Lanes, Way
from jupyter_graph.picture.layout.measure import columns, plural
from jupyter_graph.picture.scene import Figure, Scene, scene, shown
from jupyter_graph.spec.model import GraphSpec

_ASCII = str.maketrans("○●◆◇◉▣▤▥│┆├╮╯╰┬┴─┄┼·→↩↺✕…×µ", "o*#!@=%&|:++++++--+.><^x.xu")
_LONGEST_VALUE = 48


def text(
    spec: GraphSpec, counters: Snapshot | None = None, *, ascii: bool = False
) -> str:
    """Draw a graph with one step on each line, its lines at the left.

    Args:
        spec: the graph.
        counters: what ``Counters.snapshot()`` returns.
        ascii: use ASCII signs only.

    >>> from jupyter_graph.spec.model import StepSpec
    >>> a, b = StepSpec(name="a", handler="f"), StepSpec(name="b", after=("a",))
    >>> print(text(GraphSpec(name="g", steps=(a, b))))
    g · flow · 2 steps
    ○ start
    ● a  f()
    ● b
    """
    steps = plural(len(spec.every_step()), "step")
    head = f"{spec.name} · {spec.topology} · {steps}"
    lines = [head, *_rows(scene(spec), counters)]
    whole = "\n".join(line.rstrip() for line in lines)
    return whole.translate(_ASCII) if ascii else whole


_SIGNS = {
    "start": "○",
    "error_step": "◇",
    "router": "◆",
    "target": "▣",
    "queue": "▣",
    "flow": "▤",
    "model_runner": "▥",
    "missing": "?",
}
_MOST_LANES = 16


@dataclass(frozen=True, slots=True)
class _Row:
    """One line: the lanes, then either the columns of a step or one remark."""

    art: str
    step: Figure | None = None
    branch: str = ""
    remark: str = ""


def _rows(drawn: Scene, counters: Snapshot | None) -> list[str]:
    rows = list(_flow(drawn, counters))
    if max(len(row.art) for row in rows) > 2 * _MOST_LANES:
        rows = list(_plain(drawn))
    wide = max(columns(row.art) for row in rows)
    steps = [(row.branch + row.step.title, _code(row.step)) for row in rows if row.step]
    named, coded = (max(map(columns, texts)) for texts in zip(*steps, strict=True))
    widths = (wide, named, coded)
    return [_written(drawn, row, counters, widths) for row in rows]


def _flow(drawn: Scene, counters: Snapshot | None) -> Iterator[_Row]:
    lanes = Lanes()
    ways: dict[str, list[Way]] = {name: [] for name in drawn.figures}
    sources: dict[str, list[str]] = {name: [] for name in drawn.figures}
    home = {f.name: f.router or f.name for f in drawn.figures.values()}
    for edge in drawn.edges:
        if edge.kind != "route" and not drawn.leads_back(edge):
            ways[home[edge.source]].append((edge.target, edge.kind))
            sources[edge.target].append(edge.source)
    # Error handlers come at once, so that their lanes stay short.
    after = {
        name: [to for to, _ in sorted(out, key=lambda way: way[1] != "error")]
        for name, out in ways.items()
    }
    for name in walk(after):
        figure = drawn.figures[name]
        if figure.router is not None:
            continue
        for source in sources[name]:
            counted = counter_texts.of_edge(counters, source, name)
            if count := counter_texts.count_of(counted):
                value = counter_texts.whole_value(counted, _LONGEST_VALUE)
                whence = f"  from {shown(source)}" if len(sources[name]) > 1 else ""
                many = counter_texts.number(count)
                yield _Row(lanes.row(), remark=f"{many} × {value}{whence}")
        column, joint = lanes.enter(name)
        if joint:
            yield _Row(joint)
        sign = "◉" if figure.responder else _SIGNS.get(figure.kind, "●")
        yield _Row(lanes.row(column, sign), figure)
        out = sorted(ways[name], key=lambda way: way[1] == "error")
        fork = lanes.leave(column, out)
        routes = drawn.routes_of(name)
        for route in routes:
            branch = "╰─ " if route is routes[-1] else "├─ "
            yield _Row(lanes.row(), route, branch)
        if fork:
            yield _Row(fork)


def walk(after: dict[str, list[str]]) -> list[str]:
    """Order names so that each comes after those that lead to it, branch by branch.

    Names in a cycle come in the order they have.

    >>> walk({"a": ["b", "c"], "b": ["d"], "c": ["d"], "d": []})
    ['a', 'b', 'c', 'd']
    """
    missing = dict.fromkeys(after, 0)
    for targets in after.values():
        for target in targets:
            missing[target] += 1
    walked: dict[str, None] = {}
    for root in [name for name in after if not missing[name]] + list(after):
        todo = [root]
        while todo:
            name = todo.pop()
            if name in walked:
                continue
            walked[name] = None
            for target in reversed(after[name]):
                missing[target] -= 1
                if not missing[target]:
                    todo.append(target)
    return list(walked)


def _plain(drawn: Scene) -> Iterator[_Row]:
    """List the steps with their upstream ones, where the lanes would be too many."""
    for figure in drawn.figures.values():
        ups = [shown(e.source) for e in drawn.edges if e.target == figure.name]
        yield _Row(_SIGNS.get(figure.kind, "●"), figure)
        if ups:
            yield _Row(" ", remark=f"after {', '.join(ups[:8])}{' …' * (len(ups) > 8)}")


def _written(
    drawn: Scene, row: _Row, counters: Snapshot | None, widths: tuple[int, int, int]
) -> str:
    wide, named, coded = widths
    art = _padded(row.art, wide)
    if row.step is None:
        return f"{art}   {row.remark}" if row.remark else row.art
    counted = counter_texts.of_step(counters, row.step.name)
    errors = counter_texts.errors_of(counted)
    ends = [
        counter_texts.step_line(counted),
        f"✕ {plural(errors, 'error')}" if errors else "",
        "↩ answers" if row.step.responder else "",
        *(f"↺ {shown(name)}" for name in drawn.back_from(row.step.name)),
    ]
    name = _padded(row.branch + row.step.title, named)
    code = _padded(_code(row.step), coded)
    return f"{art} {name}  {code}  {'  '.join(end for end in ends if end)}"


def _code(figure: Figure) -> str:
    return f"{figure.code} · {figure.models}" if figure.models else figure.code


def _padded(words: str, wide: int) -> str:
    return words + " " * (wide - columns(words))
