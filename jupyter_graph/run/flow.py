"""A graph with storey steps, running: driven without storey's source queue."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from jupyter_graph.compile.blame import DRIVERS, said_by, tag
from jupyter_graph.compile.flow import Region
from jupyter_graph.compile.plan import CompiledGraph, GeneratedModule
from jupyter_graph.compile.prelude import chosen
from jupyter_graph.errors import RunError
from jupyter_graph.run.build import Built, BuiltStep, cannot_be_built, is_same
from jupyter_graph.run.context import Context
from jupyter_graph.run.event import Event
from jupyter_graph.run.trace import Tracer
from jupyter_graph.types import NOTHING

if TYPE_CHECKING:
    from jupyter_graph.run.loop import LoopThread

Call = Callable[..., Any]
DRIVERS.add(__file__)


class Flow:
    """Called with an event, gives the answer; storey's steps keep their state.

    The steps are built with the first event, on the loop that runs it. An event that a
    step keeps or drops, such as in a batch or a filter, is answered with NOTHING at
    once; only steps that work beside the flow are waited for.

    Args:
        plan: the compiled graph.
        built: its stateless steps.
        tracer: what watches the steps.
        context: what the steps see.
        old: the flow that ran before; steps with the same code and arguments are
            taken over with their state.
    """

    def __init__(
        self,
        plan: CompiledGraph,
        built: Built,
        tracer: Tracer,
        context: Context,
        old: Flow | None = None,
    ) -> None:
        self._plan = plan
        self._built = built
        self._tracer = tracer
        self._context = context
        self._head: Any = None
        self._steps: dict[str, tuple[BuiltStep, Any]] = {}
        self._old = dict(old._steps) if old is not None else {}
        self._lock = asyncio.Lock()

    async def __call__(self, event: Event) -> Any:
        if self._head is None:
            async with self._lock:
                if self._head is None:
                    self._head = self._assemble()
        import storey

        result = _Result()
        passing = storey.Event(
            body=event.body,
            key=event.key,
            id=event.id,
            headers=event.headers,
            method=event.method,
            path=event.path,
            content_type=event.content_type,
            awaitable_result=result,
        )
        await self._head._do_downstream(passing)
        if result.is_beside and self._plan.responder is not None:
            return await result.future
        return result.future.result() if result.future.done() else NOTHING

    def end(self, thread: LoopThread) -> Any:
        """Flush what the steps keep; give the flow's last result."""
        if self._head is None:
            return None
        try:
            return thread.start(self._terminate()).result(10)
        except Exception:
            self._context.logger.exception("the flow did not end well")
            return None

    async def _terminate(self) -> Any:
        from storey.dtypes import _termination_obj

        return await self._head._do_downstream(_termination_obj)

    # -- building ---------------------------------------------------------------

    def _assemble(self) -> Any:
        import storey

        head = storey.Flow(name="start")
        head._runnable = True
        places: dict[str, Any] = {}
        for region, module in self._plan.regions:
            step = self._region(region, module) if module else self._storey(region)
            places[region.last] = step
            end = step
            if region.last == self._plan.responder and not _ends_the_flow(step):
                end = storey.Complete(name=f"{region.last} answers")
                step.to(end)
                places[region.last] = end
            for upstream in region.after or ("",):
                self._join(places.get(upstream, head), step)
        head.run()
        return head

    def _join(self, upstream: Any, step: Any) -> None:
        try:
            upstream.to(step)
        except ValueError as error:
            raise RunError(f"step {step.name!r}: {error}") from error

    def _storey(self, region: Region) -> Any:
        own = self._built.steps[region.last]
        name = region.last
        old, kept = self._old.pop(name, (None, None))
        is_known = old is not None and is_same(old, own.code, own.arguments)
        step: Any = kept if is_known else self._new(own)
        step._outlets, step._inlets = [], []  # one taken over has those of its past
        self._steps[name] = own, step
        do = type(step)._do.__get__(step)
        step._do = self._watched(name, do, is_beside=hasattr(step, "_lazy_init"))
        return step

    def _new(self, own: BuiltStep) -> Any:
        spec = own.code.step
        options: dict[str, Any] = {"name": spec.name}
        for key in ("input_path", "result_path"):
            if getattr(spec, key) is not None:
                options[key] = getattr(spec, key)
        if spec.full_event or own.code.code.__name__ == "Batch":
            options["full_event"] = spec.full_event  # storey 1.14's Batch asks for it
        try:
            return own.code.code(**{**options, **own.arguments})
        except BaseException as error:
            raise cannot_be_built(spec.name, error) from error

    def _watched(self, name: str, do: Call, *, is_beside: bool) -> Call:
        from storey import Event as StoreyEvent

        traced = self._tracer.wrap(name, do, is_async=True)

        async def step_do(event: Any) -> Any:
            is_event = isinstance(event, StoreyEvent)
            if is_event and is_beside and event._awaitable_result is not None:
                event._awaitable_result.is_beside = True
            try:
                return await (traced if is_event and Tracer.is_tracing() else do)(event)
            except BaseException as error:
                tag(error, name, first=True)
                raise

        return step_do

    def _region(self, region: Region, module: GeneratedModule) -> Any:
        calls, instances = self._built.calls, self._built.instances
        plain = module.function(calls, instances)
        names = [name for name in region.steps if name in calls]
        watched = {
            name: self._tracer.wrap(
                name, calls[name], is_async=self._built.steps[name].is_awaited
            )
            for name in names
        }
        traced = module.function({**calls, **watched}, instances)
        last = self._plan.steps[region.last]
        select = instances[region.last].select_outlets if last.selects else None
        return _region_step(region, module, plain, traced, select)


def _ends_the_flow(step: Any) -> bool:
    """Tell whether nothing may come after a storey step, not even an answer."""
    import storey

    return isinstance(step, storey.Reduce)


def _region_step(
    region: Region,
    module: GeneratedModule,
    plain: Call,
    traced: Call,
    select: Call | None,
) -> Any:
    """Give the storey step that runs a stateless region."""
    import storey
    from storey.dtypes import _termination_obj

    fused = module.fused

    class RegionStep(storey.Flow):  # type: ignore[misc]  # storey has no types
        async def _do(self, event: Any) -> Any:
            if event is _termination_obj:
                return await self._do_downstream(_termination_obj)
            run = traced if Tracer.is_tracing() else plain
            try:
                found = run(event if fused.takes_event else event.body)
                if fused.is_async:
                    found = await found
            except BaseException as error:
                tag(error, said_by(error) or region.last, first=True)
                raise
            if found is NOTHING:
                return None
            event.body = found
            outlets = self._picked(found) if select else None
            return await self._do_downstream(event, outlets=outlets)

        def _picked(self, body: Any) -> list[Any]:
            table: Mapping[str, Any] = {
                getattr(outlet, "reached_as", outlet.name): outlet
                for outlet in self._outlets
            }
            return chosen(select(body) if select else None, table, region.last)

    step = RegionStep(name=region.last)
    step.reached_as = region.steps[0]
    return step


class _Result:
    """What storey calls an awaitable result: the first one counts."""

    def __init__(self) -> None:
        self.future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self.is_beside = False  # a step works on it beside the flow

    def _set_result(self, result: Any) -> None:
        if not self.future.done():
            self.future.set_result(result)

    def _set_error(self, error: BaseException) -> None:
        if not self.future.done():
            self.future.set_exception(error)
