"""Names of the kernel that no cell defines, and values that are code after all."""

from __future__ import annotations

import ast
import builtins
import inspect
import sys
import textwrap
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import Any

from jupyter_graph.cells.scope.program import Statement
from jupyter_graph.cells.scope.usage import Use
from jupyter_graph.cells.scope.visitor import names_of
from jupyter_graph.cells.shipping.fragments import Fragment
from jupyter_graph.cells.shipping.live_names import BUILTINS
from jupyter_graph.cells.shipping.shipping_analysis import ShippingAnalysis

_CODE = FunctionType | BuiltinFunctionType | type | ModuleType
_SHELL = ("IPython", "ipykernel")


class KernelOnly:
    """Finds code for live objects: an import, another name, or their source.

    Args:
        analysis: knows the namespace and the cells.
    """

    def __init__(self, analysis: ShippingAnalysis) -> None:
        self.analysis = analysis
        self.names = analysis.names

    def is_builtin(self, name: str) -> bool:
        """Tell whether a name means Python's own."""
        if name not in BUILTINS or self.names.program.last(name) is not None:
            return False
        if name not in self.names.values:
            return True
        live = self.names.values[name]
        # IPython puts its own `open`, `exit` and `quit` into the namespace.
        return live is getattr(builtins, name, None) or _is_of_shell(live)

    def fragment(self, name: str) -> Fragment | None:
        """Return the piece for a name that no cell binds; None when there is no way."""
        live = self.names.values[name]
        if isinstance(live, _CODE):
            return self._imported(name, live) or self._from_source(name, live)
        if _is_of_shell(live):
            return None
        return Fragment("value", (-1, 0), frozenset({name}))

    def as_code(self, name: str, statement: Statement) -> Fragment | None:
        """Return the piece for a function, class or module that some call returned."""
        live = self.names.values[name]
        if not isinstance(live, _CODE):
            return None
        fragment = self._imported(name, live) or self._other_name(name, live)
        if fragment is not None:
            fragment.at = (statement.index, 0)
            fragment.cell, fragment.line = statement.number, statement.line
        return fragment

    def known_as(self, live: Any, besides: str = "") -> str | None:
        """Return the name under which a cell defines or imports an object."""
        for name in sorted(n for n, v in self.names.values.items() if v is live):
            statement = self.names.final(name)
            if name == besides or statement is None:
                continue
            if self.analysis.verdict(name, statement).how != "value":
                return name
        return None

    def _other_name(self, name: str, live: Any) -> Fragment | None:
        other = self.known_as(live, besides=name)
        if other is None:
            return None
        use = Use(other, 0)
        text = f"{name} = {other}"
        return Fragment("text", (0, 0), frozenset({name}), (use,), text=text)

    def _imported(self, name: str, live: Any) -> Fragment | None:
        text = import_line(name, live)
        if text is None:
            return None
        node = ast.parse(text).body[0]
        return Fragment("import", (-1, 0), frozenset({name}), node=node, text=text)

    def _from_source(self, name: str, live: Any) -> Fragment | None:
        # Under another name its source would define the wrong one.
        if getattr(live, "__name__", None) != name:
            return self._other_name(name, live)
        try:
            text = textwrap.dedent(inspect.getsource(live)).rstrip()
            [node] = ast.parse(text).body
        except (OSError, TypeError, SyntaxError, ValueError):
            return None
        if getattr(node, "name", None) != name:
            return None
        uses = tuple(names_of(node).uses)
        return Fragment("text", (-1, 0), frozenset({name}), uses, text=text, node=node)


def _is_of_shell(live: Any) -> bool:
    """Tell whether IPython made an object, one that wraps Python's own included."""
    owners = (
        getattr(live, "__module__", ""),
        type(live).__module__,
        # functools.wraps copied the module of what is wrapped.
        getattr(live, "__globals__", {}).get("__name__"),
    )
    return any(str(owner or "").startswith(_SHELL) for owner in owners)


def import_line(name: str, live: Any) -> str | None:
    """Return the import that binds a module, class or function to a name.

    >>> import pathlib
    >>> import_line("P", pathlib.Path), import_line("pl", pathlib)
    ('from pathlib import Path as P', 'import pathlib as pl')
    """
    if isinstance(live, ModuleType):
        own = live.__name__
        if sys.modules.get(own) is not live or own == "__main__":
            return None
        return f"import {own}" if own == name else f"import {own} as {name}"
    module = getattr(live, "__module__", None)
    own = getattr(live, "__qualname__", "")
    if module in (None, "__main__", "builtins") or not own.isidentifier():
        return None
    if getattr(sys.modules.get(module), own, None) is not live:
        return None
    module = _public(module, own, live)
    return f"from {module} import {own}" + ("" if own == name else f" as {name}")


def _public(module: str, own: str, live: Any) -> str:
    """Return the package that shows an object of a module with a private name.

    >>> import pathlib
    >>> _public(pathlib.Path.__module__, "Path", pathlib.Path)
    'pathlib'
    """
    parts = module.split(".")
    for count in range(1, len(parts)):
        package = ".".join(parts[:count])
        is_private = any(part.startswith("_") for part in parts[count:])
        if is_private and getattr(sys.modules.get(package), own, None) is live:
            return package
    return module
