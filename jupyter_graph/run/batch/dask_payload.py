"""A compiled graph on its way to other processes, and open once in each of them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, nullcontext
from dataclasses import replace
from typing import Any, Protocol, Self
from uuid import uuid4

from jupyter_graph.compile.compiled_graph import CompiledGraph
from jupyter_graph.compile.generated_module import module_of
from jupyter_graph.errors import SpecError, said
from jupyter_graph.run.batch.batch_options import BatchOptions
from jupyter_graph.run.batch.batch_result import BatchResult
from jupyter_graph.run.batch.graph_parts import CODE
from jupyter_graph.run.lifecycle import GraphInstance
from jupyter_graph.threads.module_lock import module_lock
from jupyter_graph.threads.process_ends import AtExit


class BatchRunner(Protocol):
    """A runner, as far as a batch in another process needs one."""

    def open(self) -> Self:
        """Build the steps."""

    def close(self) -> None:
        """Close them."""

    def run_batch(self, data: Any, **options: Any) -> BatchResult:
        """Run the rows of a frame."""


MakeRunner = Callable[..., Any]
"""Makes a ``BatchRunner`` of a compiled graph and a runner's arguments; another process
finds it by module and name."""


class DaskPayload:
    """Runs a graph over a frame, in whatever process it comes to.

    cloudpickle takes it there: code of a notebook or script by value, code of modules
    by name. Each process opens the graph once and keeps it for the next frame.

    Args:
        compiled: the graph.
        settings: the arguments of its runners.
        options: how batches are run.
        key: stands for this graph in every process.
        make_runner: makes the runners.
    """

    def __init__(
        self,
        compiled: CompiledGraph,
        settings: Mapping[str, Any],
        options: BatchOptions,
        key: str,
        make_runner: MakeRunner,
    ) -> None:
        self.compiled, self.settings, self.options = compiled, settings, options
        self.key, self.make_runner = key, make_runner

    @classmethod
    def of(
        cls, instance: GraphInstance, options: BatchOptions, make_runner: MakeRunner
    ) -> DaskPayload:
        """Return an open graph, with the settings of its runner."""
        context, dispatcher = instance.context, instance.dispatcher
        settings = {
            "timeout_s": dispatcher.timeout_s,
            "parameters": dict(context.parameters),
            "secrets": dict(context._secrets),
            "load_mode": context.load_mode,
            "is_parity": context.is_parity,
            "is_mock": context.is_mock,
            "is_deployed": context.is_deployed,
            "current_function": context.current_function,
        }
        chosen = replace(options, progress=False, target=None, meta=None)
        key = uuid4().hex
        return cls(dispatcher.compiled, settings, chosen, key, make_runner)

    def __call__(self, frame: Any) -> BatchResult:
        """Run the rows of a frame; in another process each needs no more than this."""
        with _open(self) as runner:
            return runner.run_batch(frame, **vars(self.options))

    def new_runner(self, **settings: Any) -> BatchRunner:
        """Return an open runner of its own."""
        runner: BatchRunner = self.make_runner(
            self.compiled, **{**self.settings, **settings}
        )
        return runner.open()

    def tried(self, frame: Any) -> BatchResult:
        """Run the rows of a frame on steps that write nothing, and forget those."""
        options = replace(self.options, on_error="collect")
        with closing(self.new_runner(is_parity=True)) as runner:
            return runner.run_batch(frame, **vars(options))

    def __reduce__(self) -> Any:
        packed = _pack(self.compiled), self.settings, self.options, self.key
        return _restored, (_dumped((*packed, self.make_runner), self.compiled),)


# -- there and back -------------------------------------------------------------


def _dumped(packed: Any, compiled: CompiledGraph) -> bytes:
    import cloudpickle

    try:
        return bytes(cloudpickle.dumps(packed))
    except Exception as error:
        for name, code in compiled.steps.items():
            try:
                cloudpickle.dumps((code.code, compiled.arguments.get(name)))
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

    packed, *more = cloudpickle.loads(data)
    return DaskPayload(_unpack(packed), *more)


def _pack(compiled: CompiledGraph) -> tuple[Any, ...]:
    """Return a graph as parts that can be pickled; its code objects are made again."""
    inner = {name: _pack(graph) for name, graph in compiled.inner.items()}
    steps = {
        name: replace(code, code=str) if name in inner else code
        for name, code in compiled.steps.items()
    }
    fused, responder = compiled.main.fused, compiled.responder
    return compiled.spec, steps, compiled.arguments, fused, inner, responder


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

    def __init__(self, runner: BatchRunner) -> None:
        self.runner = runner
        self.users = 0
        self.turn = threading.Lock()


_held: dict[str, _Held] = {}
_lock = module_lock()


@contextmanager
def _open(payload: DaskPayload) -> Iterator[BatchRunner]:
    """Return this process's runner of a graph; idle ones of other graphs are closed."""
    with _lock:
        for key in [key for key, one in _held.items() if not one.users]:
            if key != payload.key:
                _held.pop(key).runner.close()
        if payload.key not in _held:
            _held[payload.key] = _Held(payload.new_runner())
        held = _held[payload.key]
        held.users += 1
    try:
        # What steps keep belongs to one partition.
        with held.turn if payload.compiled.keeps else nullcontext():
            yield held.runner
    finally:
        with _lock:
            held.users -= 1


def _close_all() -> None:
    while _held:
        _held.popitem()[1].runner.close()


AtExit(_close_all)
