"""Serving Hugging Face pipelines."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jupyter_graph.errors import BadRequestError, SpecError
from jupyter_graph.steps.models.framework import FrameworkServer, plain
from jupyter_graph.steps.models.loading import ModelFile, find_model
from jupyter_graph.steps.models.tensors import Columns


class HuggingFaceModelServer(FrameworkServer):
    """Serve a pipeline of transformers.

    Body in: ``{"inputs": [text, ...]}`` (or what else the task takes), or
    ``{"inputs": [{argument: value}, ...]}``, one call for each. Body out: as
    ``V2ModelServer``; ``outputs`` has one entry for each input.

    Args:
        context: the surroundings; None outside a graph.
        name: the model's name.
        model_path: the folder of the model and its tokenizer, as path or URL.
        model: a pipeline.
        protocol: see ``V2ModelServer``.
        task: the pipeline's task, such as ``text-classification``; by default the one
            that the model was made for.
        model_name: the same folder; or, with ``allow_download``, the name of a model on
            the hub.
        tokenizer_name: the same for the tokenizer, by default with the model.
        model_class: the name of a class of transformers for the model.
        tokenizer_class: the same for the tokenizer.
        revision: the commit of the model on the hub.
        allow_download: ask the hub for what is not here. Weights are taken as
            safetensors only, and code of a model never runs.
        options: more arguments for each call, such as ``{"top_k": 3}``.
        **class_args: those of ``FrameworkServer``.

    Raises:
        SpecError: no folder is named; at the start, there is none, or transformers
            cannot make the pipeline.
        BadRequestError: (from ``predict``) an input has no such argument.

    State: the pipeline, in memory; nothing changes it.

    Source: https://huggingface.co/docs/transformers/main_classes/pipelines

    >>> HuggingFaceModelServer(name="mood", model_name="acme/mood", options=3)
    Traceback (most recent call last):
    ...
    jupyter_graph.errors.SpecError: options must be a mapping, got 3
    """

    platform = "huggingface"
    package = "transformers"
    extra = "huggingface"
    takes_arrays = False

    def __init__(
        self,
        context: Any = None,
        name: str | None = "model",
        model_path: str | None = None,
        model: Any = None,
        protocol: str | None = None,
        *,
        task: str | None = None,
        model_name: str | None = None,
        tokenizer_name: str | None = None,
        model_class: str | None = None,
        tokenizer_class: str | None = None,
        revision: str | None = None,
        allow_download: bool = False,
        options: Mapping[str, Any] | None = None,
        **class_args: Any,
    ) -> None:
        if options is not None and not isinstance(options, Mapping):
            raise SpecError(f"options must be a mapping, got {options!r}")
        # MLRun's documents name the model in model_name and anything in model_path
        source = model_name or model_path
        super().__init__(context, name, source, model, protocol, **class_args)
        self.task = task
        self.tokenizer_name = tokenizer_name
        self.model_class = model_class
        self.tokenizer_class = tokenizer_class
        self.revision = revision
        self.allow_download = allow_download
        self.options = dict(options or {})

    def file(self) -> ModelFile:
        """Find the folder of the model; a name of the hub stays a name."""
        name = str(self.model_path)
        is_name = "://" not in name and not Path(name).expanduser().exists()
        if is_name and self.allow_download:
            return ModelFile(Path(name))
        if is_name:
            raise SpecError(
                f"there is no folder {name!r}; where it is a name of the hub, download "
                "the model and give its folder, or say allow_download=True"
            )
        return find_model(name, sha256=self.sha256)

    def read(self, file: ModelFile) -> Any:
        """Give the pipeline."""
        transformers = self.imported()
        source = str(file.checked()) if file.path.exists() else file.path.as_posix()
        where: dict[str, Any] = {
            "local_files_only": not self.allow_download,
            "trust_remote_code": False,
        }
        if self.revision:
            where["revision"] = self.revision
        try:
            return self._pipeline(transformers, source, where)
        except (OSError, ValueError, KeyError, RuntimeError, ImportError) as error:
            said = str(error).partition("\n")[0]
            raise SpecError(f"transformers cannot open {source!r}: {said}") from error

    def _pipeline(self, transformers: Any, source: str, where: dict[str, Any]) -> Any:
        kind = self._class(transformers, self.model_class)
        token = self._class(transformers, self.tokenizer_class)
        model: Any = source
        tokenizer: Any = self.tokenizer_name
        if kind is not None:
            model = kind.from_pretrained(source, use_safetensors=True, **where)
        if token is not None or (kind is not None and tokenizer is None):
            token = token or transformers.AutoTokenizer
            tokenizer = token.from_pretrained(tokenizer or source, **where)
        return transformers.pipeline(
            task=self.task,
            model=model,
            tokenizer=tokenizer,
            revision=self.revision,
            trust_remote_code=False,
            model_kwargs={
                "use_safetensors": True,
                "local_files_only": not self.allow_download,
            },
        )

    def _class(self, transformers: Any, name: str | None) -> Any:
        if name is None:
            return None
        found = getattr(transformers, name, None)
        if not hasattr(found, "from_pretrained"):
            raise SpecError(f"transformers has no model or tokenizer class {name!r}")
        return found

    def predict(self, request: dict[str, Any]) -> Any:
        """Give one result for each input."""
        inputs = request["inputs"]
        if isinstance(inputs, Columns) or not isinstance(inputs, list):
            raise BadRequestError("a pipeline takes a list of inputs")
        if inputs and isinstance(inputs[0], Mapping):
            found = [self._called(one) for one in inputs]
        else:
            found = self.model(inputs, **self.options)
        return [_bare(plain(one)) for one in found]

    def _called(self, arguments: Mapping[str, Any]) -> Any:
        try:
            return self.model(**{**self.options, **arguments})
        except TypeError as error:
            raise BadRequestError(f"the pipeline does not take it: {error}") from error


def _bare(result: Any) -> Any:
    """Give the only result for an input out of its list, as MLRun does."""
    return result[0] if isinstance(result, list) and len(result) == 1 else result
