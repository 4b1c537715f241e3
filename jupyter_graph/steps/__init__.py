"""What pre-defined steps do: ordinary classes, no base class needed.

May import ``errors``, ``types`` and ``spec``. ``BLOCKS`` is the whole table: the
name a document or a user writes, and where the class lives.
"""

from __future__ import annotations

from typing import Any

BLOCKS: dict[str, str] = {
    "ChoiceByField": "jupyter_graph.steps.choice:ChoiceByField",
    "Merge": "jupyter_graph.steps.merge:Merge",
    "ModelRouter": "jupyter_graph.steps.router:ModelRouter",
    "V2ModelServer": "jupyter_graph.steps.model_server:V2ModelServer",
    "mlrun.serving.ModelRouter": "jupyter_graph.steps.router:ModelRouter",
    "mlrun.serving.V2ModelServer": "jupyter_graph.steps.model_server:V2ModelServer",
    "mlrun.serving.merger.Merge": "jupyter_graph.steps.merge:Merge",
    "mlrun.serving.routers.ModelRouter": "jupyter_graph.steps.router:ModelRouter",
    "mlrun.serving.steps.ChoiceByField": "jupyter_graph.steps.choice:ChoiceByField",
    "mlrun.serving.v2_serving.V2ModelServer": (
        "jupyter_graph.steps.model_server:V2ModelServer"
    ),
}

__all__ = ["BLOCKS", "ChoiceByField", "Merge", "ModelRouter", "V2ModelServer"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'jupyter_graph.steps' has no attribute {name!r}")
    return load_block(name)


def load_block(name: str) -> Any:
    """Import the class that a block's name stands for."""
    from importlib import import_module

    module, _, attribute = BLOCKS[name].partition(":")
    return getattr(import_module(module), attribute)
