"""What a folder of transformers is for, and what must not be asked of a pipeline."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from jupyter_graph.errors import SpecError

TASKS: Final = {
    "ForSequenceClassification": "text-classification",
    "ForTokenClassification": "token-classification",
    "ForQuestionAnswering": "question-answering",
    "ForMaskedLM": "fill-mask",
    "ForCausalLM": "text-generation",
    "LMHeadModel": "text-generation",
    "ForImageClassification": "image-classification",
    "ForObjectDetection": "object-detection",
    "ForAudioClassification": "audio-classification",
    "ForCTC": "automatic-speech-recognition",
    "Model": "feature-extraction",
}
"""What a model is for, by how the name of its class ends; others must say it."""

CODE: Final = frozenset({"custom_generate", "trust_remote_code"})
"""Arguments with which transformers runs code that it finds beside a model."""

FINDINGS: Final = frozenset({"token-classification", "object-detection"})
"""Tasks that find any number of things in one input: also one is a list."""


def runs_code(arguments: Any) -> str | None:
    """Return the argument, at any depth, with which a call would run code.

    >>> runs_code({"generate_kwargs": {"custom_generate": "acme/decoder"}})
    'custom_generate'
    """
    if isinstance(arguments, Mapping):
        for key, value in arguments.items():
            if culprit := key if key in CODE else runs_code(value):
                return str(culprit)
    if isinstance(arguments, list):
        return next((culprit for one in arguments if (culprit := runs_code(one))), None)
    return None


PLACES: Final = frozenset(
    {"audio", "image", "images", "inputs", "path", "url", "video", "videos"}
)
"""Arguments whose texts pipelines for pictures, sound and films take for a place."""


def place_in(value: Any, *, is_input: bool = True) -> str | None:
    """Return the path or URL, at any depth, that such a pipeline would open.

    >>> place_in([{"image": "http://10.0.0.1/x.png", "question": "what is it?"}])
    'http://10.0.0.1/x.png'
    >>> place_in(["data:image/png;base64,iVBORw0K"])
    """
    if isinstance(value, str):
        return value if is_input and not value.startswith("data:") else None
    places: Any = None
    if isinstance(value, Mapping):
        parts = ((one, key in PLACES) for key, one in value.items())
        places = (place_in(one, is_input=is_place) for one, is_place in parts)
    elif isinstance(value, list):
        places = (place_in(one, is_input=is_input) for one in value)
    return next((one for one in places or () if one), None)


def task_of(folder: str) -> str | None:
    """Return what the model in a folder is for; None where there is no such folder.

    Raises:
        SpecError: the class of the model does not tell.
    """
    file = Path(folder, "config.json")
    if not file.is_file():
        return None
    names = [str(name) for name in _read(file).get("architectures") or ()]
    for ending, task in TASKS.items():
        if any(name.endswith(ending) for name in names):
            return task
    raise SpecError(f"say task=, it cannot be told of a model of the class {names}")


def base_of(folder: str) -> str | None:
    """Return the model that the one in a folder only adapts; None where it is whole."""
    file = Path(folder, "adapter_config.json")
    return str(_read(file).get("base_model_name_or_path")) if file.is_file() else None


def _read(file: Path) -> dict[str, Any]:
    content = json.loads(file.read_bytes())
    return content if isinstance(content, dict) else {}
