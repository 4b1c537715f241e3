"""The step that runs several models on each event.

Source: MLRun's ModelRunnerStep,
https://docs.mlrun.org/en/stable/serving/model-runner-step.html
"""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from jupyter_graph.argument_checks import at_least, found_in, require
from jupyter_graph.errors import SpecError, StatusError, did_you_mean, said
from jupyter_graph.steps.model_runner.execution import (
    Execution,
    ModelFactory,
    Pools,
    checked_mechanism,
    default_mechanism,
)
from jupyter_graph.steps.model_runner.runner_models import (
    Model,
    ModelRunnerError,
    ModelSelector,
    is_stream,
)
from jupyter_graph.steps.model_runner.shared_models import Shared
from jupyter_graph.steps.routers.fan_out import Reply
from jupyter_graph.types import NOTHING

__all__ = [
    "Model",
    "ModelRunnerError",
    "ModelRunnerSelector",
    "ModelRunnerStep",
    "ModelSelector",
]

ModelRunnerSelector = ModelSelector
"""MLRun's newer name."""

Named = Sequence[Any]
"""A class (or its name) and the parameters of its constructor, as MLRun writes them."""


class ModelRunnerStep:
    """Run one or several models on each event, at once.

    Body in: what the models take; each gets a copy. Body out: with one model what it
    gives, with several ``{model: output}`` of those that ran. A model that gives its
    output in parts makes a stream of the answer; it must then run alone.

    Args:
        models: ``{name: [class, parameters]}``; ``{name: class}`` is enough.
        execution_mechanism_by_model_name: how each model runs: ``naive`` (on the loop,
            which waits), ``asyncio`` (its coroutine), ``thread_pool``,
            ``process_pool``, ``dedicated_process`` (a process of its own), or
            ``shared_executor`` (as one of ``shared_models``). By default ``asyncio``
            for a class that has ``predict_async`` alone, else ``thread_pool``.
        model_runner_selector: a ``ModelSelector``: ``[class, parameters]``.
        model_selector: MLRun's older name of it.
        monitoring_data: MLRun's notes for its monitoring, by model. Its ``input_path``
            and ``result_path`` are given to models whose class takes them, as MLRun
            does; they change no body.
        raise_exception: a failing model fails the event; False puts
            ``{"error": "ValueError: ..."}`` in the place of its output.
        max_processes: processes of the pool at most, by default one for each CPU.
        max_threads: threads of the pool at most.
        pool_factor: threads or processes for each model.
        shared_models: models that several steps share, as ``models``.
        shared_models_mechanism: how each of them runs.
        _shared_proxy_mapping: kept for MLRun's documents.
        name: the step's name.
        context: the surroundings; a model whose constructor names ``context`` is given
            it too, unless it runs in another process.

    Raises:
        SpecError: an argument has a wrong value, or a model cannot be loaded.
        ModelRunnerError: (from ``do_event``) models failed; the text names each.
        ValueError: (from ``do_event``) a selector chose a model that is not there, or
            one of several gives its output in parts.

    State: the loaded models, and threads or processes, of each process; a restart and
    a hot swap load them anew.

    Source: https://docs.mlrun.org/en/stable/serving/model-runner-step.html

    >>> import asyncio
    >>> from types import SimpleNamespace as Event
    >>> class Times(Model):
    ...     def __init__(self, name, k, **more):
    ...         super().__init__(name, **more)
    ...         self.k = k
    ...     def predict(self, body):
    ...         return body["n"] * self.k
    >>> step = ModelRunnerStep({"a": [Times, {"k": 2}], "b": [Times, {"k": 3}]})
    >>> step.post_init()
    >>> asyncio.run(step.do_event(Event(path="/", body={"n": 2}))).body
    {'a': 4, 'b': 6}
    >>> step.close()
    """

    may_drop = True

    def __init__(
        self,
        models: Mapping[str, Any],
        execution_mechanism_by_model_name: Mapping[str, str] | None = None,
        *,
        model_runner_selector: Any = None,
        model_selector: Any = None,
        monitoring_data: Mapping[str, Mapping[str, Any]] | None = None,
        raise_exception: bool = True,
        max_processes: int | None = None,
        max_threads: int | None = None,
        pool_factor: int | None = None,
        shared_models: Mapping[str, Any] | None = None,
        shared_models_mechanism: Mapping[str, str] | None = None,
        _shared_proxy_mapping: Mapping[str, Any] | None = None,
        name: str = "model_runner",
        context: Any = None,
    ) -> None:
        rule = "models must name at least one model, such as {'a': [MyModel, {}]}"
        require(isinstance(models, Mapping) and len(models) > 0, rule, models)
        self.name = name
        self._context = context
        self._raises = raise_exception
        at_least("max_threads", max_threads, 1, or_none=True)
        at_least("max_processes", max_processes, 1, or_none=True)
        at_least("pool_factor", pool_factor, 1, or_none=True)
        max_processes = max_processes or os.cpu_count() or 16
        self._most = max_threads or 32, max_processes, pool_factor or 1
        self._pools = Pools(*self._most, context)
        shared = shared_models or {}
        self._shared = {key: _factory(key, value, {}) for key, value in shared.items()}
        self._shared_words = dict(shared_models_mechanism or {})
        self._selector = _selector(model_runner_selector, model_selector)
        words = dict(execution_mechanism_by_model_name or {})
        for key in words:
            where = "execution_mechanism_by_model_name"
            found_in(models, key, f"{where} has {key!r}, which is no model")
        self.models: dict[str, Model] = {}
        self._mechanisms: dict[str, Execution] = {}
        for key, value in models.items():
            factory = _factory(key, value, (monitoring_data or {}).get(key) or {})
            self._add(factory, words.get(key) or default_mechanism(factory.kind))

    def _add(self, factory: ModelFactory, word: str) -> None:
        name, model = factory.name, factory.build(self._context)
        self.models[name] = model
        if checked_mechanism(word, name) == "shared_executor":
            self._mechanisms[name] = self._share(name, model.shared_runnable_name)
        else:
            self._mechanisms[name] = self._pools.mechanism(word, factory, model)

    def _share(self, name: str, shared: str | None) -> Execution:
        factory = self._shared.get(str(shared))
        if factory is None:
            known = ", ".join(self._shared) or "there are none"
            raise SpecError(
                f"model {name!r} runs by 'shared_executor', but its "
                f"shared_runnable_name {shared!r} is none of the shared models "
                f"({known})"
            )
        word = self._shared_words.get(factory.name) or default_mechanism(factory.kind)
        word = checked_mechanism(word, factory.name)
        pools = Pools(*self._most, self._context)
        return Shared(factory, word, pools, self._context)

    @staticmethod
    def streams(arguments: Mapping[str, Any]) -> bool:
        """Tell whether the one model there is gives its output in parts."""
        models = arguments.get("models")
        if not isinstance(models, Mapping) or len(models) != 1:
            return False
        [(name, value)] = models.items()
        try:
            return bool(_factory(name, value, {}).build().is_streaming())
        except Exception:
            return False  # building the step raises what is wrong with it

    @staticmethod
    def resolve_arguments(
        arguments: Mapping[str, Any], find: Callable[[str], Any]
    ) -> dict[str, Any]:
        """Return the arguments with the names of classes replaced by the classes.

        Args:
            arguments: constructor arguments as a document holds them.
            find: gives what a name stands for, or raises.
        """
        resolved = dict(arguments)
        for key in ("models", "shared_models"):
            named = resolved.get(key)
            if isinstance(named, Mapping):
                resolved[key] = {
                    name: _found(item, find) for name, item in named.items()
                }
        for key in ("model_runner_selector", "model_selector"):
            if key in resolved:
                resolved[key] = _found(resolved[key], find)
        return resolved

    def post_init(self, mode: str = "sync", **_: Any) -> None:
        """Load the models before the first event."""
        for name, mechanism in self._mechanisms.items():
            try:
                mechanism.load()
            except SpecError:
                raise
            except Exception as error:
                raise SpecError(
                    f"failed to load model {name}: {said(error)}"
                ) from error

    # -- one event --------------------------------------------------------------

    async def do_event(self, event: Any) -> Any:
        import asyncio

        selected = self._selected(event)
        if not selected:
            return NOTHING
        asked = [self._ask(name, event) for name in selected]
        replies = dict(zip(selected, await asyncio.gather(*asked), strict=True))
        if self._raises:
            _raise_failed(replies)
        outputs = {name: _output(reply) for name, reply in replies.items()}
        streams = [name for name, output in outputs.items() if is_stream(output)]
        if streams and len(outputs) > 1:
            raise ValueError(
                "Streaming is not supported when multiple runnables are selected: "
                f"model {streams[0]!r} gives its output in parts, but "
                f"{', '.join(outputs)} are selected"
            )
        is_bare = bool(streams) or len(self.models) == 1
        event.body = next(iter(outputs.values())) if is_bare else outputs
        return event

    async def _ask(self, name: str, event: Any) -> Reply:
        try:
            return Reply(await self._mechanisms[name].run(event.body, event.path, name))
        except Exception as error:
            return Reply(error=error)

    def _selected(self, event: Any) -> list[str]:
        chosen: Any = self._selector.select_models(event, list(self.models.values()))
        if chosen is None:
            return list(self.models)
        listed = [chosen] if isinstance(chosen, str | Model) else list(chosen)
        names = [item if isinstance(item, str) else item.name for item in listed]
        unknown = [name for name in names if name not in self.models]
        if unknown:
            raise ValueError(
                "The following selected Runnables are not registered: "
                f"{', '.join(unknown)}{did_you_mean(unknown[0], self.models)}"
            )
        return list(dict.fromkeys(names))

    def select_outlets(self, body: Any) -> list[str] | None:
        """Return the names of the followers that get the body; None means all."""
        chosen = self._selector.select_outlets(body)
        if not chosen:
            return None
        return [chosen] if isinstance(chosen, str) else list(chosen)

    def close(self) -> None:
        """Release models, threads and processes."""
        for mechanism in self._mechanisms.values():
            mechanism.close()
        self._pools.close()


