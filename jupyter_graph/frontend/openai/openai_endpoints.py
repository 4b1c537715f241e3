"""The endpoints of OpenAI's API that a graph can answer, in MLRun's words.

Source: https://platform.openai.com/docs/api-reference, and MLRun 1.12's
``set_openai_frontend``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from jupyter_graph.errors import SpecError, did_you_mean
from jupyter_graph.frontend.endpoints import Endpoint, FieldMapping
from jupyter_graph.frontend.handler_config import unknown_fields

CHAT: Final = "/chat/completions"
RESPONSES: Final = "/responses"


def _fields(mandatory: str, optional: str = "") -> tuple[FieldMapping, ...]:
    return tuple(
        FieldMapping(f"$.{name}", name, mandatory=names is mandatory)
        for names in (mandatory, optional)
        for name in names.split()
    )


_LIST: Final = _fields("data first_id has_more last_id object")
_COMPLETION: Final = _fields("id choices created model object", "service_tier usage")
_RESPONSE: Final = _fields(
    "id created_at error incomplete_details instructions metadata model object output "
    "parallel_tool_calls temperature tool_choice tools top_p",
    "background completed_at conversation max_output_tokens max_tool_calls output_text "
    "previous_response_id prompt prompt_cache_key prompt_cache_retention reasoning "
    "safety_identifier service_tier status text top_logprobs truncation usage store",
)
_TO_CHAT: Final = _fields(
    "messages model",
    "audio frequency_penalty logit_bias logprobs max_completion_tokens metadata "
    "modalities n parallel_tool_calls prediction presence_penalty prompt_cache_key "
    "prompt_cache_retention reasoning_effort response_format safety_identifier "
    "service_tier stop store stream stream_options temperature tool_choice tools "
    "top_logprobs top_p verbosity web_search_options",
)
_TO_RESPOND: Final = _fields(
    "",
    "background context_management conversation include input instructions "
    "max_output_tokens max_tool_calls metadata model parallel_tool_calls "
    "previous_response_id prompt prompt_cache_key prompt_cache_retention reasoning "
    "safety_identifier service_tier store stream stream_options temperature text "
    "tool_choice tools top_logprobs top_p truncation",
)
_TO_COUNT: Final = _fields(
    "",
    "conversation input instructions model parallel_tool_calls previous_response_id "
    "reasoning text tool_choice tools truncation",
)
_TO_COMPACT: Final = _fields(
    "model",
    "input instructions previous_response_id prompt_cache_key prompt_cache_retention "
    "service_tier",
)

_Row = tuple[str, str, tuple[FieldMapping, ...], tuple[FieldMapping, ...]]
GROUPS: Final[Mapping[str, tuple[_Row, ...]]] = {
    "responses": (
        ("POST", "", _TO_RESPOND, _RESPONSE),
        ("GET", "/{response_id}", (), _RESPONSE),
        ("DELETE", "/{response_id}", (), ()),
        ("GET", "/{response_id}/input_items", (), _LIST),
        ("POST", "/input_tokens", _TO_COUNT, _fields("input_tokens object")),
        ("POST", "/{response_id}/cancel", (), _RESPONSE),
        ("POST", "/compact", _TO_COMPACT, _fields("id object created_at output usage")),
    ),
    "chat_completions": (
        ("POST", "", _TO_CHAT, _COMPLETION),
        ("GET", "/{completion_id}", (), _COMPLETION),
        ("POST", "/{completion_id}", _fields("metadata"), _COMPLETION),
        ("DELETE", "/{completion_id}", (), _fields("id deleted object")),
        ("GET", "", (), _LIST),
        ("GET", "/{completion_id}/messages", (), _LIST),
    ),
}
"""Group to its endpoints: method, path below the group's, input, output."""

_BELOW: Final = {"responses": RESPONSES, "chat_completions": CHAT}


@dataclass(frozen=True, slots=True)
class OpenAIOptions:
    """Which of OpenAI's endpoints a function has, and below which path.

    Args:
        endpoints: ``responses``, ``chat_completions``; None = both.
        prefix: what stands before every path, such as ``/v1``.

    Raises:
        SpecError: a group is unknown, or the prefix is no path.

    >>> options = OpenAIOptions(("chat_completions",), prefix="/v1")
    >>> options.table()[0].key
    'POST:/v1/chat/completions'
    """

    endpoints: tuple[str, ...] | None = None
    prefix: str | None = None

    def __post_init__(self) -> None:
        problems = []
        for name in self.groups:
            if name not in GROUPS:
                near = did_you_mean(name, GROUPS) or f" (known: {', '.join(GROUPS)})"
                problems.append(f"unknown OpenAI endpoints {name!r}{near}")
        prefix, what = self.prefix, "the prefix of OpenAI's paths"
        is_path = isinstance(prefix, str) and prefix.startswith("/")
        if prefix is not None and not is_path:
            problems.append(f"{what} starts with /, got {prefix!r}")
        elif prefix and not {"*", "{", "}", "?"}.isdisjoint(prefix):
            problems.append(f"{what} is plain, got {prefix!r}")
        SpecError.raise_all("invalid OpenAI front end", problems)

    @property
    def groups(self) -> tuple[str, ...]:
        """The groups of endpoints that are there."""
        return tuple(GROUPS) if self.endpoints is None else self.endpoints

    def table(self) -> tuple[Endpoint, ...]:
        """Return the endpoints, with the mappings that MLRun gives them."""
        prefix = self.prefix or ""
        return tuple(
            Endpoint(
                f"{prefix}{_BELOW[group]}{below}",
                method,
                input_body_mappings=takes,
                output_body_mappings=gives,
            )
            for group in self.groups
            for method, below, takes, gives in GROUPS[group]
        )


def openai_options(options: Any) -> OpenAIOptions | None:
    """Return the options of an OpenAI front end, None where none is asked for.

    Args:
        options: True (all endpoints, no prefix), a list of groups, or
            ``{"endpoints": [...], "prefix": "/v1"}``.

    Raises:
        SpecError: the options are none of these, or a value is wrong.

    >>> openai_options({"prefix": "/v1"}).groups
    ('responses', 'chat_completions')
    """
    if options is None or options is False or isinstance(options, OpenAIOptions):
        return options or None
    if options is True:
        return OpenAIOptions()
    if isinstance(options, Mapping):
        where, known = "the OpenAI front end", ("endpoints", "prefix")
        problems = unknown_fields(options, known, where)
        SpecError.raise_all("invalid OpenAI front end", problems)
        return OpenAIOptions(_groups(options.get("endpoints")), options.get("prefix"))
    return OpenAIOptions(_groups(options))


def _groups(value: Any) -> tuple[str, ...] | None:
    if value is None:
        return None
    names = [value] if isinstance(value, str) else value
    if isinstance(names, Iterable):
        groups = tuple(names)
        if all(isinstance(name, str) for name in groups):
            return tuple(str(getattr(name, "value", name)) for name in groups)
    raise SpecError(
        "the OpenAI front end is true, a list of "
        f"{' and '.join(map(repr, GROUPS))}, or an object with 'endpoints' and "
        f"'prefix', got {value!r}"
    )
