"""From a compiled graph to built steps: instances, and what is called per event."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Collection, Mapping
from typing import Any

from jupyter_graph.compile.call_kind import awaiting
from jupyter_graph.compile.compiled_graph import CompiledGraph
from jupyter_graph.compile.failing_step import DRIVERS, is_interrupt
from jupyter_graph.compile.runtime.aside import Noted, log_it
from jupyter_graph.compile.runtime.branches import deep_copy
from jupyter_graph.compile.runtime.event_paths import get_path, put_path, same_event
from jupyter_graph.compile.runtime.streams import is_stream, placed, placed_async
from jupyter_graph.compile.step_code import StepCode
from jupyter_graph.errors import BadRequestError, RunError, SpecError, said
from jupyter_graph.run.batch.vectorised import of_frame
from jupyter_graph.run.built_steps.returned_streams import as_stream
from jupyter_graph.run.built_steps.step_instances import BuiltStep, StepInstances
from jupyter_graph.run.built_steps.sub_flow import route_of
from jupyter_graph.run.context import Context
from jupyter_graph.run.step_limits import with_limits
from jupyter_graph.spec.subgraphs import own_name
from jupyter_graph.spec.topology import followers
from jupyter_graph.types import NOTHING

Call = Callable[..., Any]
DRIVERS.add(__file__)


def build(
    compiled: CompiledGraph,
    context: Context,
    old: StepInstances | None = None,
    made: list[tuple[str, Any]] | None = None,
    anew: Collection[Any] = (),
    noted: Noted = log_it,
) -> StepInstances:
    """Build every step of a graph once.

    Args:
        compiled: the graph.
        context: the surroundings; each step gets one under its own name.
        old: what was built before; steps whose code and arguments are the same are
            taken over with their state.
        made: gets name and instance of each step that is not taken over, as soon as
            there is one: should a later one fail, somebody has to close them.
        anew: functions and classes whose steps are not taken over.
        noted: takes the failures of steps beside the one that answers, in flows inside.

    Raises:
        RunError: a constructor failed; the text names the step.
    """
    built_before = old.steps if old else {}
    steps: dict[str, BuiltStep] = {}
    ways = followers(compiled.spec)
    for spec in reversed(compiled.spec.every_step()):  # routes before their routers
        code, arguments = compiled.steps[spec.name], compiled.arguments[spec.name]
        routes = {own_name(route): steps[route.name] for route in spec.routes}
        known = built_before.get(spec.name)
        if spec.kind == "flow":
            before = known.instance if known else None
            rest = (before, made, anew, noted)
            steps[spec.name] = _flow(compiled, spec.name, context, *rest)
            continue
        is_kept = not any(code.code is one for one in anew)
        if known and not routes and is_kept and is_same(known, code, arguments):
            instance = known.instance
        else:
            instance = _instance(code, arguments, context, routes, ways)
            if made is not None and instance is not None:
                made.append((spec.name, instance))
        call = _call(code, arguments, instance, context)
        steps[spec.name] = BuiltStep(code, arguments, instance, call)
    return StepInstances(steps)


def _flow(
    compiled: CompiledGraph,
    name: str,
    context: Context,
    before: Any,
    made: Any,
    anew: Collection[Any],
    noted: Noted,
) -> BuiltStep:
    """Build a flow inside the graph: its steps, and the one call that it is."""
    graph, code = compiled.inner[name], compiled.steps[name]
    known = before if isinstance(before, StepInstances) else None
    steps = build(graph, context, known, made, anew, noted)
    functions = graph.functions(steps.calls, steps.instances, noted)
    run = functions.run

    def ended(event: Any, result: Any) -> Any:
        if result is NOTHING:
            return NOTHING
        event.body = result
        return event

    def of_event(event: Any) -> Any:
        return ended(event, run(event.copy()))

    async def of_event_async(event: Any) -> Any:
        return ended(event, await run(event.copy()))

    call = run
    if code.takes_event:
        call = of_event_async if code.is_async else of_event
    return BuiltStep(code, {}, steps, with_call(call, code), functions)


def is_same(known: BuiltStep, code: StepCode, arguments: Mapping[str, Any]) -> bool:
    """Tell whether a step built before still is what the graph asks for."""
    try:
        if known.code.is_storey and known.code.step != code.step:
            return False  # a storey step knows its own paths
        if (known.code.in_process or code.in_process) and known.code != code:
            return False  # processes know the step's time, and what is asked there
        return known.code.code is code.code and bool(known.arguments == arguments)
    except Exception:
        return False  # an array or a frame has no one answer to ==


def _instance(
    code: StepCode,
    arguments: Mapping[str, Any],
    context: Context,
    routes: Mapping[str, BuiltStep],
    ways: Mapping[str, tuple[str, ...]],
) -> Any:
    step, name = code.step, code.step.name
    if code.in_process:
        from jupyter_graph.run.built_steps.process_steps import InProcesses

        try:
            return InProcesses(code, arguments, context.named(name), step_anew)
        except SpecError:
            raise  # it names the step: there it was built by this, too
        except BaseException as error:
            raise cannot_be_built(name, error) from error
    if not code.is_class:
        return None
    fields = ("input_path", "result_path", "full_event")
    injected: dict[str, Any] = {key: getattr(step, key) for key in fields}
    injected |= {"name": own_name(step), "context": context.named(name)}
    injected |= {"graph_step": step, "outlets": ways.get(name, ())}
    injected["routes"] = {
        key: route_of(step, context, route_anew) for key, step in routes.items()
    }
    wanted = {key: injected[key] for key in code.wants}
    try:
        if code.is_storey:
            from jupyter_graph.run.storey.storey_step import StoreyStep

            return StoreyStep(code, arguments, context.named(name))
        instance = code.code(**arguments, **wanted)
        if callable(post_init := getattr(instance, "post_init", None)):
            post_init(mode=context.load_mode)
    except BaseException as error:
        raise cannot_be_built(name, error) from error
    return instance


def cannot_be_built(name: str, error: BaseException) -> BaseException:
    """Return what is raised when a constructor failed; the user's stop as it is."""
    if is_interrupt(error):
        return error
    if isinstance(error, SpecError):
        return SpecError(f"step {name!r}: {error}")
    return RunError(f"step {name!r} cannot be built: {said(error)}")


