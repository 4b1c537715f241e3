"""Models that several runners of a process share: loaded once, run by all."""

from __future__ import annotations

import threading
from typing import Any

from jupyter_graph.errors import SpecError
from jupyter_graph.steps.model_runner.execution import Execution, ModelFactory, Pools
from jupyter_graph.threads.module_lock import module_lock

_lock = module_lock()
_models: list[_SharedModel] = []


class _SharedModel:
    """A model, its users, and the lock under which the first of them loads it."""

    def __init__(self, factory: ModelFactory, word: str, pools: Pools) -> None:
        self.factory = factory
        self.word = word
        self.pools = pools
        self.mechanism: Execution | None = None
        self.users = 0
        self.loading = threading.RLock()

    def load(self, context: Any) -> None:
        if self.mechanism is None:
            model = self.factory.build(context)
            mechanism = self.pools.mechanism(self.word, self.factory, model)
            mechanism.load()
            self.mechanism = mechanism


class Shared:
    """Runs a model of which the process has one alone.

    The same class with the same parameters and mechanism is the same model, whichever
    runner asks for it. It is loaded for the first, and released with the last.

    Args:
        factory: how it is made.
        word: how it runs; not ``shared_executor`` again.
        pools: where it runs, when this is the first user.
        context: the surroundings of the first user.

    Raises:
        SpecError: it would run by ``shared_executor``.
    """

    def __init__(
        self, factory: ModelFactory, word: str, pools: Pools, context: Any = None
    ) -> None:
        if word == "shared_executor":
            raise SpecError(
                "Cannot add a shared model with execution mechanism 'shared_executor': "
                f"{factory.name!r}"
            )
        self._arguments = (factory, word, pools, context)
        self._shared: _SharedModel | None = None

    def load(self) -> None:
        factory, word, pools, context = self._arguments
        with _lock:
            known = (k for k in _models if k.word == word and k.factory == factory)
            shared = next(known, None)
            if shared is None:
                shared = _SharedModel(factory, word, pools)
                _models.append(shared)
            # counted before it is loaded, so that a user that closes meanwhile does not
            # take the model away
            shared.users += 1
            self._shared = shared
        try:
            with shared.loading:  # other models may be loaded meanwhile
                shared.load(context)
        except BaseException:
            self.close()
            raise

    async def run(self, body: Any, path: str, origin: str | None) -> Any:
        mechanism: Execution | None = self._shared.mechanism if self._shared else None
        assert mechanism is not None  # load came first
        return await mechanism.run(body, path, origin)

    def close(self) -> None:
        shared, self._shared = self._shared, None
        with _lock:
            if shared is None:
                return
            shared.users -= 1
            if shared.users:
                return
            # out of the list while the lock is held: the next runner loads a model of
            # its own and does not wait for this one to close
            _models.remove(shared)
        if shared.mechanism is not None:
            shared.mechanism.close()
        shared.pools.close()
