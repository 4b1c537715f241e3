"""Compiles a graph whose functions take the parameters of a request."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from typing import Any, Final

from jupyter_graph.compile.compiled_graph import CompiledGraph, compile_graph
from jupyter_graph.compile.resolve import Resolver
from jupyter_graph.errors import SpecError
from jupyter_graph.frontend.call_parameters import (
    Code,
    needed_parameters,
    with_parameters,
)
from jupyter_graph.spec.builder import Graph
from jupyter_graph.spec.model import GraphSpec, StepSpec

_OWN: Final = ("jupyter_graph.", "storey.")  # blocks see the parameters as the body


class EndpointAdapters:
    """Compiles graphs whose steps take parameters; keeps the adapters it made.

    A runner that takes new code over (``Runner.swap``) sees by the adapters which steps
    are the same as before, so one ``EndpointAdapters`` belongs to one runner.

    Args:
        only: the parameters that a function may need; None = any.
    """

    def __init__(self, only: frozenset[str] | None = None) -> None:
        self._only = only
        self._known: dict[tuple[Any, tuple[str, ...]], Code] = {}

    def compile(
        self,
        graph: Graph | GraphSpec,
        namespace: Mapping[str, Any] | None = None,
        allow_imports: Iterable[str] = (),
        **part: Any,
    ) -> CompiledGraph:
        """``compile_graph`` for a graph behind a front end; ``part`` is passed on.

        Raises:
            SpecError: as of ``compile_graph``.
        """
        names, allowed = dict(namespace or {}), tuple(allow_imports)
        if isinstance(graph, GraphSpec):
            names |= self._of(graph, Resolver(names, allowed))
            return compile_graph(graph, names, allowed, **part)
        names |= graph.namespace
        resolver = Resolver(names, (*graph.allow_imports, *allowed), graph.is_trusted)
        adapters = self._of(spec := graph.spec, resolver)
        return compile_graph(
            graph.with_spec(spec, {**names, **adapters}), None, allowed, **part
        )

    def _of(self, spec: GraphSpec, resolver: Resolver) -> dict[str, Code]:
        """Return the adapters of a graph's steps by the names of their code."""
        codes: dict[str, Any] = {}
        methods: dict[str, set[str]] = {}
        for step in spec.every_step():
            name = step.class_name or step.handler
            if not name or step.full_event:
                continue
            try:
                codes[name] = resolver.code_of(step)
            except SpecError:
                continue  # the compiler reports it, with everything else
            if (method := method_with_body(step, codes[name])) and (
                self._only is None
                or needed_parameters(codes[name], method) <= self._only
            ):
                methods.setdefault(name, set()).add(method)
        known, self._known = self._known, {}
        adapters: dict[str, Code] = {}
        for name, of_name in methods.items():
            key = codes[name], tuple(sorted(of_name))
            try:
                adapter = known.get(key) or with_parameters(*key)
                self._known[key] = adapter
            except TypeError:  # code without a hash gets a new one each time
                adapter = with_parameters(*key)
            adapters[name] = adapter
        return adapters


def method_with_body(step: StepSpec, code: Any) -> str:
    """Return the method of a step that takes the body; "" where there is none."""
    if not inspect.isclass(code):
        return "" if _is_own(code) or not callable(code) else "__call__"
    name = step.handler or ("do" if not hasattr(code, "do_event") else "")
    method = getattr(code, name, None) if name else None
    is_flow = any(base.__module__.startswith("storey.") for base in code.__mro__)
    return "" if method is None or is_flow or _is_own(method) else name


def _is_own(code: Any) -> bool:
    return str(getattr(code, "__module__", "")).startswith(_OWN)
