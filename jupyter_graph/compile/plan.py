"""The whole compilation: check, resolve, look at, generate."""

from __future__ import annotations

import itertools
import linecache
import weakref
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from types import CodeType
from typing import Any

from jupyter_graph.compile import prelude
from jupyter_graph.compile.code import StepCode, look_at
from jupyter_graph.compile.fuse import Fused, fuse
from jupyter_graph.compile.resolve import Resolver, resolve
from jupyter_graph.errors import SpecError
from jupyter_graph.spec.builder import Graph
from jupyter_graph.spec.model import GraphSpec, StepSpec
from jupyter_graph.spec.topology import responder_of
from jupyter_graph.spec.validate import validate

PRELUDE = (
    "NOTHING", "branches", "caught", "chosen", "drain", "drain_async", "each",
    "each_async", "gathered", "get_path", "put_path", "said_by", "same_event",
    "stream", "stream_async", "together",
)  # fmt: skip

_numbers = itertools.count(1)
_gone: deque[str] = deque()


@dataclass(frozen=True)
class CompiledGraph:
    """A graph whose names are resolved and whose code is generated.

    It holds no step instance, so several runners may open it at once.

    Attributes:
        spec: the graph.
        steps: each step's code, routes included, by the step's name.
        arguments: each step's constructor arguments, variables filled in.
        fused: the generated module; its ``source`` is readable.
        filename: the name under which tracebacks show the generated lines.
        responder: the step that answers, None when nobody does.
    """

    spec: GraphSpec
    steps: Mapping[str, StepCode]
    arguments: Mapping[str, Mapping[str, Any]]
    fused: Fused
    filename: str
    module: CodeType
    responder: str | None

    @property
    def source(self) -> str:
        """The generated code."""
        return self.fused.source

    @property
    def is_async(self) -> bool:
        """Whether the graph's function must be awaited."""
        return self.fused.is_async

    @property
    def takes_event(self) -> bool:
        """Whether the graph's function takes an event rather than a body."""
        return self.fused.takes_event

    def step_at_line(self, line: int) -> str | None:
        """Give the name of the step at a line of ``source``."""
        return self.fused.lines.get(line)

    def function(
        self, calls: Mapping[str, Callable[..., Any]], instances: Mapping[str, Any]
    ) -> Callable[..., Any]:
        """Give the graph's function over these calls: body (or event) in, answer out.

        Args:
            calls: each step's name to what is called with the body.
            instances: the step instances by name, for choices and merges.
        """
        twin = prelude.TWINS[self.spec.copy]
        names: dict[str, Any] = {name: getattr(prelude, name) for name in PRELUDE}
        names |= {"twin": twin, "twins": prelude.twins_by(twin)}
        names |= {ident: calls[name] for ident, name in self.fused.calls.items()}
        for ident, name in self.fused.selectors.items():
            names[ident] = instances[name].select_outlets
        for ident, name in self.fused.mergers.items():
            names[ident] = instances[name]
        exec(self.module, names)
        run: Callable[..., Any] = names["run"]
        return run


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
    fused = fuse(spec, steps)
    _forget_gone()
    filename = f"<graph {spec.name} #{next(_numbers)}>"
    linecache.cache[filename] = (
        len(fused.source), None, fused.source.splitlines(keepends=True), filename,
    )  # fmt: skip
    prelude.LINES[filename] = fused.lines
    compiled = CompiledGraph(
        spec=spec,
        steps=steps,
        arguments=arguments,
        fused=fused,
        filename=filename,
        module=compile(fused.source, filename, "exec", dont_inherit=True),
        responder=responder_of(spec),
    )
    weakref.finalize(compiled, _gone.append, filename)
    return compiled


def _forget_gone() -> None:
    """Drop the lines of graphs that no longer exist.

    Not in the finalizer itself: it may run while linecache walks over its table.
    """
    while _gone:
        filename = _gone.popleft()
        linecache.cache.pop(filename, None)
        prelude.LINES.pop(filename, None)


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
    if len(problems) == 1:
        raise SpecError(problems[0])
    if problems:
        lines = "\n  - ".join(problems)
        raise SpecError(f"invalid graph {spec.name!r}:\n  - {lines}", problems)
    for router in spec.every_step():
        found[router.name] = _with_routes(found, router)
    return found


def _with_routes(found: Mapping[str, StepCode], router: StepSpec) -> StepCode:
    """A router with a coroutine among its routes is awaited itself."""
    code = found[router.name]
    if not any(found[route.name].is_async for route in router.routes):
        return code
    if code.is_async:
        return code
    if not hasattr(code.code, "do_event_async"):
        raise SpecError(
            f"router {router.name!r} has a coroutine among its routes, but its class "
            "has no do_event_async"
        )
    return replace(code, is_async=True, method="do_event_async")
