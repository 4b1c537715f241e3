"""From a compiled graph to built steps: instances, and what is called per event."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from jupyter_graph.compile.code import StepCode
from jupyter_graph.compile.plan import CompiledGraph
from jupyter_graph.compile.prelude import tag
from jupyter_graph.errors import JupyterGraphError, RunError, said
from jupyter_graph.run.context import Context
from jupyter_graph.run.limits import in_thread, with_limits

Call = Callable[..., Any]


@dataclass(frozen=True)
class BuiltStep:
    """One built step: what it was built from, its instance, what is called."""

    code: StepCode
    arguments: Mapping[str, Any]
    instance: Any
    call: Call | None

    @property
    def is_awaited(self) -> bool:
        """Whether the call gives a coroutine."""
        code = self.code
        return code.in_thread or (code.is_async and not code.is_stream)


@dataclass(frozen=True)
class Built:
    """All built steps of a graph, routes included, by name."""

    steps: Mapping[str, BuiltStep] = field(default_factory=dict)

    @property
    def instances(self) -> dict[str, Any]:
        return {name: step.instance for name, step in self.steps.items()}

    @property
    def calls(self) -> dict[str, Call]:
        return {name: step.call for name, step in self.steps.items() if step.call}


def build(compiled: CompiledGraph, context: Context, old: Built | None = None) -> Built:
    """Build every step of a graph once.

    Args:
        compiled: the graph.
        context: the surroundings; each step gets one under its own name.
        old: what was built before; steps whose code and arguments are the same are
            taken over with their state.

    Raises:
        RunError: a constructor failed; the text names the step.
    """
    kept = old.steps if old else {}
    steps: dict[str, BuiltStep] = {}
    for spec in reversed(compiled.spec.every_step()):  # routes before their routers
        code, arguments = compiled.steps[spec.name], compiled.arguments[spec.name]
        routes = {route.name: steps[route.name] for route in spec.routes}
        known = kept.get(spec.name)
        if known and not routes and _is_same(known, code, arguments):
            instance = known.instance
        elif code.is_stateful:
            instance = None  # run/flow builds it, on its loop
        else:
            instance = _instance(code, arguments, context, routes)
        call = None if code.is_stateful else _call(code, instance, context)
        steps[spec.name] = BuiltStep(code, arguments, instance, call)
    return Built(steps)


def _is_same(known: BuiltStep, code: StepCode, arguments: Mapping[str, Any]) -> bool:
    try:
        return known.code.code is code.code and bool(known.arguments == arguments)
    except Exception:
        return False  # an array or a frame does not say whether it is equal


def _instance(
    code: StepCode,
    arguments: Mapping[str, Any],
    context: Context,
    routes: Mapping[str, BuiltStep],
) -> Any:
    if not code.is_class:
        return None
    name = code.step.name
    injected: dict[str, Any] = {"name": name, "context": context.named(name)}
    injected["routes"] = {key: _route(step) for key, step in routes.items()}
    wanted = {key: injected[key] for key in code.wants}
    try:
        instance = code.code(**arguments, **wanted)
        if callable(post_init := getattr(instance, "post_init", None)):
            post_init(mode="sync")
    except JupyterGraphError:
        raise
    except Exception as error:
        raise RunError(f"step {name!r} cannot be built: {said(error)}") from error
    return instance


def _call(code: StepCode, instance: Any, context: Context) -> Call | None:
    if code.is_class:
        if not code.method:
            return None
        call: Call = getattr(instance, code.method)
    else:
        call = code.code
        extra = dict(code.step.class_args)
        if "context" in code.wants:
            extra["context"] = context.named(code.step.name)
        if extra:
            call = functools.partial(call, **extra)
    limited = with_limits(call, code)
    if code.in_thread:
        return in_thread(limited, code.step.timeout_s)
    return limited


def _route(step: BuiltStep) -> Call:
    """Give what a router calls: an event in, the event with the route's result out."""
    name, call, code = step.code.step.name, step.call, step.code
    assert call is not None  # routes are never mere choices: look_at saw to it

    async def run_async(event: Any) -> Any:
        try:
            if code.takes_event:
                return await call(event) if code.is_async else call(event)
            event.body = await call(event.body) if code.is_async else call(event.body)
        except BaseException as error:
            tag(error, name)
            raise
        return event

    def run(event: Any) -> Any:
        try:
            if code.takes_event:
                return call(event)
            event.body = call(event.body)
        except BaseException as error:
            tag(error, name)
            raise
        return event

    return run_async if code.is_async else run
