"""Serving Hugging Face pipelines."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jupyter_graph.argument_checks import require
from jupyter_graph.errors import BadRequestError, SpecError
from jupyter_graph.steps.base_arguments import takes_arguments_of
from jupyter_graph.steps.models.frameworks.framework_server import FrameworkServer
from jupyter_graph.steps.models.frameworks.pipelines import (
    FINDINGS,
    base_of,
    place_in,
    runs_code,
    task_of,
)
from jupyter_graph.steps.models.model_files import ModelFile, find_model
from jupyter_graph.steps.models.model_rows import plain


class HuggingFaceModelServer(FrameworkServer):
    """Serve a pipeline of transformers.

    Body in: ``{"inputs": [text, ...]}`` (or what else the task takes), or
    ``{"inputs": [{argument: value}, ...]}``, one call for each; texts by tensor may
    stand in a column. Body out: as ``V2ModelServer``; ``outputs`` has one entry for
    each input. A pipeline for pictures or sound opens the paths and URLs it is given.

    Args:
        context: the surroundings; None outside a graph.
        name: the model's name.
        model_path: the folder of the model and its tokenizer, as path or URL.
        model: a pipeline.
        protocol: see ``V2ModelServer``.
        task: the pipeline's task, such as ``text-classification``; by default what the
            model's ``config.json`` says its class is for, see ``TASKS``.
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
        SpecError: no folder is named, or ``options`` would run code; at the start,
            there is no such folder, or transformers cannot make the pipeline.
        BadRequestError: (from ``predict``) the pipeline does not take an input, or an
            argument of it would run code.

    State: the pipeline, in memory; nothing changes it. One request at a time uses it.

    Source: https://huggingface.co/docs/transformers/main_classes/pipelines

    >>> HuggingFaceModelServer(name="mood", model_name="acme/mood", options=3)
    Traceback (most recent call last):
    ...
    jupyter_graph.errors.SpecError: options must be a mapping, got 3 [JG110]
    """

    platform = "huggingface"
    package = "transformers"
    extra = "huggingface"
    takes_arrays = False
    opens_pickles = False

    @takes_arguments_of(FrameworkServer)
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
        require(
            isinstance(options, Mapping | None), "options must be a mapping", options
        )
        require(not runs_code(options), "options must not run code", options)
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
        self._one_by_one = threading.Lock()  # tokenizers keep how they pad and cut

    def file(self) -> ModelFile:
        """Find the folder of the model; a name of the hub stays a name."""
        return self._found(str(self.model_path), self.sha256)

    def _found(self, name: str, sha256: str | None = None) -> ModelFile:
        is_name = "://" not in name and not Path(name).expanduser().exists()
        if is_name and self.allow_download:
            return ModelFile(Path(name))
        if is_name:
            raise SpecError(
                f"there is no folder {name!r}; where it is a name of the hub, download "
                "the model and give its folder, or say allow_download=True"
            )
        return find_model(name, sha256=sha256)

    def read(self, file: ModelFile) -> Any:
        """Return the pipeline."""
        transformers = self.imported()
        source = _source(file)
        errors = OSError, ValueError, KeyError, RuntimeError, ImportError
        with self.opening(f"transformers cannot open {source!r}", *errors):
            return self._pipeline(transformers, source)

    def _pipeline(self, transformers: Any, source: str) -> Any:
        # nothing but folders is read where nothing may be downloaded, see file();
        # pipeline() itself has no argument that would say so in all its versions
        self._check_adapter(source)
        kind = self._class(transformers, self.model_class)
        token = self._class(transformers, self.tokenizer_class)
        where: dict[str, Any] = {
            "local_files_only": not self.allow_download,
            "trust_remote_code": False,
        }
        if self.revision:
            where["revision"] = self.revision
        model: Any = source
        tokenizer: Any = source if kind is not None else None
        if self.tokenizer_name:
            tokenizer = _source(self._found(self.tokenizer_name))
        if kind is not None:
            model = kind.from_pretrained(source, use_safetensors=True, **where)
        if token is not None:
            tokenizer = token.from_pretrained(tokenizer or source, **where)
        return transformers.pipeline(
            task=self.task or task_of(source),
            model=model,
            tokenizer=tokenizer,
            revision=self.revision,
            trust_remote_code=False,
            model_kwargs={"use_safetensors": True},
        )

    def _check_adapter(self, source: str) -> None:
        """Refuse a folder that only changes another model, which is not here."""
        base = base_of(source)
        if base and not self.allow_download and not Path(base).is_dir():
            raise SpecError(
                f"{source!r} is an adapter of {base!r}, which is not here; save the "
                "merged model, or say allow_download=True"
            )

    def _class(self, transformers: Any, name: str | None) -> Any:
        if name is None:
            return None
        kind = getattr(transformers, name, None)
        if not hasattr(kind, "from_pretrained"):
            raise SpecError(f"transformers has no model or tokenizer class {name!r}")
        return kind

    def predict(self, request: dict[str, Any]) -> Any:
        """Return one result for each input."""
        inputs = request["inputs"]
        if not isinstance(inputs, list):
            raise BadRequestError("a pipeline takes a list of inputs")
        if not inputs:
            return []
        if self._opens_places() and (place := place_in(inputs)):
            raise BadRequestError(
                f"no request opens a path or URL here, got {place!r}; send what is in "
                "it as 'data:image/png;base64,…', or open it in a step before"
            )
        if isinstance(inputs[0], Mapping):
            results = [self._called(one) for one in inputs]
        else:
            texts = [_out_of_column(one) for one in inputs]
            results = self._asked(texts, **self.options)
            is_listed = isinstance(results, list) and len(results) == 1
            if len(inputs) == 1 and not is_listed:
                results = [results]  # some pipelines unpack the results of one input
        if getattr(self.model, "task", None) in FINDINGS:
            return plain(list(results))
        return [_bare(plain(one)) for one in results]

    def _opens_places(self) -> bool:
        """Tell whether the pipeline opens what texts name: pictures, sound, films."""
        parts = ("image_processor", "feature_extractor", "video_processor")
        return any(getattr(self.model, part, None) is not None for part in parts)

    def _called(self, arguments: Any) -> Any:
        if not isinstance(arguments, Mapping):
            raise BadRequestError(
                f"inputs must all be objects of arguments, got {arguments!r}"
            )
        if refused := runs_code(arguments):
            raise BadRequestError(f"no input may say {refused!r}: it would run code")
        return self._asked(**{**self.options, **arguments})

    def _asked(self, *inputs: Any, **arguments: Any) -> Any:
        try:
            with self._one_by_one:
                return self.model(*inputs, **arguments)
        except (TypeError, ValueError) as error:
            raise BadRequestError(
                f"the pipeline of model {self.name} does not take it: {error}"
            ) from error


def _source(file: ModelFile) -> str:
    return str(file.checked()) if file.path.exists() else file.path.as_posix()


def _out_of_column(value: Any) -> Any:
    """Return the text of a row that holds one, as clients send them by tensor."""
    if isinstance(value, list) and len(value) == 1 and isinstance(value[0], str):
        return value[0]
    return value


def _bare(result: Any) -> Any:
    """Return the only result for an input out of its list, as MLRun does."""
    return result[0] if isinstance(result, list) and len(result) == 1 else result
