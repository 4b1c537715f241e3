"""A model of a model runner that asks a language model.

Source: MLRun's LLModel, https://docs.mlrun.org/en/stable/serving/model-runner-step.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from jupyter_graph.argument_checks import telling
from jupyter_graph.errors import SpecError
from jupyter_graph.steps.model_runner.runner_models import Model
from jupyter_graph.values.dotted_path import part_of, with_part

if TYPE_CHECKING:
    from jupyter_graph.steps.llm.llm import LLM


class LLModel(Model):
    """Ask a chat model, as the step ``LLM`` does; runs by ``asyncio``.

    Input: what the prompt takes its fields from; without a prompt a text, messages, or
    ``{"messages": [...]}``. Output: ``{"answer": str, "usage": {...}, ...}`` as of
    ``LLM``; with ``result_path`` the input with this in that place.

    Args:
        name: the model's name in the runner.
        model: the name by which the server knows the language model.
        prompt: a template such as ``Plan {{days}} days in {{city}}``, or a list of
            messages whose texts are templates.
        input_path: the part of the body that is the input, by dots.
        result_path: where in the body the result goes, by dots.
        invocation_config: further arguments of ``LLM``, such as ``base_url``,
            ``temperature`` or ``api_key_secret``.
        context: the surroundings, which hold the key's secret.
        **parameters: as of ``Model``. An ``artifact_uri`` of MLRun's store is refused:
            give its template as ``prompt``.

    Raises:
        SpecError: an argument has a wrong value, or the key's secret has none.

    >>> config = {"base_url": "http://localhost:11434/v1"}
    >>> LLModel("a", model="qwen3", invocation_config=config).is_streaming()
    False
    """

    def __init__(
        self,
        name: str,
        *,
        model: str = "",
        prompt: str | Sequence[Mapping[str, Any]] | None = None,
        input_path: str | None = None,
        result_path: str | None = None,
        invocation_config: Mapping[str, Any] | None = None,
        context: Any = None,
        **parameters: Any,
    ) -> None:
        super().__init__(name, **parameters)
        if self.artifact_uri is not None:
            raise SpecError(
                f"model {name!r}: artifact_uri={self.artifact_uri!r} needs MLRun's "
                "store, which is not here; give model=... and prompt=..."
            )
        self._model = model
        self._prompt = prompt
        self._input_path = input_path
        self._result_path = result_path
        self._options = dict(invocation_config or {}, name=name, context=context)
        self._llm: LLM | None = None

    def load(self) -> None:
        """Make the client; the first event connects it."""
        from jupyter_graph.steps.llm.llm import LLM

        with telling("invocation_config", TypeError):
            self._llm = LLM(self._model, self._prompt, **self._options)

    async def predict_async(self, body: Any, **kwargs: Any) -> Any:
        assert self._llm is not None  # load comes first
        answer = await self._llm.do(part_of(body, self._input_path))
        return with_part(body, self._result_path, answer)

    def close(self) -> None:
        """Close the connections."""
        if self._llm is not None:
            self._llm.close()
