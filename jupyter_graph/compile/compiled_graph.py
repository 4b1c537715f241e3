"""The whole compilation: check, resolve, inspect, generate."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple

from jupyter_graph.compile.generated_module import (
    Functions,
    GeneratedModule,
    forget_collected,
    keep_lines,
    module_of,
)
from jupyter_graph.compile.generator.fused_function import fuse
from jupyter_graph.compile.inspect_step import inspect_step
from jupyter_graph.compile.resolve import Resolver, resolve
from jupyter_graph.compile.runtime.aside import Noted, log_it
from jupyter_graph.compile.step_code import StepCode
from jupyter_graph.compile.storey_code import is_terminal
from jupyter_graph.errors import SpecError, UnknownStepError
from jupyter_graph.spec.builder import Graph
from jupyter_graph.spec.model import GraphSpec, StepSpec, flow_inside
from jupyter_graph.spec.subgraphs import EVERYWHERE, distinct, part_of, starting_from
from jupyter_graph.spec.topology import followers, responder_of
from jupyter_graph.spec.validate import validate

WITH_MORE = ("queue", "model_runner")
"""Kinds of steps whose code is given more than their own arguments."""


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
        responder: the step that answers, None when there is none.
    """

    spec: GraphSpec
    steps: Mapping[str, StepCode]
    arguments: Mapping[str, Mapping[str, Any]]
    main: GeneratedModule
    inner: Mapping[str, CompiledGraph]
    responder: str | None

    def modules(self) -> tuple[GeneratedModule, ...]:
        """Return all generated modules."""
        inner = (module for graph in self.inner.values() for module in graph.modules())
        return (self.main, *inner)

    @property
    def source(self) -> str:
        """The generated code, that of flows inside it after it."""
        parts = (f"# flow {name!r}\n\n{one.source}" for name, one in self.inner.items())
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
        """Whether a step yields its results one by one."""
        return any(code.is_stream for code in self.steps.values())

    @cached_property
    def has_beside(self) -> bool:
        """Whether steps run beside the one that answers or after it, or inside."""
        inner = any(graph.has_beside for graph in self.inner.values())
        return self.main.fused.has_beside or inner

    @cached_property
    def answers_at_once(self) -> bool:
        """Whether what goes on beside an answer may be put off until it is given.

        Not in streams, whose items leave their parts one after the other.
        """
        return self.has_beside and not (self.streams or self._flattens)

    @cached_property
    def _flattens(self) -> bool:
        own = any(code.flattens for code in self.steps.values())
        return own or any(graph._flattens for graph in self.inner.values())

    @cached_property
    def keeps(self) -> bool:
        """Whether a step may release bodies later than it got them."""
        own = any(code.keeps for code in self.steps.values())
        return own or any(graph.keeps for graph in self.inner.values())

    def functions(
        self,
        calls: Mapping[str, Callable[..., Any]],
        instances: Mapping[str, Any],
        noted: Noted = log_it,
    ) -> Functions:
        """Return the graph's functions over these calls.

        Args:
            calls: each step's name to what is called with the body.
            instances: the step instances by name, for choices and merges.
            noted: takes the failures of steps beside the answer.
        """
        return self.main.functions(calls, instances, noted)

    def function(
        self,
        calls: Mapping[str, Callable[..., Any]],
        instances: Mapping[str, Any],
        noted: Noted = log_it,
    ) -> Callable[..., Any]:
        """Return the one function that runs an event: ``functions(...).run``."""
        return self.main.functions(calls, instances, noted).run


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
    if isinstance(graph, GraphSpec):
        spec, resolver = graph, Resolver(namespace or {}, tuple(allow_imports))
    else:
        names = {**(namespace or {}), **graph.namespace}
        allowed = (*graph.allow_imports, *allow_imports)
        spec, resolver = graph.spec, Resolver(names, allowed, graph.is_trusted)
    validate(spec)
    spec = starting_from(spec, from_step) if from_step else spec
    spec = part_of(spec, current_function)
    forget_collected()
    inspected = _inspect(spec, resolver, spec.engine)
    compiled = _generate(inspected, on_loop=inspected.needs_loop)
    for module in compiled.modules():
        keep_lines(compiled, module.filename)
    return compiled


# -- inspecting -----------------------------------------------------------------


class _Inspected(NamedTuple):
    """A graph whose steps are resolved and inspected, and the graphs inside it."""

    spec: GraphSpec
    steps: Mapping[str, StepCode]
    arguments: Mapping[str, Mapping[str, Any]]
    inner: Mapping[str, _Inspected]

    @property
    def needs_loop(self) -> bool:
        own = any(code.needs_loop for code in self.steps.values())
        return own or any(graph.needs_loop for graph in self.inner.values())


def _inspect(spec: GraphSpec, resolver: Resolver, engine: str) -> _Inspected:
    """Resolve and inspect all steps; what is wrong anywhere is reported at once."""
    spec = distinct(spec)
    resolved = resolve(spec, resolver)
    steps: dict[str, StepCode] = {}
    inner: dict[str, _Inspected] = {}
    problems: list[str] = []
    for step in spec.every_step():
        name = step.name
        try:
            if step.kind == "flow":
                inside = flow_inside(step, spec)
                inner[name] = _inspect(inside, resolver, step.engine or engine)
            elif name in resolved.codes:
                args = resolved.arguments[name]
                if step.kind in WITH_MORE:
                    step = replace(step, class_args=args)
                code = inspect_step(step, resolved.codes[name], args, engine=engine)
                steps[name] = code
                problems += _after_the_end(code, spec)
        except SpecError as error:
            problems += error.problems
    kind = SpecError if problems else UnknownStepError
    kind.raise_all(f"invalid graph {spec.name!r}", [*resolved.unknown, *problems])
    return _Inspected(spec, steps, resolved.arguments, inner)


def _after_the_end(code: StepCode, spec: GraphSpec) -> list[str]:
    """Return the problem of steps after one of storey's that nothing can follow."""
    if not (code.is_storey and is_terminal(code.code)):
        return []
    after = followers(spec).get(code.step.name, ())
    return [
        f"step {code.step.name!r}: {code.step.code_name!r} is a terminal step, it "
        f"cannot be piped further to {', '.join(map(repr, after))}"
    ] * bool(after)


# -- generating -----------------------------------------------------------------


def _generate(inspected: _Inspected, *, on_loop: bool) -> CompiledGraph:
    spec = inspected.spec
    inner = {
        name: _generate(graph, on_loop=on_loop)
        for name, graph in inspected.inner.items()
    }
    codes: dict[str, StepCode] = {}
    for step in spec.every_step():  # their order is the order of the code
        if step.name in inner:
            codes[step.name] = _of_flow(step, inner[step.name])
        else:
            codes[step.name] = replace(inspected.steps[step.name], on_loop=on_loop)
    for router in spec.every_step():
        codes[router.name] = _with_routes(codes, router, on_loop=on_loop)
    return CompiledGraph(
        spec=spec,
        steps=codes,
        arguments=inspected.arguments,
        main=module_of(spec, fuse(spec, codes, on_loop=on_loop)),
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


def _with_routes(
    codes: Mapping[str, StepCode], router: StepSpec, *, on_loop: bool
) -> StepCode:
    """Return a router's code, asynchronous where one of its routes must be awaited.

    So is one that waits for threads, in an asynchronous graph: ``prefers_async``.
    """
    code = codes[router.name]
    routes = [codes[route.name] for route in router.routes]
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