def _call(
    code: StepCode, arguments: Mapping[str, Any], instance: Any, context: Context
) -> Call | None:
    if code.in_process:
        return with_call(instance.call, code)
    call = _plain_call(code, arguments, instance, context)
    return None if call is None else with_call(call, code)


def _plain_call(
    code: StepCode, arguments: Mapping[str, Any], instance: Any, context: Context
) -> Call | None:
    """Return what a step's code is called by, without its limits."""
    if code.is_class:
        if not code.method:
            is_only_asked = code.selects or code.merges or code.collects
            return None if is_only_asked else _without_handler(code)
        if code.direct:
            from jupyter_graph.run.storey.storey_calls import direct_call

            return direct_call(instance.step, code)
        holder = instance.step if code.is_storey and code.is_stream else instance
        call: Call = getattr(holder, code.method)
    else:
        call = code.code
        extra = dict(arguments)
        if "context" in code.wants:
            extra["context"] = context.named(code.step.name)
        if extra:
            call = functools.partial(call, **extra)
    if code.takes is not None:
        from jupyter_graph.run.built_steps.typed_call import with_typed_body

        call = with_typed_body(call, code.takes, code.step.name)
    is_awaited = code.is_async and (code.either or not code.is_stream)
    if is_awaited and not inspect.iscoroutinefunction(call):
        call = awaiting(call)
    return as_stream(call, code) if code.either else call


def with_call(call: Call, code: StepCode) -> Call:
    """Return the call of a step with its limits and, of events, its paths."""
    if code.step.vectorized:
        call = of_frame(call, code)
    limited = with_limits(call, code)
    has_paths = code.takes_event and not code.knows_paths
    return _with_paths(limited, code) if has_paths else limited


def _without_handler(code: StepCode) -> Call:
    """Return the call of a step without one: MLRun's sync engine fails its events."""

    def fail(_: Any) -> Any:
        raise BadRequestError(f"step {code.step.name} does not have a handler")

    return fail


def _with_paths(call: Call, code: StepCode) -> Call:
    """Let a step that takes events see, and fill, its own part of their body."""
    step = code.step
    if not step.input_path and not step.result_path:
        return call

    def enter(event: Any) -> Any:
        whole = event.body
        if step.input_path:
            event.body = get_path(whole, step.input_path)
        return whole

    def leave(given: Any, whole: Any, event: Any) -> Any:
        if given is NOTHING:
            event.body = whole
            return NOTHING
        event = same_event(given, step.name, event)
        if step.result_path and is_stream(event.body):
            by = placed_async if code.on_loop else placed
            event.body = by(event.body, whole, step.result_path, step.name, deep_copy)
        elif step.result_path:
            event.body = put_path(whole, step.result_path, event.body)
        return event

    def run(event: Any) -> Any:
        whole = enter(event)
        try:
            return leave(call(event), whole, event)
        except BaseException:
            event.body = whole  # an error handler gets what the step got
            raise

    async def run_async(event: Any) -> Any:
        whole = enter(event)
        try:
            return leave(await call(event), whole, event)
        except BaseException:
            event.body = whole
            raise

    return run_async if code.is_awaited else run


def step_anew(code: StepCode, arguments: Mapping[str, Any], context: Context) -> Call:
    """Build a step once more, in a process of its own; return what is called there."""
    try:
        instance = _instance(code, arguments, context, {}, {})
    except RunError as error:  # the other side says which step cannot be built
        raise error.__cause__ or error from None
    call = _plain_call(code, arguments, instance, context)
    assert call is not None  # what is only asked has no processes
    return call


def route_anew(code: StepCode, arguments: Mapping[str, Any], context: Context) -> Call:
    """Build a route's step once more, in another process; return the route."""
    instance = _instance(code, arguments, context, {}, {})
    call = _call(code, arguments, instance, context)
    return route_of(BuiltStep(code, arguments, instance, call), context, route_anew)
