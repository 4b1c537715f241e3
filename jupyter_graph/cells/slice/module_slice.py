"""The smallest program that defines the steps of a graph."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jupyter_graph.cells.scope.imported_modules import (
    imported_modules,
    local_modules,
    statements_of,
)
from jupyter_graph.cells.scope.program import read_program
from jupyter_graph.cells.shipping.captured_values import CapturedValue, shippable
from jupyter_graph.cells.shipping.fragments import Fragment, Problem
from jupyter_graph.cells.shipping.shipping_analysis import ShippingAnalysis
from jupyter_graph.cells.slice.dependency_walk import DependencyWalk
from jupyter_graph.cells.slice.environment_reads import keys_read, needed_keys
from jupyter_graph.cells.slice.left_out import left_out
from jupyter_graph.cells.slice.modules_behind import modules_behind
from jupyter_graph.cells.slice.run_order import ordered
from jupyter_graph.cells.slice.slice_writer import SliceWriter, text_of
from jupyter_graph.cells.slice.state_names import state_names
from jupyter_graph.cells.source import Cell
from jupyter_graph.errors import CellError


@dataclass(frozen=True)
class Slice:
    """The code and the values that the roots need.

    Args:
        source: text of a module that defines the roots; values are loaded with
            ``load_value(__file__, "name")``.
        values: the values it loads.
        imports: top names of the modules it imports, the user's own files left out.
        names: name → (cell, line) that it comes from.
        line_map: line of ``source`` → (cell, line).
        local_modules: the user's own modules it needs, name → file.
        variables: the environment variables it cannot do without → (cell, line).
        left_out: (cell, line) and text of each line beside its code that does not ship.
        read_variables: the environment variables that it reads.
        state: names whose values its code changes while it runs.
    """

    source: str
    values: tuple[CapturedValue, ...] = ()
    imports: tuple[str, ...] = ()
    names: Mapping[str, tuple[int | None, int | None]] = field(default_factory=dict)
    line_map: Mapping[int, tuple[int | None, int | None]] = field(default_factory=dict)
    local_modules: Mapping[str, Path] = field(default_factory=dict)
    variables: Mapping[str, tuple[int | None, int]] = field(default_factory=dict)
    left_out: tuple[tuple[int | None, int, str], ...] = ()
    read_variables: tuple[str, ...] = ()
    state: tuple[str, ...] = ()

    @property
    def last_cell(self) -> int:
        """The number of the cell that ran last of those it is made of, 0 for none."""
        cells = [*self.names.values(), *self.line_map.values()]
        return max((cell for cell, _ in cells if cell is not None), default=0)


def slice_cells(
    cells: Sequence[Cell],
    roots: Iterable[str],
    namespace: Mapping[str, Any] | None = None,
    *,
    folder: str | Path | None = None,
    given: Collection[str] = (),
) -> Slice:
    r"""Return the smallest program that defines the roots as the kernel has them.

    Imports, helpers and constants that are used come along, each in its latest
    definition; whatever cannot be written as code comes as a value. The same kernel
    state gives the same text. Nothing of the notebook is run.

    Args:
        cells: in the order they ran; of several runs of a cell the last one counts.
        roots: names of functions, classes and values that must be defined.
        namespace: the live names; None when the cells come from a file, then values
            cannot be told.
        folder: where the notebook's own modules lie; the working folder by default.
        given: environment variables that the function has, whatever the notebook sets.

    Raises:
        CellError: lists every name that is not defined, every line that works only in
            a notebook, every value that is not known any more.

    >>> cells = [Cell("LIMIT = 3\nother = 1", 1), Cell("def f(x): return x > LIMIT", 2)]
    >>> print(slice_cells(cells, ["f"]).source)
    # cell 1, line 1
    LIMIT = 3
    <BLANKLINE>
    <BLANKLINE>
    # cell 2, line 1
    def f(x): return x > LIMIT
    <BLANKLINE>
    """
    place = Path(folder) if folder is not None else Path.cwd()
    walk = collect(cells, roots, namespace, place, given)
    if walk.problems:
        raise _error(list(walk.problems))
    return _written(ordered(walk.fragments.values(), walk.finals), walk.analysis, place)


def collect(
    cells: Sequence[Cell],
    roots: Iterable[str],
    namespace: Mapping[str, Any] | None,
    folder: Path,
    given: Collection[str] = (),
) -> DependencyWalk:
    """Return the pieces that the roots need, and the problems."""
    program = read_program(cells, folder, is_live=namespace is not None)
    walk = DependencyWalk(ShippingAnalysis(program, namespace), given)
    walk.collect(dict.fromkeys(roots))
    return walk


def _error(problems: Sequence[Problem]) -> CellError:
    first = problems[0]
    if len(problems) == 1:
        return CellError(str(first), cell=first.cell, line=first.line)
    listed = "".join(f"\n  - {problem}" for problem in problems)
    text = f"{len(problems)} problems in the code that the steps need:{listed}"
    return CellError(text, cell=first.cell, line=first.line)


def _written(
    fragments: Sequence[Fragment], analysis: ShippingAnalysis, folder: Path
) -> Slice:
    writer = SliceWriter()
    source = writer.write(fragments)
    nodes = [f.node for f in fragments if f.node and f.kind != "value"]
    local, others = local_modules(imported_modules(nodes), folder)
    inside = [node for path in local.values() for node in statements_of(path)]
    others |= modules_behind([*nodes, *inside], others)
    live = analysis.names.values
    values = tuple(
        CapturedValue(name, shippable(live[name]), f.cell, f.line)
        for f in fragments
        if f.kind == "value"
        for name in sorted(f.binds)
    )
    names = {n: (f.cell, f.line) for f in fragments for n in sorted(f.binds)}
    return Slice(
        source=source,
        values=values,
        imports=tuple(sorted(others)),
        names=names,
        line_map=writer.places,
        local_modules=local,
        variables=needed_keys(fragments, analysis.names),
        left_out=tuple(
            (one.number, one.line, text_of(one.parsed.lines, one.node)[0][0].strip())
            for one in left_out(analysis.program, fragments)
        ),
        read_variables=tuple(
            sorted({r.key for f in fragments for r in keys_read(f, analysis.names)})
        ),
        state=state_names(fragments, live),
    )
