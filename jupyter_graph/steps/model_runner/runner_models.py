"""The models of a model runner, and how a runner learns which of them run.

Source: MLRun's model runner,
https://docs.mlrun.org/en/stable/serving/model-runner-step.html
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import AsyncGeneratorType, GeneratorType
from typing import Any

from jupyter_graph.argument_checks import found_in
from jupyter_graph.errors import SpecError, StatusError


class Model:
    """A model of a ``ModelRunnerStep``; a subclass writes ``predict``.

    ``predict(self, body)`` gives the output for one body, or is a generator that gives
    it in parts. ``predict_async`` is its coroutine (or asynchronous generator) for the
    mechanism ``asyncio``. ``load`` runs once, before the first event.

    Args:
        name: the model's name in the runner.
        raise_exception: kept for MLRun's documents; the runner's own decides.
        artifact_uri: a file or folder of the model, see ``get_local_model_path``.
        shared_proxy_mapping: kept for MLRun's documents.
        shared_runnable_name: the shared model that this one stands for.
        **parameters: kept in ``self.parameters``.

    >>> class Double(Model):
    ...     def predict(self, body):
    ...         return body * 2
    >>> Double("double").run(21, path="/")
    42
    """

    def __init__(
        self,
        name: str,
        raise_exception: bool = True,
        artifact_uri: str | None = None,
        shared_proxy_mapping: Mapping[str, Any] | None = None,
        shared_runnable_name: str | None = None,
        **parameters: Any,
    ) -> None:
        if artifact_uri is not None and not isinstance(artifact_uri, str):
            raise SpecError(f"'artifact_uri' must be a text, got {artifact_uri!r}")
        self.name = name
        self.artifact_uri = artifact_uri
        self.shared_proxy_mapping = shared_proxy_mapping
        self.shared_runnable_name = shared_runnable_name
        self.parameters = parameters

    def load(self) -> None:
        """Load the model, usually into ``self.model``."""

    def init(self) -> None:
        """Load, before the first event."""
        self.load()

    def close(self) -> None:
        """Release what ``load`` opened, when the runner closes."""

    def predict(self, body: Any, **kwargs: Any) -> Any:
        """Return the output for a body."""
        raise NotImplementedError("predict() method not implemented")

    async def predict_async(self, body: Any, **kwargs: Any) -> Any:
        """Return the output for a body, without blocking the loop."""
        raise NotImplementedError("predict_async() method not implemented")

    def run(self, body: Any, path: str, origin_name: str | None = None) -> Any:
        """Predict; a list passes ``format_batch`` first."""
        return self.predict(self.format_batch(body) if isinstance(body, list) else body)

    def run_async(self, body: Any, path: str, origin_name: str | None = None) -> Any:
        """Return the coroutine or asynchronous generator of the prediction."""
        return self.predict_async(
            self.format_batch(body) if isinstance(body, list) else body
        )

    def is_streaming(self) -> bool:
        """Tell whether the output comes in parts; override it where that is not seen.

        >>> Model("m").is_streaming()
        False
        """
        return inspect.isgeneratorfunction(self.predict) or inspect.isasyncgenfunction(
            self.predict_async
        )

    @staticmethod
    def format_batch(body: Any) -> Any:
        """Change a list of inputs before the prediction."""
        return body

    def get_local_model_path(
        self, suffix: str = ""
    ) -> tuple[str | None, dict[str, Any]]:
        """Return the model's file, and (always empty here) what belongs to it.

        Args:
            suffix: such as ``.onnx``: in a folder, the first file that ends so.

        Raises:
            SpecError: ``artifact_uri`` is no file or folder of this machine, or the
                folder has no such file.
        """
        if self.artifact_uri is None:
            return None, {}
        path = Path(self.artifact_uri.removeprefix("file://"))
        if path.is_dir():
            files = sorted(path.glob(f"*{suffix}")) if suffix else []
            if suffix and not files:
                raise SpecError(
                    f"model {self.name!r}: {str(path)!r} has no file *{suffix}"
                )
            return str(files[0] if files else path), {}
        if not path.exists():
            raise SpecError(
                f"model {self.name!r}: artifact_uri must be a file or a folder of this "
                f"machine, got {self.artifact_uri!r}"
            )
        return str(path), {}


class ModelSelector:
    """Chooses which models of a runner run, and which steps get what they gave.

    A subclass overrides ``select_models`` or ``select_outlets``; None means all.

    >>> ModelSelector().select_models(None, []) is None
    True
    """

    def __init__(self, **kwargs: Any) -> None:
        self.kwargs = kwargs

    def select_models(
        self, event: Any, available_models: list[Model]
    ) -> Sequence[str | Model] | str | None:
        """Return the models, or their names, that run on an event."""
        return self.select(event, available_models)

    def select(
        self, event: Any, available_models: list[Model]
    ) -> Sequence[str | Model] | str | None:
        """MLRun's older name of ``select_models``."""
        return None

    def select_outlets(self, event: Any) -> Sequence[str] | str | None:
        """Return the names of the steps that get the body, after the models ran."""
        return None


class ModelRunnerError(StatusError):
    """Models of a runner failed; ``models_errors`` holds a text for each of them.

    Args:
        models_errors: a text for each model, None for one that did not fail.
        status_code: what the caller gets.
    """

    def __init__(
        self,
        models_errors: Mapping[str, str | None] | str,
        *,
        status_code: int | None = None,
    ) -> None:
        self.models_errors: dict[str, str] = {}
        if not isinstance(models_errors, str):
            said_so = models_errors.items()
            self.models_errors = {name: said for name, said in said_so if said}
            models_errors = "; ".join(f"{name}: {said}" for name, said in said_so)
        super().__init__(models_errors, status_code=status_code)

    def get_errors(self) -> dict[str, str]:
        return self.models_errors

    def get_model_error(self, model: str) -> str | None:
        return self.models_errors.get(model)


def built_model(
    kind: Any, parameters: Mapping[str, Any], name: str, context: Any = None
) -> Model:
    """Return a model of a class; nothing is loaded.

    A constructor that names ``context`` is given the step's.

    Raises:
        SpecError: the class is no ``Model``, or takes no such parameter.
    """
    if not inspect.isclass(kind) or not issubclass(kind, Model):
        raise SpecError(
            f"model {name!r}: {kind!r} must be a subclass of jupyter_graph.steps.Model"
        )
    known = inspect.signature(kind).parameters
    given = {k: v for k, v in parameters.items() if v is not None or k in known}
    given["name"] = name
    if "context" in known:
        given["context"] = context
    if not any(p.kind is p.VAR_KEYWORD for p in known.values()):
        for key in given:
            found_in(known, key, f"model {name!r}: {kind.__name__} takes no {key!r}")
    return kind(**given)


def is_stream(output: Any) -> bool:
    """Tell whether a model gives its output in parts.

    >>> is_stream(n for n in "ab"), is_stream("ab")
    (True, False)
    """
    return isinstance(output, GeneratorType | AsyncGeneratorType)
