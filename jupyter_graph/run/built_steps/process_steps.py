"""Steps in processes of their own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from jupyter_graph.compile.failing_step import DRIVERS
from jupyter_graph.compile.runtime.event_paths import same_event
from jupyter_graph.compile.step_code import StepCode
from jupyter_graph.processes.process_pool import WorkerPool
from jupyter_graph.processes.transport import Deferred, Reply
from jupyter_graph.run.context import Context

Call = Callable[..., Any]
DRIVERS.add(__file__)


class InProcesses:
    """A step that is built in each of its processes, and called in one of them.

    A call that takes longer than the step's time, or than an event may take, ends its
    process; so does the user's stop. What the process prints is forwarded here.

    Args:
        code: the step; its function or class must be able to travel.
        arguments: of the constructor, or of the function besides the body.
        context: the step's surroundings.
        build: makes, in the process, what is called there, of these three.

    Raises:
        SpecError: code or arguments cannot travel.
        BaseException: whatever the constructor raised in there.
    """

    def __init__(
        self,
        code: StepCode,
        arguments: Mapping[str, Any],
        context: Context,
        build: Callable[[StepCode, Mapping[str, Any], Context], Call],
    ) -> None:
        most = code.step.processes
        assert most is not None
        self._code = code
        self._name, self._limit_s = code.step.name, code.step.timeout_s
        there = replace(code, step=replace(code.step, processes=None), on_loop=False)
        step = Deferred(build, there, arguments, context.elsewhere())
        self._processes = WorkerPool({self._name: step}, most, "step", context)
        # To close ends them when they have done what they are at, to kill does so now.
        self.close, self.kill = self._processes.close, self._processes.kill
        self._processes.start()

    @property
    def call(self) -> Call:
        """What is called with a body or event: a coroutine in asynchronous graphs."""
        return self._call_async if self._code.is_called_away else self._call

    def _call(self, it: Any) -> Any:
        call = self._processes.submit(self._name, it, limit_s=self._limit_s)
        try:
            reply = call.result()
        except BaseException:  # the user's stop, or the deadline of the event
            self._processes.end(call)
            raise
        return self._received(reply, it)

    async def _call_async(self, it: Any) -> Any:
        call = self._processes.submit(self._name, it, limit_s=self._limit_s)
        return self._received(await call.awaited(), it)

    def _received(self, reply: Reply, it: Any) -> Any:
        value = reply.result()
        if not self._code.takes_event:
            return value
        it.take(same_event(value, self._name, it))
        return it
