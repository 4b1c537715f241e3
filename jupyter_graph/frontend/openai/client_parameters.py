"""Graphs whose functions take what OpenAI's clients send: ``f(body, messages)``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from jupyter_graph.compile.compiled_graph import CompiledGraph, compile_graph
from jupyter_graph.errors import SpecError
from jupyter_graph.frontend.call_parameters import needed_parameters, with_parameters
from jupyter_graph.frontend.endpoint_adapters import EndpointAdapters, method_with_body
from jupyter_graph.frontend.openai.openai_endpoints import OpenAIOptions
from jupyter_graph.spec.builder import Graph
from jupyter_graph.spec.model import GraphSpec, StepSpec

NAMES: Final = frozenset(
    field.destination_path
    for endpoint in OpenAIOptions().table()
    for field in endpoint.input_body_mappings
)
"""What the clients send, by the names of parameters."""


def compile_for_clients(
    graph: Graph | GraphSpec, namespace: Mapping[str, Any] | None = None
) -> tuple[CompiledGraph, bool]:
    """Compile a graph, as behind OpenAI's endpoints where its functions need them.

    Returns:
        the graph, and whether it needs them.

    Raises:
        SpecError: as of ``compile_graph``.

    >>> def answer(body, messages): return messages
    >>> answer.__module__ = "__main__"  # it is no block of ours
    >>> graph = Graph("chat")
    >>> _ = graph.to(name="answer", handler=answer)
    >>> compile_for_clients(graph)[1]
    True
    """
    try:
        return compile_graph(graph, namespace), False
    except SpecError as plain:
        adapters = EndpointAdapters(only=NAMES)
        try:
            return adapters.compile(graph, namespace), True
        except SpecError:
            raise plain from None


def code_for_clients(step: StepSpec, code: Any) -> Any:
    """Return the code of a step as it is behind the endpoints.

    None where it takes nothing that the clients send, or more than they do.
    """
    if step.full_event or not callable(code):
        return None
    method = method_with_body(step, code)
    needed = needed_parameters(code, method) if method else frozenset()
    return with_parameters(code, (method,)) if needed and needed <= NAMES else None
