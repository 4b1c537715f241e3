"""Which front end a function's options ask for."""

from __future__ import annotations

from typing import Any, Final

from jupyter_graph.frontend.interface import Frontend

OPENAI: Final = {"prefix": "/v1"}
"""OpenAI's endpoints where its clients look for them."""


def make_frontend(api_handler: Any = None, openai: Any = None) -> Frontend | None:
    """Return the front end that options ask for, None where they ask for none.

    Args:
        api_handler: an ``ApiHandlerConfig``, its document, or None.
        openai: True, a list of groups, ``{"endpoints", "prefix"}``, or None.

    Raises:
        SpecError: an option is wrong; all problems are listed.

    >>> make_frontend() is None, type(make_frontend(openai=True)).__name__
    (True, 'OpenAIFrontend')
    """
    if api_handler is None and openai is None:
        return None
    # Most functions have no front end and start without reading its modules.
    from jupyter_graph.frontend.api_handler import ApiFrontend
    from jupyter_graph.frontend.handler_config import api_handler_config
    from jupyter_graph.frontend.openai.openai_endpoints import openai_options
    from jupyter_graph.frontend.openai.openai_frontend import OpenAIFrontend

    options = openai_options(openai)
    is_given = api_handler not in (None, False, {})
    config = api_handler_config(api_handler) if is_given else None
    if options is not None:
        return OpenAIFrontend(options, config)
    return ApiFrontend(config) if config is not None and config.enabled else None
