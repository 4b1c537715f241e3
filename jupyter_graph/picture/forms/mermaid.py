"""A graph as Mermaid text, which GitHub and many editors draw."""

from __future__ import annotations

from collections.abc import Iterator

from jupyter_graph.picture import theme
from jupyter_graph.picture.scene import Figure, Scene, scene
from jupyter_graph.spec.model import GraphSpec

_SHAPES = {
    "egg": ("([", "])"),
    "cylinder": ("[(", ")]"),
    "octagon": ("{{", "}}"),
    "cds": (">", "]"),
    "tab": ("[[", "]]"),
    "folder": ("[/", "/]"),
}
_SPECIAL = '"#<>&`;|{}[]()\\'


def mermaid(spec: GraphSpec) -> str:
    """Return a Mermaid flowchart, left to right.

    >>> from jupyter_graph.spec.model import StepSpec
    >>> print(mermaid(GraphSpec(steps=(StepSpec(name="a", handler="f"),))))
    flowchart LR
        n0(["start"])
        n1["<b>a</b><br/>f#40;#41;"]
        n0 --> n1
        classDef task fill:#eef4fc,stroke:#86b0e7,color:#1c2430
        class n1 task
        classDef start fill:#eef1f4,stroke:#94a0b0,color:#1c2430
        class n0 start
    """
    drawn = scene(spec)
    number = {name: f"n{n}" for n, name in enumerate(drawn.figures)}
    lines = ["flowchart LR"]
    lines += [f"    {line}" for line in _lines(drawn, number)]
    return "\n".join(lines)


def _lines(drawn: Scene, number: dict[str, str]) -> Iterator[str]:
    for figure, routes in drawn.boxes():
        own = number[figure.name]
        if routes:
            yield f'subgraph {own}c [" "]'
            yield f"    {_node(figure, own)}"
            for route in routes:
                yield f"    {_node(route, number[route.name])}"
                yield f"    {own} --> {number[route.name]}"
            yield "end"
        else:
            yield _node(figure, own)
    for edge in drawn.edges:
        if edge.kind != "route":
            arrow = "-.->|error|" if edge.kind == "error" else "-->"
            yield f"{number[edge.source]} {arrow} {number[edge.target]}"
    kinds = {figure.kind for figure in drawn.figures.values()}
    for kind in sorted(kinds, reverse=True):
        fill, stroke = theme.PLAIN[kind]
        members = [number[f.name] for f in drawn.figures.values() if f.kind == kind]
        yield f"classDef {kind} fill:{fill},stroke:{stroke},color:{theme.PLAIN_TEXT}"
        yield f"class {','.join(members)} {kind}"
    for figure in drawn.figures.values():
        if figure.responder:
            look = f"stroke:{theme.PLAIN_GREEN},stroke-width:2px"
            yield f"style {number[figure.name]} {look}"


def _node(figure: Figure, number: str) -> str:
    opening, closing = _SHAPES.get(figure.shape, ("[", "]"))
    if figure.kind == "start":
        return f'{number}{opening}"start"{closing}'
    label = "<br/>".join(
        [f"<b>{escaped(figure.title)}</b>", *map(escaped, figure.below)]
    )
    return f'{number}{opening}"{label}"{closing}'


def escaped(text: str) -> str:
    """Write what has a meaning in Mermaid or HTML as its character code.

    >>> escaped("a<b>")
    'a#60;b#62;'
    """
    return "".join(f"#{ord(c)};" if c in _SPECIAL else c for c in text)
