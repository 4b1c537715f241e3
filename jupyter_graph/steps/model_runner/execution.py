"""How the models of a runner are run: on the loop, in threads, in processes.

Source: storey's ``ParallelExecution``, https://storey.readthedocs.io
"""

from __future__ import annotations

import inspect
import threading
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from jupyter_graph.errors import SpecError, did_you_mean
from jupyter_graph.processes.process_pool import WorkerPool
from jupyter_graph.processes.transport import Deferred
from jupyter_graph.steps.model_runner.runner_models import Model, built_model, is_stream
from jupyter_graph.steps.routers.router_routes import copied
from jupyter_graph.threads.thread_pool import Threads

MECHANISMS = (
    "process_pool",
    "dedicated_process",
    "thread_pool",
    "asyncio",
    "shared_executor",
    "naive",
)
END: Final = object()


@dataclass(frozen=True)
class ModelFactory:
    """How a model is made: its class and its constructor's parameters but ``name``."""

    name: str = field(compare=False)  # equal ones make the same model
    kind: Any
    parameters: Mapping[str, Any]

    def build(self, context: Any = None) -> Model:
        return built_model(self.kind, self.parameters, self.name, context)


class Execution(Protocol):
    """Runs one model; ``load`` comes before the first event."""

    def load(self) -> None: ...

    async def run(self, body: Any, path: str, origin: str | None) -> Any:
        """Return the output, or a generator of its parts; raise the model's error."""

    def close(self) -> None: ...


class Pools:
    """The threads and processes that several models share.

    Args:
        most_threads: how many threads at most.
        most_processes: how many processes at most.
        factor: how many of them for each model.
        context: the surroundings of the step.
    """

    def __init__(
        self, most_threads: int, most_processes: int, factor: int, context: Any = None
    ) -> None:
        self._most_threads = most_threads
        self._most_processes = most_processes
        self._factor = factor
        self._context = context
        self._in_threads = 0
        self._factories: dict[str, ModelFactory] = {}
        self._threads: Threads | None = None
        self._processes: WorkerPool | None = None
        self._lock = threading.Lock()

    def mechanism(self, word: str, factory: ModelFactory, model: Model) -> Execution:
        """Return what runs a model."""
        _predicts(model, word)
        if word == "thread_pool":
            self._in_threads += 1
            return InThreads(model, self)
        if word == "process_pool":
            self._factories[factory.name] = factory
            return InProcesses(factory.name, model, self)
        if word == "dedicated_process":
            # a process of its own is a pool of one, closed by the model that has it
            own = Pools(1, 1, 1, self._context)
            own._factories[factory.name] = factory
            return InProcesses(factory.name, model, own, is_own=True)
        return OnTheLoop(model) if word == "asyncio" else Inline(model)

    @property
    def threads(self) -> Threads:
        with self._lock:
            if self._threads is None:
                most = min(max(1, self._in_threads) * self._factor, self._most_threads)
                self._threads = Threads(most, "jupyter_graph-model")
            return self._threads

    @property
    def processes(self) -> WorkerPool:
        with self._lock:
            if self._processes is None:
                most = min(len(self._factories) * self._factor, self._most_processes)
                targets = {
                    name: Deferred(Loaded, r) for name, r in self._factories.items()
                }
                self._processes = WorkerPool(targets, most, "model", self._context)
            return self._processes

    def close(self) -> None:
        with self._lock:
            kept = self._threads, self._processes
        for pool in kept:
            if pool is not None:
                pool.close()


class Inline:
    """Runs a model where it is called: nothing else runs on the loop meanwhile."""

    def __init__(self, model: Model) -> None:
        self.model = model

    def load(self) -> None:
        self.model.init()

    async def run(self, body: Any, path: str, origin: str | None) -> Any:
        return self.model.run(copied(body), path, origin)

    def close(self) -> None:
        self.model.close()


class OnTheLoop(Inline):
    """Runs a model's coroutine."""

    async def run(self, body: Any, path: str, origin: str | None) -> Any:
        result = self.model.run_async(copied(body), path, origin)
        return await result if inspect.isawaitable(result) else result


class InThreads(Inline):
    """Runs a model in a thread, the parts of its output too."""

    def __init__(self, model: Model, pools: Pools) -> None:
        super().__init__(model)
        self._pools = pools

    async def run(self, body: Any, path: str, origin: str | None) -> Any:
        call, threads = self.model.run, self._pools.threads
        result = await threads.submit(call, copied(body), path, origin).awaited()
        return _pulled(result, threads) if inspect.isgenerator(result) else result


@dataclass(eq=False)
class InProcesses:
    """Runs a model in another process, which loads it for itself."""

    name: str
    model: Model
    pools: Pools
    is_own: bool = False

    def load(self) -> None:
        if self.model.is_streaming():
            raise SpecError(
                f"model {self.name!r} gives its output in parts, which do not leave "
                "another process; use thread_pool or asyncio"
            )
        # the call without a body loads the model in the process and raises why it could
        # not
        self.pools.processes.start()
        self.pools.processes.submit(self.name).result().result()

    async def run(self, body: Any, path: str, origin: str | None) -> Any:
        work = self.pools.processes.submit(self.name, body, path, origin)
        return (await work.awaited()).result()

    def close(self) -> None:
        if self.is_own:
            self.pools.close()


class Loaded:
    """In the other process: a model, or why it could not be loaded."""

    def __init__(self, factory: ModelFactory) -> None:
        self._error: Exception | None = None
        try:
            self._model = factory.build()
            self._model.init()
        except Exception as error:
            self._error = error

    def __call__(self, *args: Any) -> Any:
        if self._error is not None:
            raise self._error
        if not args:
            return None
        result = self._model.run(*args)
        if is_stream(result):
            raise TypeError("parts of an output do not leave another process")
        return result


async def _pulled(parts: Any, threads: Threads) -> AsyncIterator[Any]:
    """Yield a generator's parts, each made in a thread."""
    while True:
        # StopIteration cannot leave a thread through a future, so the end is a value
        part = await threads.submit(next, parts, END).awaited()
        if part is END:
            return
        yield part


def checked_mechanism(word: Any, name: str) -> str:
    """Return the mechanism's name.

    Raises:
        SpecError: there is no such mechanism.
    """
    if word in MECHANISMS:
        return str(word)
    raise SpecError(
        f"model {name!r}: Execution mechanism {word!r} is invalid. It must be one of: "
        f"{', '.join(MECHANISMS)}{did_you_mean(str(word), MECHANISMS)}"
    )


def default_mechanism(kind: Any) -> str:
    """Return the mechanism of a class for which none was named.

    >>> default_mechanism(Model)
    'thread_pool'
    """
    is_plain = getattr(kind, "predict", None) is not Model.predict
    is_async = getattr(kind, "predict_async", None) is not Model.predict_async
    return "asyncio" if is_async and not is_plain else "thread_pool"


def _predicts(model: Model, word: str) -> None:
    ending = "_async" if word == "asyncio" else ""
    names = f"predict{ending}", f"run{ending}"
    if all(getattr(type(model), name) is getattr(Model, name) for name in names):
        raise SpecError(
            f"model {model.name!r} is running with {word} execution_mechanism but "
            f"{names[0]}() is not implemented"
        )
