"""A compiled graph on its way to other processes, and open once in each of them."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from jupyter_graph.compile.compiled_graph import CompiledGraph
from jupyter_graph.compile.generated_module import module_of
from jupyter_graph.errors import SpecError, said
from jupyter_graph.run.batch.graph_parts import CODE
from jupyter_graph.threads.process_ends import AtExit, module_lock

if TYPE_CHECKING:
    from jupyter_graph.run.batch.batch_options import BatchOptions
    from jupyter_graph.run.batch.batch_result import BatchResult
    from jupyter_graph.run.runner import Runner


class DaskPayload:
    """Runs a graph over a frame, in whatever process it comes to.

    cloudpickle takes it there: code of a notebook or script by value, code of modules
    by name. Each process opens the graph once and keeps it for the next frame.

    Args:
        plan: the graph.
        settings: the arguments of its runners.
        options: how batches are run.
        key: stands for this graph in every process.
    """

    def __init__(
        self,
        plan: CompiledGraph,
        settings: Mapping[str, Any],
        options: BatchOptions,
        key: str,
    ) -> None:
        self.plan, self.settings, self.options, self.key = plan, settings, options, key

    @classmethod
    def of(cls, runner: Runner, options: BatchOptions) -> DaskPayload:
        """Return the graph of a runner, with the runner's settings."""
        context = runner._context
        settings = {
            "timeout_s": runner.timeout_s,
            "parameters": dict(context.parameters),
            "secrets": dict(context._secrets),
            "load_mode": context.load_mode,
            "is_parity": context.is_parity,
            "is_mock": context.is_mock,
            "is_deployed": context.is_deployed,
            "current_function": context.current_function,
        }
        kept = replace(options, progress=False, target=None, meta=None)
        return cls(runner.compiled, settings, kept, uuid4().hex)

    def __call__(self, frame: Any) -> BatchResult:
        """Run the rows of a frame; in another process each needs no more than this."""
        with _open(self) as runner:
            return _run(runner, frame, self.options)

    def tried(self, frame: Any) -> BatchResult:
        """Run the rows of a frame on steps that write nothing, and forget those."""
        from jupyter_graph.run.runner import Runner

        settings = {**self.settings, "is_parity": True}
        with Runner(self.plan, **settings) as runner:
            return _run(runner, frame, replace(self.options, on_error="collect"))

    def __reduce__(self) -> Any:
        packed = _pack(self.plan), self.settings, self.options, self.key
        return _restored, (_dumped(packed, self.plan),)


def _run(runner: Runner, frame: Any, options: BatchOptions) -> BatchResult:
    from jupyter_graph.run.batch.batch_run import run_batch

    return run_batch(runner, frame, options)


# -- there and back -------------------------------------------------------------


def _dumped(packed: Any, plan: CompiledGraph) -> bytes:
    import cloudpickle

    try:
        return bytes(cloudpickle.dumps(packed))
    except Exception as error:
        for name, code in plan.steps.items():
            try:
                cloudpickle.dumps((code.code, plan.arguments.get(name)))
            except Exception as cause:
                raise SpecError(
                    f"step {name!r} cannot be sent to Dask's workers: {said(cause)}; "
                    "open what it holds in its constructor"
                ) from cause
        raise SpecError(
            f"the graph cannot be sent to Dask's workers: {said(error)}"
        ) from error


def _restored(data: bytes) -> DaskPayload:
    import cloudpickle

    plan, settings, options, key = cloudpickle.loads(data)
    return DaskPayload(_unpack(plan), settings, options, key)


def _pack(plan: CompiledGraph) -> tuple[Any, ...]:
    """Return a graph as parts that can be pickled; its code objects are made again."""
    inner = {name: _pack(graph) for name, graph in plan.inner.items()}
    steps = {
        name: replace(code, code=str) if name in inner else code
        for name, code in plan.steps.items()
    }
    return plan.spec, steps, plan.arguments, plan.main.fused, inner, plan.responder


def _unpack(packed: tuple[Any, ...]) -> CompiledGraph:
    spec, steps, arguments, fused, packed_inner, responder = packed
    inner = {name: _unpack(graph) for name, graph in packed_inner.items()}
    whole = {
        name: replace(code, code=inner[name].function) if name in inner else code
        for name, code in steps.items()
    }
    main = module_of(spec, fused, CODE)
    return CompiledGraph(spec, whole, arguments, main, inner, responder)


# -- open, once in each process -------------------------------------------------


class _Held:
    """A runner, and how many use it right now."""

    def __init__(self, runner: Runner) -> None:
        self.runner = runner
        self.users = 0
        self.turn = threading.Lock()


_held: dict[str, _Held] = {}
_lock = module_lock()


@contextmanager
def _open(shipped: DaskPayload) -> Iterator[Runner]:
    """Return this process's runner of a graph; idle ones of other graphs are closed."""
    from jupyter_graph.run.runner import Runner

    with _lock:
        for key in [key for key, one in _held.items() if not one.users]:
            if key != shipped.key:
                _held.pop(key).runner.close()
        held = _held.get(shipped.key)
        if held is None:
            held = _Held(Runner(shipped.plan, **shipped.settings).open())
            _held[shipped.key] = held
        held.users += 1
    try:
        if shipped.plan.keeps:  # what steps keep belongs to one partition
            with held.turn:
                yield held.runner
        else:
            yield held.runner
    finally:
        with _lock:
            held.users -= 1


def _close_all() -> None:
    while _held:
        _, held = _held.popitem()
        held.runner.close()


AtExit(_close_all)
