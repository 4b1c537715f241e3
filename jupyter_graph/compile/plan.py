"""The whole compilation: check, resolve, look at, generate."""

from __future__ import annotations

import itertools
import linecache
import weakref
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from types import CodeType
from typing import Any

from jupyter_graph.compile import prelude
from jupyter_graph.compile.blame import LINES
from jupyter_graph.compile.code import StepCode, look_at
from jupyter_graph.compile.flow import Region, cut_into_regions, is_stateful
from jupyter_graph.compile.fuse import Fused, fuse
from jupyter_graph.compile.resolve import Resolver, resolve
from jupyter_graph.errors import SpecError
from jupyter_graph.spec.builder import Graph
from jupyter_graph.spec.model import GraphSpec, StepSpec
from jupyter_graph.spec.topology import responder_of
from jupyter_graph.spec.validate import validate

_numbers = itertools.count(1)
_gone: deque[str] = deque()


@dataclass(frozen=True)
class GeneratedModule:
    """Generated code, compiled; ``filename`` is its name in tracebacks."""

    fused: Fused
    filename: str
    code: CodeType
    twin: Callable[[Any], Any]

    def function(
        self, calls: Mapping[str, Callable[..., Any]], instances: Mapping[str, Any]
    ) -> Callable[..., Any]:
        """Give the module's function over these calls: body (or event) in, answer out.

        Args:
            calls: each step's name to what is called with the body.
            instances: the step instances by name, for choices and merges.
        """
        names: dict[str, Any] = {
            name: getattr(prelude, name) for name in prelude.__all__
        }
        twins = prelude.twins_by(self.twin, of_events=self.fused.takes_event)
        names |= {"twin": self.twin, "twins": twins}
        names |= {ident: calls[name] for ident, name in self.fused.calls.items()}
        for ident, name in self.fused.selectors.items():
            names[ident] = instances[name].select_outlets
        for ident, name in self.fused.mergers.items():
            names[ident] = instances[name]
        exec(self.code, names)
        run: Callable[..., Any] = names["run"]
        return run


@dataclass(frozen=True)
class CompiledGraph:
    """A graph whose names are resolved and whose code is generated.

    It holds no step instance, so several runners may open it at once.

    Attributes:
        spec: the graph.
        steps: each step's code, routes included, by the step's name.
        arguments: each step's constructor arguments, variables filled in.
        main: the generated code of a graph without storey steps.
        regions: for a graph with storey steps its regions, each with its code.
        responder: the step that answers, None when nobody does.
    """

    spec: GraphSpec
    steps: Mapping[str, StepCode]
    arguments: Mapping[str, Mapping[str, Any]]
    main: GeneratedModule | None
    regions: tuple[tuple[Region, GeneratedModule | None], ...]
    responder: str | None

    def modules(self) -> tuple[GeneratedModule, ...]:
        """Give all generated modules."""
        parts = (module for _, module in self.regions if module)
        return (self.main,) if self.main else tuple(parts)

    @property
    def source(self) -> str:
        """The generated code; storey steps stand as comments between the regions."""
        if self.main is not None:
            return self.main.fused.source
        parts = [
            module.fused.source if module else f"# storey step {region.last!r}\n"
            for region, module in self.regions
        ]
        return "\n".join(parts)

    @property
    def is_async(self) -> bool:
        """Whether the graph's function must be awaited."""
        return self.main is None or self.main.fused.is_async

    @property
    def takes_event(self) -> bool:
        """Whether the graph's function takes an event rather than a body."""
        return self.main is None or self.main.fused.takes_event

    @cached_property
    def streams(self) -> bool:
        """Whether a step gives its results one by one."""
        return any(code.is_stream for code in self.steps.values())

    def function(
        self, calls: Mapping[str, Callable[..., Any]], instances: Mapping[str, Any]
    ) -> Callable[..., Any]:
        """Give the function of a graph without storey steps over these calls.

        Args:
            calls: each step's name to what is called with the body.
            instances: the step instances by name, for choices and merges.

        Raises:
            SpecError: the graph has storey steps; a Runner builds its flow.
        """
        if self.main is None:
            raise SpecError(f"graph {self.spec.name!r} has storey steps; use a Runner")
        return self.main.function(calls, instances)