def _raise_failed(replies: Mapping[str, Reply]) -> None:
    failed = {name: r.error for name, r in replies.items() if r.error is not None}
    if not failed:
        return
    statuses = {
        error.status_code if isinstance(error, StatusError) else 500
        for error in failed.values()
    }
    errors = {
        name: None if reply.error is None else said(reply.error)
        for name, reply in replies.items()
    }
    status = statuses.pop() if len(statuses) == 1 else 500
    raise ModelRunnerError(errors, status_code=status) from next(iter(failed.values()))


def _output(reply: Reply) -> Any:
    return reply.body if reply.error is None else {"error": said(reply.error)}


# -- what the arguments say -----------------------------------------------------


def _pair(value: Any, what: str) -> tuple[Any, dict[str, Any]]:
    """Return class and parameters of ``class`` or ``[class, parameters]``."""
    if not isinstance(value, list | tuple):
        return value, {}
    if len(value) != 2 or not isinstance(value[1] or {}, Mapping):
        raise SpecError(f"{what} must be [class, parameters], got {value!r}")
    return value[0], dict(value[1] or {})


def _factory(name: str, value: Any, notes: Mapping[str, Any]) -> ModelFactory:
    kind, parameters = _pair(value, f"model {name!r}")
    if isinstance(kind, str):
        kind = _block(kind, f"model {name!r}")
    own_name = parameters.pop("name", name)
    if own_name != name:
        raise SpecError(
            f"Inconsistent name for model added to ModelRunnerStep: {own_name!r} "
            f"stands under {name!r}"
        )
    is_model = inspect.isclass(kind) and issubclass(kind, Model)
    names = inspect.signature(kind).parameters if is_model else {}
    for key in ("input_path", "result_path"):
        if key in names and notes.get(key) is not None:
            parameters.setdefault(key, notes[key])
    return ModelFactory(name, kind, parameters)


def _selector(newer: Any, older: Any) -> ModelSelector:
    pairs = _pair(newer, "model_runner_selector"), _pair(older, "model_selector")
    given = [(kind, parameters) for kind, parameters in pairs if kind is not None]
    if not given:
        return ModelSelector()
    if len(given) > 1:
        raise SpecError(
            "give model_runner_selector or model_selector, which is its older name, "
            "not both"
        )
    [(kind, parameters)] = given
    if isinstance(kind, str):
        kind = _block(kind, "model_runner_selector")
    if isinstance(kind, ModelSelector):
        return kind
    if not isinstance(kind, type) or not issubclass(kind, ModelSelector):
        raise SpecError(f"model_runner_selector must be a ModelSelector, got {kind!r}")
    return kind(**parameters)


def _found(value: Any, find: Callable[[str], Any]) -> Any:
    if isinstance(value, str):
        return find(value)
    if isinstance(value, list | tuple) and value and isinstance(value[0], str):
        return [find(value[0]), *value[1:]]
    return value


def _block(name: str, what: str) -> Any:
    from jupyter_graph.steps.block_table import BLOCKS, load_block

    if name in BLOCKS:
        return load_block(name)
    raise SpecError(f"{what} names the class {name!r}, which stands for nothing here")
