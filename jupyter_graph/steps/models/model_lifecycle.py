"""How a model server is built, loaded and ready, and what it knows of itself."""

from __future__ import annotations

import inspect
import logging
import threading
from collections.abc import Callable
from typing import Any, Final

from jupyter_graph.errors import ServiceUnavailableError, SpecError, said
from jupyter_graph.steps.models.model_files import find_model
from jupyter_graph.steps.models.model_schema import ModelSpec, features
from jupyter_graph.threads.outcome import Outcome
from jupyter_graph.threads.start import run_in_thread, start_thread

LOAD_WAIT_S: Final = 250.0
"""How long an event of a queue waits for a model that loads; a caller over HTTP does
not wait."""

Sink = Callable[[dict[str, Any]], None]
"""Takes one record for monitoring; the ``push_prediction`` of a context."""

_MODES: Final = (None, "sync", "async")


class ModelLifecycle:
    """What every model server has beside its protocol.

    Args:
        context: the surroundings; None outside a graph.
        name: the model's name, ``name:version`` where it has a version.
        model_path: where ``load`` finds the model: a path, or a URL that fsspec knows.
        model: a model that is loaded already; ``load`` is not called then.
        protocol: ``v2`` asks for ``inputs``; with any other word nothing is checked.
        inputs: the names of the features in their order, or mappings with ``name`` and,
            for the metadata, ``datatype`` and ``shape``.
        outputs: the same of the outputs.
        input_path: the part of the body that is the request, by dots.
        result_path: where in the body the answer goes, by dots.
        load_mode: ``sync`` loads before the first event, ``async`` in a thread, so that
            the graph starts at once; by default as the graph says.
        **class_args: read by ``get_param``; ``sha256`` is what ``get_model`` compares
            the file with.

    Raises:
        SpecError: ``inputs`` or ``outputs`` are no features, or ``load_mode`` is
            another word; from ``post_init``, the model cannot be loaded.
    """

    def __init__(
        self,
        context: Any = None,
        name: str | None = "model",
        model_path: str | None = None,
        model: Any = None,
        protocol: str | None = None,
        input_path: str | None = None,
        result_path: str | None = None,
        *,
        inputs: Any = None,
        outputs: Any = None,
        load_mode: str | None = None,
        **class_args: Any,
    ) -> None:
        if load_mode not in _MODES:
            raise SpecError(f"load_mode must be 'sync' or 'async', got {load_mode!r}")
        self.context = context
        self.name = name or "model"
        self.plain_name, _, self.version = self.name.partition(":")
        self.model_path = model_path
        self.model = model
        self.protocol = protocol or "v2"
        self._input_path = input_path
        self._result_path = result_path
        self.inputs = features(inputs, "inputs")
        self.outputs = features(outputs, "outputs")
        self.load_mode = load_mode
        given = {"inputs": inputs, "outputs": outputs}
        self._params = class_args | {k: v for k, v in given.items() if v is not None}
        self.model_endpoint_uid = class_args.get("model_endpoint_uid")
        self.model_spec: ModelSpec | None = None
        self.metrics: dict[str, Any] = {}
        self.labels: dict[str, Any] = {}
        self.ready = False
        self.error: Exception | None = None
        push = getattr(context, "push_prediction", None)
        self._sink: Sink | None = push if callable(push) else None
        self._lock = threading.Lock()
        self._is_started = False
        self._has_tried = Outcome()

    # -- loading ----------------------------------------------------------------

    def post_init(self, mode: str = "sync", **_: Any) -> None:
        """Load the model before the first event, or begin to."""
        self._is_started = True
        if (self.load_mode or mode) == "async":
            name = f"jupyter_graph-load {self.name}"
            start_thread(self._try_to_load, name)
        else:
            self._load()

    def load(self) -> Any:
        """Load the model, usually into ``self.model``; may be a coroutine.

        A coroutine runs on a loop of its own that ends with it.
        """
        if self.model is None:
            raise ValueError("please write a load method, or give a model object")

    def _open(self) -> None:
        """Make the model ready to predict."""
        if self.model is None:
            loading = self.load()
            if inspect.isawaitable(loading):
                _finish(loading)

    def _load(self) -> None:
        with self._lock:
            # two threads may ask at once; the second finds the model loaded
            self._is_started = True
            if self.ready:
                return
            try:
                self._open()
            except Exception as error:
                self.error = error
                raise SpecError(
                    f"failed to load model {self.name}: {said(error)}"
                ) from error
            finally:
                self._has_tried.settle(None)
            self.ready = True
        self._logger.info("model %s was loaded", self.name)

    def _try_to_load(self) -> None:
        try:
            self._load()
        except SpecError:
            self._logger.exception("model %s is out of service", self.name)

    @property
    def _logger(self) -> Any:
        logger = getattr(self.context, "logger", None)
        return logger or logging.getLogger("jupyter_graph.steps")

    # -- readiness --------------------------------------------------------------

    def _check_readiness(self, event: Any) -> None:
        """Wait for the model where the caller can; refuse where not."""
        if self.ready:
            return
        if not self._is_started:  # no graph was opened around it
            self._load()
        elif _can_wait(event):
            self._has_tried.wait(LOAD_WAIT_S)
        if not self.ready:
            why = f": {said(self.error)}" if self.error else " yet"
            raise ServiceUnavailableError(f"model {self.name} is not ready{why}")

    async def _check_readiness_async(self, event: Any) -> None:
        if self.ready:
            return
        import asyncio

        # waiting would hold up the loop, and with it the caller of every other model
        await asyncio.to_thread(self._check_readiness, event)

    # -- what a subclass may ask ------------------------------------------------

    def get_param(self, key: str, default: Any = None) -> Any:
        """Return an argument of this step, else a parameter of the graph."""
        if key in self._params:
            return self._params[key]
        return self.context.get_param(key, default) if self.context else default

    def set_metric(self, name: str, value: Any) -> None:
        """Set a figure that goes into the monitoring records."""
        self.metrics[name] = value

    def get_model(self, suffix: str = "") -> tuple[str | None, dict[str, Any] | None]:
        """Return the local path of the model's file, and its other files by key.

        A ``model_spec.yaml`` in the folder says which file it is, and fills the names
        of the inputs and outputs, the parameters, and the extra files.

        Args:
            suffix: how the file ends, where ``model_path`` is a folder; ``.pkl`` by
                default.

        Raises:
            SpecError: there is no such file, or it is not the one of ``sha256``.
        """
        if not self.model_path:
            return None, None
        sha256 = self._params.get("sha256")
        file = find_model(self.model_path, (suffix or ".pkl",), sha256=sha256)
        self._take_spec(file.spec)
        return str(file.checked()), dict(file.extra)

    def _take_spec(self, spec: ModelSpec | None) -> None:
        if spec is None:
            return
        self.model_spec = spec
        self._params = {**self._params, **spec.parameters}
        self.inputs = self.inputs or spec.inputs
        self.outputs = self.outputs or spec.outputs


def _can_wait(event: Any) -> bool:
    """Tell whether an event came from a queue, not from a caller who waits."""
    kind = getattr(getattr(event, "trigger", None), "kind", "") or ""
    return kind not in ("", "http")


def _finish(coroutine: Any) -> None:
    """Run a coroutine to its end, whatever loop this thread may have."""
    import asyncio

    async def run() -> Any:
        return await coroutine

    # a thread of its own, since asyncio.run refuses where a loop already runs
    run_in_thread(lambda: asyncio.run(run()))
