"""Which ``import a.b`` lines a slice needs, by the attributes that it reads."""

from __future__ import annotations

import ast
import sys
from collections.abc import Hashable, Iterator, Mapping, MutableMapping
from dataclasses import replace

from jupyter_graph.cells.slice.fragments import Fragment
from jupyter_graph.cells.slice.imported_modules import imported_modules
from jupyter_graph.cells.slice.program import Program

Chains = Mapping[str, set[tuple[str, ...]]]


def mend_imports(
    items: MutableMapping[Hashable, Fragment], chains: Chains, program: Program
) -> None:
    """Leave out dotted imports that nothing reads; add those that came by the way.

    ``import a`` is enough for ``a.b`` in a kernel where another cell, one that does not
    ship, has said ``from a.b import c``; in the slice it must be said.

    Args:
        items: the pieces, changed in place.
        chains: name → the attributes read from it.
        program: the statements.
    """
    for key in list(_unread(items, chains)):
        del items[key]
    for item in list(items.values()):
        for module in _on_the_way(item, chains, program):
            node = ast.Import([ast.alias(module)])
            top = module.partition(".")[0]
            taken = any(top in i.binds and i.kind != "import" for i in items.values())
            if not taken:
                items["import", module] = replace(
                    item, node=node, text=ast.unparse(node), binds=frozenset({top})
                )


def _plain(item: Fragment) -> ast.alias | None:
    node = item.node
    if item.kind != "import" or not isinstance(node, ast.Import):
        return None
    return node.names[0]


def _unread(items: Mapping[Hashable, Fragment], chains: Chains) -> Iterator[Hashable]:
    dotted: dict[str, list[tuple[Hashable, Fragment, bool]]] = {}
    for key, item in items.items():
        alias = _plain(item)
        if alias is not None and alias.asname is None:
            top, *path = alias.name.split(".")
            read = any(_meet(tuple(path), chain) for chain in chains.get(top, {()}))
            dotted.setdefault(top, []).append((key, item, read))
    for found in dotted.values():
        keep = {id(item) for _, item, read in found if read} or {id(found[0][1])}
        yield from (key for key, item, _ in found if id(item) not in keep)


def _meet(path: tuple[str, ...], chain: tuple[str, ...]) -> bool:
    shorter = min(len(path), len(chain))
    return path[:shorter] == chain[:shorter]


def _on_the_way(item: Fragment, chains: Chains, program: Program) -> Iterator[str]:
    alias = _plain(item)
    if alias is None or (alias.asname is None and "." in alias.name):
        return
    said = {m for s in program.statements for m in imported_modules([s.node])}
    [name] = item.binds
    for chain in sorted(chains.get(name, ())):
        for length in range(1, len(chain) + 1):
            module = ".".join((alias.name, *chain[:length]))
            is_said = any(f"{one}.".startswith(f"{module}.") for one in said)
            if is_said and module in sys.modules and alias.name in sys.modules:
                yield module
