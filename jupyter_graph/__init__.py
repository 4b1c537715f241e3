"""Real-time serving graphs, in the notebook.

The public names are imported when they are first used, so that ``import
jupyter_graph`` costs next to nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jupyter_graph import errors
    from jupyter_graph.answer.answer import Answer
    from jupyter_graph.answer.response import Response
    from jupyter_graph.deployment.deploy import Deployment, deploy
    from jupyter_graph.event import Event
    from jupyter_graph.picture.plot import plot
    from jupyter_graph.run.context import Context
    from jupyter_graph.run.mock_server import MockServer
    from jupyter_graph.run.runner import Runner
    from jupyter_graph.session.active import notebook
    from jupyter_graph.spec.builder import Graph
    from jupyter_graph.spec.codec import save_graph
    from jupyter_graph.spec.decorator import step
    from jupyter_graph.spec.graph_files import load_graph
    from jupyter_graph.spec.validate import validate

__version__ = "0.1.0"

__all__ = [
    "Answer",
    "Context",
    "Deployment",
    "Event",
    "Graph",
    "MockServer",
    "Response",
    "Runner",
    "StepError",
    "deploy",
    "errors",
    "load_graph",
    "notebook",
    "plot",
    "save_graph",
    "step",
    "validate",
]

_HOMES = {
    "Answer": "answer.answer",
    "Context": "run.context",
    "Deployment": "deployment.deploy",
    "Event": "event",
    "Graph": "spec.builder",
    "MockServer": "run.mock_server",
    "Response": "answer.response",
    "Runner": "run.runner",
    "StepError": "errors",
    "deploy": "deployment.deploy",
    "load_graph": "spec.graph_files",
    "notebook": "session.active",
    "plot": "picture.plot",
    "save_graph": "spec.codec",
    "step": "spec.decorator",
    "validate": "spec.validate",
}


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name == "errors":
        return import_module("jupyter_graph.errors")
    if name not in _HOMES:
        raise AttributeError(f"module 'jupyter_graph' has no attribute {name!r}")
    home = _HOMES[name]
    if is_left_out(home):
        value = stand_in(name)
    else:
        value = getattr(import_module(f"jupyter_graph.{home}"), name)
    globals()[name] = value
    return value


def is_left_out(home: str) -> bool:
    """Return whether a bundle came without a room: what is for notebooks alone."""
    from pathlib import Path

    room = Path(__file__).with_name(home.partition(".")[0])
    return not room.exists() and not room.with_suffix(".py").exists()


def stand_in(name: str) -> type:
    """Return a class in place of a name, which may be imported and not called.

    So a module may import, at its top, what only its use in the notebook needs.
    """
    from jupyter_graph.errors import BundleError

    def refuse(cls: type, *args: Any, **kwargs: Any) -> Any:
        raise BundleError(
            f"jupyter_graph.{name} is for notebooks and scripts, and no part of a "
            "deployed function; call it where no step comes by"
        )

    return type(name, (), {"__new__": refuse, "__module__": "jupyter_graph"})


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])


def load_ipython_extension(ipython: Any) -> None:
    """Register the magics, displays and completions: ``%load_ext jupyter_graph``."""
    from jupyter_graph.magics.extension import load

    load(ipython)


def unload_ipython_extension(ipython: Any) -> None:
    """Take back what loading registered: ``%unload_ext jupyter_graph``."""
    from jupyter_graph.magics.extension import unload

    unload(ipython)


def _jupyter_labextension_paths() -> list[dict[str, str]]:
    return [{"src": "labextension", "dest": "jupyter-graph"}]
