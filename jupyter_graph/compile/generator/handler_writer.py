"""How error handlers stand around the steps that may fail."""

from __future__ import annotations

from collections.abc import Callable

from jupyter_graph.compile.generator.step_writer import StepWriter
from jupyter_graph.spec.model import START, StepSpec


class HandlerWriter(StepWriter):
    """Writes the error handlers of steps, and that of the graph."""

    def _handlers(self) -> set[str]:
        own = {step.on_error for step in self.steps.values() if step.on_error}
        return {*own, *({self.graph.on_error} if self.graph.on_error else set())}

    def _scope(self, emit: Callable[[int], None], name: str) -> None:
        """Put the graph's own error handler, if any, around a function's steps."""
        handler = self.graph.on_error
        if not handler or (name != START and name in self._handlers()):
            emit(1)
            return
        if self.answers_early:
            self._line(1, "answer = NOTHING")
        self._line(1, "try:")
        emit(2)
        self._line(1, "except BaseException as error:")
        names = sorted(self._handlers())
        self._caught(f"caught(error, {names!r})", None, 2)
        self._guarded(
            self.steps[handler], 2, lambda inner: self._run_handler(handler, inner)
        )
        instead = self._handled
        if self.answers_early:
            instead = f"{self.value} if answer is NOTHING else answer"
        self._line(2, f"return {instead}")

    def _run_handler(self, name: str, depth: int, answered: bool = False) -> None:
        self._run_step(name, depth, answered=answered)
        if self.codes[name].gives_events:
            self._line(depth, "found = event = one_of(found)", name)

    @property
    def _handled(self) -> str:
        """What an error handler at the end answers: nothing where no step does."""
        return self.value if self.responder is not None else "NOTHING"

    def _guarded(
        self,
        step: StepSpec,
        depth: int,
        own_part: Callable[[int], None],
        *,
        answered: bool = False,
        falls: bool = False,
        stands_for: str | None = None,
    ) -> None:
        """Write a step's own part, with its error handler around it if it has one.

        Args:
            step: the step.
            depth: how far the text is indented.
            own_part: writes what may fail, at a depth.
            answered: another step before this one has answered.
            falls: where the flow goes on at the same place, the handler's result may
                simply take the place of the step's.
            stands_for: for an error handler's own handler, the step that failed first.
        """
        if not step.on_error:
            own_part(depth)
            return
        handler = self.steps[step.on_error]
        code, targets = self.codes[handler.name], self.next[handler.name]
        self._line(depth, "try:")
        before = len(self.text)
        own_part(depth + 1)
        if len(self.text) == before:
            self._line(depth + 1, "pass")
        self._line(depth, "except BaseException as error:")
        self._caught("caught(error)", step.name, depth + 1)
        falls_too = not (code.selects or code.is_stream)
        self._guarded(
            handler,
            depth + 1,
            lambda inner: self._run_handler(handler.name, inner, answered),
            answered=answered,
            falls=falls_too,
            stands_for=stands_for or step.name,
        )
        comes_again = any(step.name in self._reached(name) for name in targets)
        answers = step.name == self.responder and not comes_again
        stands_in = targets == self.next[step.name] and bool(targets or answers)
        if falls and falls_too and stands_in:
            if self.codes[step.name].gives_events:
                self._line(depth + 1, "found = event")  # one, not several
            return
        if targets:
            if answers:
                self._line(depth + 1, f"answer = twin({self.value})", handler.name)
            on = answered or answers
            self._go_on(
                handler.name,
                targets,
                depth + 1,
                answered=on,
                stands_for=stands_for or step.name,
            )
        else:
            self._line(depth + 1, f"return {'answer' if answered else self._handled}")

    def _caught(self, call: str, origin: str | None, depth: int) -> None:
        if not self.takes_event:
            self._line(depth, call)
            return
        if origin is None:
            self._line(depth, f"event.origin_state = {call}")
        else:
            self._line(depth, call)
            self._line(depth, f"event.origin_state = {origin!r}")
        self._line(depth, "event.error = error")
