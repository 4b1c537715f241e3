"""Models that several runners of a process share: loaded once, run by all."""

from __future__ import annotations

import threading
from typing import Any

from jupyter_graph.errors import SpecError
from jupyter_graph.steps.model_runner.execution import Execution, ModelFactory, Pools
from jupyter_graph.threads.module_lock import module_lock

_lock = module_lock()
_kept: list[_Kept] = []


class _Kept:
    """A model, its users, and the lock under which the first of them loads it."""

    def __init__(self, recipe: ModelFactory, word: str, pools: Pools) -> None:
        self.recipe = recipe
        self.word = word
        self.pools = pools
        self.mechanism: Execution | None = None
        self.users = 0
        self.loading = threading.RLock()

    def load(self, context: Any) -> None:
        if self.mechanism is None:
            model = self.recipe.build(context)
            mechanism = self.pools.mechanism(self.word, self.recipe, model)
            mechanism.load()
            self.mechanism = mechanism


class Shared:
    """Runs a model of which the process has one alone.

    The same class with the same parameters and mechanism is the same model, whichever
    runner asks for it. It is loaded for the first, and released with the last.

    Args:
        recipe: how it is made.
        word: how it runs; not ``shared_executor`` again.
        pools: where it runs, when this is the first user.
        context: the surroundings of the first user.

    Raises:
        SpecError: it would run by ``shared_executor``.
    """

    def __init__(
        self, recipe: ModelFactory, word: str, pools: Pools, context: Any = None
    ) -> None:
        if word == "shared_executor":
            raise SpecError(
                "Cannot add a shared model with execution mechanism 'shared_executor': "
                f"{recipe.name!r}"
            )
        self._asked = (recipe, word, pools, context)
        self._found: _Kept | None = None

    def load(self) -> None:
        recipe, word, pools, context = self._asked
        with _lock:
            known = (k for k in _kept if k.word == word and k.recipe.same_as(recipe))
            shared = next(known, None)
            if shared is None:
                shared = _Kept(recipe, word, pools)
                _kept.append(shared)
            shared.users += 1
            self._found = shared
        try:
            with shared.loading:  # other models may be loaded meanwhile
                shared.load(context)
        except BaseException:
            self.close()
            raise

    async def run(self, body: Any, path: str, origin: str | None) -> Any:
        mechanism: Execution | None = self._found.mechanism if self._found else None
        assert mechanism is not None  # load came first
        return await mechanism.run(body, path, origin)

    def close(self) -> None:
        shared, self._found = self._found, None
        with _lock:
            if shared is None:
                return
            shared.users -= 1
            if shared.users:
                return
            _kept.remove(shared)
        if shared.mechanism is not None:
            shared.mechanism.close()
        shared.pools.close()
