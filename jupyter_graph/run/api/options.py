"""The front that the options of a server ask for."""

from __future__ import annotations

from typing import Any

from jupyter_graph.run.api.documents import api_handler_config
from jupyter_graph.run.api.front import Front
from jupyter_graph.run.api.handler import ApiFront
from jupyter_graph.run.api.openai import openai_frontend
from jupyter_graph.run.api.openai_front import OpenAIFront


def front_of(api_handler: Any = None, openai: Any = None) -> Front | None:
    """Give the front that options ask for, None where they ask for none.

    Args:
        api_handler: an ``ApiHandlerConfig``, its document, or None.
        openai: True, a list of groups, ``{"endpoints", "prefix"}``, or None.

    Raises:
        SpecError: an option is wrong; all problems are listed.

    >>> front_of() is None, type(front_of(openai=True)).__name__
    (True, 'OpenAIFront')
    """
    options = openai_frontend(openai)
    is_there = api_handler not in (None, False, {})
    config = api_handler_config(api_handler) if is_there else None
    if options is not None:
        return OpenAIFront(options, config)
    return ApiFront(config) if config is not None and config.enabled else None
