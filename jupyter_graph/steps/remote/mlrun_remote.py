"""Remote steps of MLRun that ask an MLRun server, which is not here."""

from __future__ import annotations

from typing import Any, ClassVar

from jupyter_graph.errors import SpecError


class _NeedsMLRun:
    instead: ClassVar[str]

    def __init__(self, **_: Any) -> None:
        raise SpecError(
            f"{type(self).__name__} needs an MLRun server, which is not here; "
            f"{self.instead}"
        )

    def do(self, body: Any) -> Any:
        return body


class MLRunAPIRemoteStep(_NeedsMLRun):
    """MLRun's step that asks MLRun's own API: refused, with what to write instead.

    Raises:
        SpecError: always.

    >>> MLRunAPIRemoteStep(method="GET", path="projects")
    Traceback (most recent call last):
    jupyter_graph.errors.SpecError: MLRunAPIRemoteStep needs an MLRun server, which is \
not here; write RemoteStep with the API's URL as url, and its token as secret_headers \
[JG110]
    """

    instead = (
        "write RemoteStep with the API's URL as url, and its token as secret_headers"
    )


class RemoteFunctionStep(_NeedsMLRun):
    """MLRun's step that looks a function up by name: refused, with what to write.

    Raises:
        SpecError: always.

    >>> RemoteFunctionStep(fn="project/scorer")
    Traceback (most recent call last):
    jupyter_graph.errors.SpecError: RemoteFunctionStep needs an MLRun server, which is \
not here; write RemoteStep with the function's URL as url [JG110]
    """

    instead = "write RemoteStep with the function's URL as url"
