"""Where the code of a graph's steps comes from."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jupyter_graph.cells.lint import Finding, lint
from jupyter_graph.cells.notebook_files import cells_from_script
from jupyter_graph.cells.source import Cell
from jupyter_graph.compile.resolve import Resolver
from jupyter_graph.deployment.named_code import (
    code_names,
    is_block,
    is_code,
    named_code,
)
from jupyter_graph.errors import BundleError
from jupyter_graph.spec.argument_values import value_names
from jupyter_graph.spec.builder import Graph


@dataclass(frozen=True)
class Sources:
    """The code that a graph's names stand for.

    Attributes:
        cells: in the order in which they ran.
        namespace: what the names stand for now.
        notebook: path of the notebook or script; None when it has no file.
        check: returns what the notebook has found in the graph and its code.
    """

    cells: Sequence[Cell] = ()
    namespace: Mapping[str, Any] = field(default_factory=dict)
    notebook: str | None = None
    check: Callable[[], Sequence[Finding]] | None = field(
        default=None, repr=False, compare=False
    )

    @property
    def folder(self) -> Path | None:
        """The notebook's folder, where paths without a root begin."""
        return Path(self.notebook).resolve().parent if self.notebook else None


def findings_of(graph: Graph, sources: Sources) -> tuple[Finding, ...]:
    """Return what there is to mend or to know in a graph's code, the worst first."""
    if sources.check is not None:
        return tuple(sources.check())
    if not sources.cells:
        return ()
    roots = code_of(graph, sources).cells
    folder = sources.folder
    return tuple(lint(sources.cells, roots, sources.namespace, folder=folder))


def sources_of(graph: Graph) -> Sources:
    """Return the sources of a graph that was built in a script or in modules.

    Functions of the script that runs now are cut out of its file; those of other
    modules are imported from them.
    """
    main = sys.modules["__main__"]
    own = vars(main)
    in_main = [
        name
        for name in (*code_names(graph.spec), *value_names(graph.spec))
        if name in graph.namespace and own.get(name) is graph.namespace[name]
    ]
    script = getattr(main, "__file__", None)
    if not in_main:
        return Sources((), {}, script)
    if script is None:
        raise BundleError(
            f"the code of {in_main[0]!r} stands in no file; in a notebook deploy with "
            "%deploy, or give sources=Sources(cells, namespace, notebook)"
        )
    return Sources(cells_from_script(script), own, str(Path(script).resolve()))


@dataclass(frozen=True)
class Code:
    """Where the names of a graph come from.

    Attributes:
        cells: names that the cells define.
        imports: name → (module, name in it), for code of modules.
        values: name → object, for values that no cell holds.
    """

    cells: tuple[str, ...]
    imports: Mapping[str, tuple[str, str]]
    values: Mapping[str, Any]


def code_of(graph: Graph, sources: Sources) -> Code:
    """Find out where every name of a graph comes from.

    Raises:
        BundleError: a name stands for something that has no source.
        UnknownStepError: a name stands for nothing.
    """
    cells: list[str] = []
    imports: dict[str, tuple[str, str]] = {}
    values: dict[str, Any] = {}

    def place(name: str, where: str) -> None:
        module = _module_of(name, where, graph, sources)
        if module is None:
            cells.append(name)
        else:
            imports[name] = module

    for name, where in named_code(graph.spec):
        if name not in graph.namespace and name not in sources.namespace:
            imports |= _block(name, where, graph)
        else:
            place(name, where)
    for name in value_names(graph.spec):
        if name in sources.namespace:
            cells.append(name)
        elif name not in graph.namespace:
            raise BundleError(f"an argument stands for {name!r}, which is not defined")
        elif is_code(graph.namespace[name]):
            place(name, "an argument")
        else:
            values[name] = graph.namespace[name]
    return Code(tuple(dict.fromkeys(cells)), imports, values)


def _block(name: str, where: str, graph: Graph) -> dict[str, tuple[str, str]]:
    """Return what steps.py imports for a name that the notebook does not define.

    A block needs nothing; code of a module is imported, so that the module is allowed
    in the bundle too.
    """
    Resolver({}, graph.allow_imports).named(name, where)
    module, _, attribute = name.rpartition(".")
    if not module or module == "storey" or is_block(name):
        return {}
    return {f"_{name.replace('.', '_')}": (module, attribute)}


def _module_of(
    name: str, where: str, graph: Graph, sources: Sources
) -> tuple[str, str] | None:
    """Return the module of some code and its name there, None for code of the cells.

    Raises:
        BundleError: neither the cells nor a module hold it.
    """
    code = graph.namespace.get(name, sources.namespace.get(name))
    here = {"__main__", sources.namespace.get("__name__", "__main__")}
    # A cell that ran again has made another object; the graph still holds the first.
    in_cells = name in sources.namespace and (
        name not in graph.namespace or sources.namespace[name] is code
    )
    module = getattr(code, "__module__", None)
    if in_cells and (sources.cells or module in here):
        return None
    qualified = getattr(code, "__qualname__", "")
    if name in sources.namespace and module in here and not in_cells:
        raise BundleError(
            f"{where}: {name!r} was set again after the graph took it; run the "
            "cell of the step once more"
        )
    # "<": a lambda or code inside a function; ".": a method or a nested class.
    if module is None or module in here or "<" in qualified or "." in qualified:
        raise BundleError(
            f"{where}: {name!r} has no source that could travel; write it as a "
            "function or class in a cell of its own, or at the top of a module"
        )
    return module, qualified
