"""The whole compilation: check, resolve, look at, generate."""

from __future__ import annotations

import itertools
import linecache
import weakref
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from types import CodeType
from typing import Any, Self

from jupyter_graph.compile.failing_step import LINES
from jupyter_graph.compile.generator.fused_function import Fused, fuse
from jupyter_graph.compile.resolve import Resolver, resolve
from jupyter_graph.compile.runtime import prelude
from jupyter_graph.compile.step_code import StepCode, inspect_step
from jupyter_graph.errors import SpecError, UnknownStepError
from jupyter_graph.spec.builder import Graph
from jupyter_graph.spec.cut import EVERYWHERE, distinct, part_of, starting_from
from jupyter_graph.spec.model import GraphSpec, StepSpec, flow_inside
from jupyter_graph.spec.topology import followers, responder_of
from jupyter_graph.spec.validate import validate

_numbers = itertools.count(1)
_gone: deque[_Lines] = deque()
_lines: set[_Lines] = set()


@dataclass(frozen=True, slots=True)
class Functions:
    """What generated code does, over the calls of one runner.

    Attributes:
        run: a body (or event) in, the answer out.
        resumes: step name to what takes a body (or event) of it on, later.
    """

    run: Callable[..., Any]
    resumes: Mapping[str, Callable[..., Any]]


@dataclass(frozen=True)
class GeneratedModule:
    """Generated code, compiled; ``filename`` is its name in tracebacks."""

    fused: Fused
    filename: str
    code: CodeType
    twin: Callable[[Any], Any]

    def functions(
        self, calls: Mapping[str, Callable[..., Any]], instances: Mapping[str, Any]
    ) -> Functions:
        """Return the module's functions over these calls.

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
        for ident, name in self.fused.holders.items():
            names[ident] = instances[name]
        for ident, step in self.fused.joins.items():
            names[ident] = prelude.Joined(step, self.fused.takes_event)
        exec(self.code, names)
        later = {name: names[ident] for name, ident in self.fused.resumes.items()}
        return Functions(names["run"], later)


@dataclass(frozen=True)
class CompiledGraph:
    """A graph whose names are resolved and whose code is generated.

    It holds no step instance, so several runners may open it at once.

    Attributes:
        spec: the graph.
        steps: each step's code, routes included, by the step's name.
        arguments: each step's constructor arguments, variables filled in.
        main: the generated code.
        inner: the graphs that steps of kind ``flow`` are, by the step's name.
        responder: the step that answers, None when nobody does.
    """

    spec: GraphSpec
    steps: Mapping[str, StepCode]
    arguments: Mapping[str, Mapping[str, Any]]
    main: GeneratedModule
    inner: Mapping[str, CompiledGraph]
    responder: str | None

    def modules(self) -> tuple[GeneratedModule, ...]:
        """Return all generated modules."""
        inside = (m for graph in self.inner.values() for m in graph.modules())
        return (self.main, *inside)

    @property
    def source(self) -> str:
        """The generated code, that of flows inside it after it."""
        parts = [
            f"# flow {name!r}\n\n{graph.source}" for name, graph in self.inner.items()
        ]
        return "\n\n".join([self.main.fused.source, *parts])

    @property
    def is_async(self) -> bool:
        """Whether the graph's function must be awaited."""
        return self.main.fused.is_async

    @property
    def takes_event(self) -> bool:
        """Whether the graph's function takes an event rather than a body."""
        return self.main.fused.takes_event

    @cached_property
    def streams(self) -> bool:
        """Whether a step gives its results one by one."""
        return any(code.is_stream for code in self.steps.values())

    @cached_property
    def keeps(self) -> bool:
        """Whether a step may give bodies later than it got them."""
        own = any(code.keeps for code in self.steps.values())
        return own or any(graph.keeps for graph in self.inner.values())

    def functions(
        self, calls: Mapping[str, Callable[..., Any]], instances: Mapping[str, Any]
    ) -> Functions:
        """Return the graph's functions over these calls.

        Args:
            calls: each step's name to what is called with the body.
            instances: the step instances by name, for choices and merges.
        """
        return self.main.functions(calls, instances)

    def function(
        self, calls: Mapping[str, Callable[..., Any]], instances: Mapping[str, Any]
    ) -> Callable[..., Any]:
        """Return the one function that runs an event: ``functions(...).run``."""
        return self.main.functions(calls, instances).run


