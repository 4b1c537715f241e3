"""What pre-defined steps do: ordinary classes, no base class needed.

``steps.block_table.BLOCKS`` is the whole table: the name a document or a user writes,
and where the class lives.

What the engine looks for in a step class, and asks of it:

``do(self, body)``
    Gives the next body; may be a coroutine (``do_async`` is taken instead where an
    argument is a coroutine function). A generator gives several, each of which
    goes on by itself. ``do_event(self, event)`` takes and gives the whole event.
``may_drop = True``
    Said by the class when ``do`` may give ``types.NOTHING``: the event ends there and
    its caller gets an empty answer (204).
``flush(self, *, end: bool) -> list``
    Gives bodies that the step kept back and that go on now: all of them at the ``end``,
    else those whose time has come. ``flush_every_s`` (seconds, of the instance) asks
    the runner to call it so often.
``select_outlets(self, body)``
    Names the followers that get the body; None or [] mean all. A class that is a choice
    with some arguments only says so: ``selects(arguments) -> bool``, a static method.
``streams(arguments)``, ``prefers_async``
    A static method: whether ``do_event`` gives an event whose body is a generator; and
    whether a router wants ``do_event_async`` wherever the graph is asynchronous.
``resolve_arguments(arguments, find)``
    A static method that fills in the names of classes inside the arguments.
``post_init(self, mode)``, ``close(self)``
    After building, and when the runner closes.
``__init__``
    Gets the arguments of the spec; ``name``, ``context``, ``outlets`` (the names of the
    steps after it) and (a router) ``routes`` too when it asks for them. Wrong values
    are a ``SpecError`` here, not at an event.

A step that remembers something locks it: a synchronous graph may run in many threads.
"""

from __future__ import annotations

from typing import Any

from jupyter_graph.steps.block_table import BLOCKS, load_block

__all__ = [
    "BLOCKS",
    "Model",
    "ModelRouter",
    "ModelSelector",
    "ParallelRun",
    "V2ModelServer",
    "VotingEnsemble",
]


def __getattr__(name: str) -> Any:
    if name not in BLOCKS or not name.isidentifier():
        raise AttributeError(f"module 'jupyter_graph.steps' has no attribute {name!r}")
    return load_block(name)