def compile_graph(
    graph: Graph | GraphSpec,
    namespace: Mapping[str, Any] | None = None,
    allow_imports: Iterable[str] = (),
) -> CompiledGraph:
    """Compile a graph; nothing is started and no step is built.

    Args:
        graph: the graph; a ``Graph`` brings its own namespace.
        namespace: further names that its steps may stand for.
        allow_imports: modules that dotted names may be taken from.

    Raises:
        SpecError: the graph breaks rules, or its names or arguments do not fit; every
            problem is listed, nothing was built.

    >>> graph = Graph("math")
    >>> _ = graph.to(name="double", handler=lambda x: x * 2).respond()
    >>> print(compile_graph(graph).source, end="")
    def run(body):
        body = double(body)
        return body
    """
    spec = graph if isinstance(graph, GraphSpec) else graph.spec
    validate(spec)
    codes, arguments = resolve(spec, _resolver(graph, namespace, allow_imports))
    steps = _look_at_all(spec, codes)
    _forget_gone()
    if is_stateful(steps):
        cut = cut_into_regions(spec, steps)
        regions = tuple((region, _module_of(spec, region.fused)) for region in cut)
        main = None
    else:
        regions, main = (), _module_of(spec, fuse(spec, steps))
    compiled = CompiledGraph(
        spec=spec,
        steps=steps,
        arguments=arguments,
        main=main,
        regions=regions,
        responder=responder_of(spec),
    )
    for module in compiled.modules():
        weakref.finalize(compiled, _gone.append, module.filename)
    return compiled


def _module_of(spec: GraphSpec, fused: Fused | None) -> GeneratedModule | None:
    if fused is None:
        return None
    filename = f"<graph {spec.name} #{next(_numbers)}>"
    lines = fused.source.splitlines(keepends=True)
    linecache.cache[filename] = (len(fused.source), None, lines, filename)
    LINES[filename] = fused.lines
    code = compile(fused.source, filename, "exec", dont_inherit=True)
    return GeneratedModule(fused, filename, code, prelude.TWINS[spec.copy])


def _forget_gone() -> None:
    """Drop the lines of graphs that no longer exist.

    Not in the finalizer itself: it may run while linecache walks over its table.
    """
    while _gone:
        filename = _gone.popleft()
        linecache.cache.pop(filename, None)
        LINES.pop(filename, None)


def _resolver(
    graph: Graph | GraphSpec,
    namespace: Mapping[str, Any] | None,
    allow_imports: Iterable[str],
) -> Resolver:
    if isinstance(graph, GraphSpec):
        return Resolver(namespace or {}, tuple(allow_imports))
    names = {**(namespace or {}), **graph.namespace}
    allowed = (*graph.allow_imports, *allow_imports)
    return Resolver(names, allowed, is_trusted=graph.is_trusted)


def _look_at_all(spec: GraphSpec, codes: Mapping[str, Any]) -> dict[str, StepCode]:
    found: dict[str, StepCode] = {}
    problems: list[str] = []
    for step in spec.every_step():
        try:
            found[step.name] = look_at(step, codes[step.name])
        except SpecError as error:
            problems += error.problems
    SpecError.raise_all(f"invalid graph {spec.name!r}", problems)
    if any(code.is_async or code.is_stateful for code in found.values()):
        found = {name: replace(code, on_loop=True) for name, code in found.items()}
    for router in spec.every_step():
        found[router.name] = _with_routes(found, router)
    return found


def _with_routes(found: Mapping[str, StepCode], router: StepSpec) -> StepCode:
    """A router with a coroutine among its routes is awaited itself."""
    code = found[router.name]
    routes = [found[route.name] for route in router.routes]
    is_awaited = any(route.is_awaited or route.is_async for route in routes)
    if code.is_async or not is_awaited:
        return code
    if not hasattr(code.code, "do_event_async"):
        raise SpecError(
            f"router {router.name!r} has a coroutine among its routes, but its class "
            "has no do_event_async"
        )
    if router.blocking:
        raise SpecError(
            f"router {router.name!r} has a coroutine among its routes, which takes no "
            "blocking; mark the routes that wait"
        )
    return replace(code, is_async=True, method="do_event_async")
