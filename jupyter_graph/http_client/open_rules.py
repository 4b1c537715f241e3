"""The rules for sources, targets and downloads: all but metadata addresses."""

from __future__ import annotations

from jupyter_graph.http_client.host_rules import HostRules
from jupyter_graph.http_client.urls import sent_url, without_user

OPEN_RULES = HostRules(None, allow_local=True)
"""Everything but link-local, metadata and reserved addresses may be called."""


def check_url(url: str) -> None:
    """Check the URL of a source, a target or a download, as it would be sent.

    Raises:
        AccessDeniedError: its host may not be called.
    """
    OPEN_RULES.check_url(without_user(sent_url(url)))
