"""What a step's code is like: how it is built and how it is called."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from jupyter_graph.compile.signature_check import Injected
from jupyter_graph.spec.model import StepSpec


@dataclass(frozen=True, slots=True)
class StepCode:
    """A step's code, inspected but not built.

    Attributes:
        step: the step's description.
        code: its function or class.
        method: the method of the class to call; "" = the body passes unchanged.
        takes_event: it is called with the event, not with the body.
        is_async: it must be awaited.
        is_stream: it yields its results one by one.
        either: it yields them, or returns one result: what a call returns tells.
        selects: it picks its followers with ``select_outlets``.
        merges: it waits for all branches of an event.
        may_drop: it may return ``NOTHING``, which ends the event.
        keeps: it may release bodies later, by ``flush`` or of its own accord.
        collects: it makes one list of the items of a stream.
        knows_paths: it looks at input_path and result_path by itself, or, as in MLRun,
            no one does: a user's own step that takes the full event.
        is_storey: it is a step of storey's.
        direct: the kind of storey step whose function is called directly, "" for those
            that storey's own code must run.
        flattens: it is a ``FlatMap`` of storey's, whose list is as good as a stream to
            the steps that collect one.
        on_loop: the graph it belongs to is asynchronous.
        wants: what its constructor, or the function itself, asks to be given.
        takes: the annotation of the body that it is made into, None for none.
    """

    step: StepSpec
    code: Callable[..., Any]
    method: str | None = None
    takes_event: bool = False
    is_async: bool = False
    is_stream: bool = False
    either: bool = False
    selects: bool = False
    merges: bool = False
    may_drop: bool = False
    keeps: bool = False
    collects: bool = False
    knows_paths: bool = False
    is_storey: bool = False
    direct: str = ""
    flattens: bool = False
    on_loop: bool = False
    wants: tuple[Injected, ...] = ()
    takes: Any = None

    @property
    def is_class(self) -> bool:
        """Whether an instance is built and one of its methods called."""
        return inspect.isclass(self.code)

    @property
    def in_thread(self) -> bool:
        """Whether it runs in a thread pool, so that the loop goes on meanwhile."""
        is_sync = not (self.is_async or self.is_stream)
        has_limit = self.step.blocking or self.step.timeout_s is not None
        return self.on_loop and is_sync and has_limit and not self.in_process

    @property
    def in_process(self) -> bool:
        """Whether it runs in processes of its own, its class built in each of them."""
        return self.step.processes is not None

    @property
    def is_called_away(self) -> bool:
        """Whether the loop awaits an answer from another process."""
        return self.in_process and self.on_loop

    @property
    def needs_loop(self) -> bool:
        """Whether the graph must be asynchronous because of this step."""
        step = self.step
        # A thread of its own frees nobody but a loop that goes on meanwhile.
        is_freed = step.blocking and not (self.is_stream or self.in_process)
        return bool(self.is_async or step.batch or step.join_timeout_s or is_freed)

    @property
    def is_generator(self) -> bool:
        """Whether every call returns a generator, not only some of them."""
        gives_one = self.gives_either or hasattr(self.code, "streams")
        return self.is_stream and not gives_one

    @property
    def gives_either(self) -> bool:
        """Whether a call returns a stream of ours, or one result."""
        return self.step.kind == "flow" or self.either

    @property
    def gives_events(self) -> bool:
        """Whether it is a step of storey's, which may send several events on."""
        return self.is_storey and not self.is_stream and bool(self.method)

    @property
    def is_awaited(self) -> bool:
        """Whether a call returns a coroutine."""
        step = self.step
        if self.is_stream or step.kind == "flow":
            return self.is_async and not self.is_generator
        pauses = self.on_loop and bool(step.retries or step.batch or step.concurrency)
        return self.is_async or self.in_thread or self.is_called_away or pauses