def compile_graph(
    graph: Graph | GraphSpec,
    namespace: Mapping[str, Any] | None = None,
    allow_imports: Iterable[str] = (),
    *,
    current_function: str = EVERYWHERE,
    from_step: str | None = None,
) -> CompiledGraph:
    """Compile a graph; nothing is started and no step is built.

    Args:
        graph: the graph; a ``Graph`` brings its own namespace.
        namespace: further names that its steps may stand for.
        allow_imports: modules that dotted names may be taken from.
        current_function: the function whose steps run; ``*`` = all of them.
        from_step: the step that events begin with.

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
    spec = starting_from(spec, from_step) if from_step else spec
    spec = part_of(spec, current_function)
    resolver = _resolver(graph, namespace, allow_imports)
    _forget_gone()
    looked = _look(spec, resolver, spec.engine)
    compiled = _generate(looked, on_loop=looked.needs_loop)
    for module in compiled.modules():
        _lines.add(_Lines(compiled, module.filename))
    return compiled


@dataclass(frozen=True, slots=True)
class _Looked:
    """A graph whose code was looked at, and the graphs inside it."""

    spec: GraphSpec
    steps: Mapping[str, StepCode]
    arguments: Mapping[str, Mapping[str, Any]]
    inner: Mapping[str, _Looked]

    @property
    def needs_loop(self) -> bool:
        own = any(code.needs_loop for code in self.steps.values())
        return own or any(looked.needs_loop for looked in self.inner.values())


def _look(spec: GraphSpec, resolver: Resolver, engine: str) -> _Looked:
    """Look at the code of all steps; what is wrong anywhere is told at once."""
    spec = distinct(spec)
    codes, arguments, unknown = resolve(spec, resolver)
    steps: dict[str, StepCode] = {}
    inner: dict[str, _Looked] = {}
    problems: list[str] = []
    for step in spec.every_step():
        try:
            if step.kind == "flow":
                inside = flow_inside(step, spec)
                inner[step.name] = _look(inside, resolver, step.engine or engine)
            elif step.name in codes:
                code = codes[step.name]
                args = arguments[step.name]
                looked_at = step
                if step.kind in ("queue", "model_runner"):  # they get more than theirs
                    looked_at = replace(step, class_args=args)
                steps[step.name] = inspect_step(looked_at, code, args, engine=engine)
                problems += _after_the_end(steps[step.name], spec)
        except SpecError as error:
            problems += error.problems
    kind = SpecError if problems else UnknownStepError
    kind.raise_all(f"invalid graph {spec.name!r}", [*unknown, *problems])
    return _Looked(spec, steps, arguments, inner)


def _after_the_end(code: StepCode, spec: GraphSpec) -> list[str]:
    """Refuse steps after those of storey's that nothing can follow."""
    if not (code.is_storey and "to" in vars(code.code)):
        return []
    after = followers(spec).get(code.step.name, ())
    return [
        f"step {code.step.name!r}: {code.step.code_name!r} is a terminal step, it "
        f"cannot be piped further to {', '.join(map(repr, after))}"
    ] * bool(after)


def _generate(looked: _Looked, *, on_loop: bool) -> CompiledGraph:
    spec = looked.spec
    inner = {
        name: _generate(graph, on_loop=on_loop) for name, graph in looked.inner.items()
    }
    found: dict[str, StepCode] = {}
    for step in spec.every_step():  # their order is the order of the code
        if step.name in inner:
            found[step.name] = _of_flow(step, inner[step.name])
        else:
            found[step.name] = replace(looked.steps[step.name], on_loop=on_loop)
    for router in spec.every_step():
        found[router.name] = _with_routes(found, router, on_loop=on_loop)
    return CompiledGraph(
        spec=spec,
        steps=found,
        arguments=looked.arguments,
        main=module_of(spec, fuse(spec, found, on_loop=on_loop)),
        inner=inner,
        responder=responder_of(spec),
    )


def _of_flow(step: StepSpec, graph: CompiledGraph) -> StepCode:
    if graph.responder is None:
        raise SpecError(
            f"flow {step.name!r} has several last steps, so it is not clear which "
            "result goes on; mark one with respond()"
        )
    return StepCode(
        step=step,
        code=graph.function,
        takes_event=graph.takes_event,
        is_async=graph.is_async,
        is_stream=graph.streams,
        may_drop=True,
        keeps=graph.keeps,
        on_loop=graph.is_async,
    )


def module_of(spec: GraphSpec, fused: Fused, what: str = "graph") -> GeneratedModule:
    """Return generated code compiled, its lines known to tracebacks until forgotten."""
    filename = f"<{what} {spec.name} #{next(_numbers)}>"
    lines = fused.source.splitlines(keepends=True)
    linecache.cache[filename] = (len(fused.source), None, lines, filename)
    LINES[filename] = fused.lines
    code = compile(fused.source, filename, "exec", dont_inherit=True)
    return GeneratedModule(fused, filename, code, prelude.TWINS[spec.copy])


class _Lines(weakref.ref[CompiledGraph]):
    """The lines of a generated module, as long as there is its graph.

    Python calls ``deque.append`` itself when the graph is collected: in code of ours
    there an interrupt would be lost.
    """

    __slots__ = ("filename",)

    def __new__(cls, graph: CompiledGraph, filename: str) -> Self:
        return super().__new__(cls, graph, _gone.append)

    def __init__(self, graph: CompiledGraph, filename: str) -> None:
        self.filename = filename

    def __hash__(self) -> int:
        return id(self)

    def __eq__(self, other: object) -> bool:
        return self is other


def _forget_gone() -> None:
    """Drop the lines of graphs that no longer exist.

    Not in the finalizer itself: it may run while linecache walks over its table.
    """
    with suppress(IndexError):  # other threads do the same
        while True:
            lines = _gone.popleft()
            _lines.discard(lines)
            forget_lines(lines.filename)


def forget_lines(filename: str) -> None:
    """Drop the lines of one generated module."""
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


def _with_routes(
    found: Mapping[str, StepCode], router: StepSpec, *, on_loop: bool
) -> StepCode:
    """A router with a coroutine among its routes is awaited itself.

    So is one that waits for threads, in an asynchronous graph: ``prefers_async``.
    """
    code = found[router.name]
    routes = [found[route.name] for route in router.routes]
    is_awaited = any(route.is_awaited or route.is_async for route in routes)
    is_awaited |= on_loop and bool(getattr(code.code, "prefers_async", False))
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
