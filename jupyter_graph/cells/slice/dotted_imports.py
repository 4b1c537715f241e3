"""Which ``import a.b`` lines a slice needs, by the attributes that it reads."""

from __future__ import annotations

import ast
import sys
from collections.abc import Hashable, Iterator, Mapping, MutableMapping
from dataclasses import replace

from jupyter_graph.cells.scope.imported_modules import imported_modules
from jupyter_graph.cells.scope.program import Program
from jupyter_graph.cells.shipping.fragments import Fragment

Chains = Mapping[str, set[tuple[str, ...]]]


def mend_imports(
    fragments: MutableMapping[Hashable, Fragment], chains: Chains, program: Program
) -> None:
    """Leave out dotted imports that nothing reads; add those that came by the way.

    ``import a`` is enough for ``a.b`` in a kernel where another cell, one that does not
    ship, ran ``from a.b import c``; the slice needs an import of its own.

    Args:
        fragments: the pieces, changed in place.
        chains: name → the attributes read from it.
        program: the statements.
    """
    for key in list(_unread(fragments, chains)):
        del fragments[key]
    for fragment in list(fragments.values()):
        for module in _on_the_way(fragment, chains, program):
            node = ast.Import([ast.alias(module)])
            top = module.partition(".")[0]
            others = (f for f in fragments.values() if f.kind != "import")
            if not any(top in other.binds for other in others):
                fragments["import", module] = replace(
                    fragment, node=node, text=ast.unparse(node), binds=frozenset({top})
                )


def _plain(fragment: Fragment) -> ast.alias | None:
    node = fragment.node
    if fragment.kind != "import" or not isinstance(node, ast.Import):
        return None
    return node.names[0]


def _unread(
    fragments: Mapping[Hashable, Fragment], chains: Chains
) -> Iterator[Hashable]:
    dotted: dict[str, list[tuple[Hashable, bool]]] = {}
    for key, fragment in fragments.items():
        alias = _plain(fragment)
        if alias is not None and alias.asname is None:
            top, *path = alias.name.split(".")
            read = any(_meet(tuple(path), chain) for chain in chains.get(top, {()}))
            dotted.setdefault(top, []).append((key, read))
    for imports in dotted.values():
        is_read = any(read for _, read in imports)
        # Where nothing is read, the first one still binds the top name.
        unread = [key for key, read in imports if not read]
        yield from unread if is_read else unread[1:]


def _meet(path: tuple[str, ...], chain: tuple[str, ...]) -> bool:
    shorter = min(len(path), len(chain))
    return path[:shorter] == chain[:shorter]


def _on_the_way(fragment: Fragment, chains: Chains, program: Program) -> Iterator[str]:
    alias = _plain(fragment)
    if alias is None or (alias.asname is None and "." in alias.name):
        return
    imported = {m for s in program.statements for m in imported_modules([s.node])}
    [name] = fragment.binds
    for chain in sorted(chains.get(name, ())):
        for length in range(1, len(chain) + 1):
            module = ".".join((alias.name, *chain[:length]))
            is_known = any(f"{one}.".startswith(f"{module}.") for one in imported)
            if is_known and module in sys.modules and alias.name in sys.modules:
                yield module
