"""How error handlers stand around the steps that may fail."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from jupyter_graph.compile.generator.code_buffer import BODY, Position
from jupyter_graph.compile.generator.module_names import Writer
from jupyter_graph.compile.generator.step_writer import StepWriter
from jupyter_graph.spec.model import START, StepSpec

Write: TypeAlias = Callable[[Position], None]


@dataclass(eq=False)
class HandlerWriter(Writer):
    """Writes ``try`` and ``except`` around steps, and around whole functions.

    A handler that reraises ends in ``raise``, which leaves the traceback as it was: the
    failing step is read from it.

    try:
        body = risky(body)
    except BaseException as error:
        caught(error)
        body = mend(body)

    Attributes:
        steps: writes the handlers' own lines.
        go_on: writes what comes after a handler, which stands for the third: the step
            that failed.
    """

    steps: StepWriter
    go_on: Callable[[str, Position, str], None]

    def scope(self, write: Write, name: str) -> None:
        """Put the graph's own error handler, if any, around a function's steps.

        Args:
            write: writes the steps.
            name: the step that the function is about.
        """
        # try:
        #     event = same_event(a(event), 'a', event)
        #     return event.body
        # except BaseException as error:
        #     event.origin_state = caught(error, ['mend'])
        #     event.error = error
        #     event = same_event(mend(event), 'mend', event)
        #     return event.body
        handler, line = self.facts.graph.on_error, self.code.line
        handlers = self.facts.handlers()
        if not handler or (name != START and name in handlers):
            write(BODY)
            return
        inner = BODY.inner()
        line(BODY, "try:")
        write(inner)
        line(BODY, "except BaseException as error:")
        self._note_error(f"caught(error, {sorted(handlers)!r})", None, inner)
        self.guard(self.facts.steps[handler], lambda at: self._run(handler, at), inner)
        if self.facts.steps[handler].reraise:
            line(inner, "raise")
            return
        line(inner, f"return {self._handled}")

    def guard(
        self,
        step: StepSpec,
        write: Write,
        at: Position,
        *,
        falls: bool = False,
        stands_for: str | None = None,
    ) -> None:
        """Write a step's own part, with its error handler around it if it has one.

        Args:
            step: the step.
            write: writes what may fail.
            at: where.
            falls: where the flow goes on at the same place, the handler's result may
                simply take the place of the step's.
            stands_for: for an error handler's own handler, the step that failed first.
        """
        if not step.on_error:
            write(at)
            return
        code, inner = self.code, at.inner()
        handler = self.facts.steps[step.on_error]
        code.line(at, "try:")
        before = len(code.text)
        write(inner)
        if len(code.text) == before:
            code.line(inner, "pass")
        code.line(at, "except BaseException as error:")
        self._note_error("caught(error)", step.name, inner)
        of_handler = self.facts.codes[handler.name]
        handler_falls = not (of_handler.selects or of_handler.is_stream)
        stands_for = stands_for or step.name
        self.guard(
            handler,
            lambda here: self._run(handler.name, here),
            inner,
            falls=handler_falls,
            stands_for=stands_for,
        )
        if handler.reraise:
            code.line(inner, "raise")
            return
        if step.reraise:  # what failed first is raised where this handler stands
            return
        may_fall = falls and handler_falls
        self._after_handler(step, handler.name, inner, may_fall, stands_for)

    def _after_handler(
        self,
        step: StepSpec,
        handler: str,
        at: Position,
        may_fall: bool,
        stands_for: str,
    ) -> None:
        """Write what comes after an error handler, where it does not fall through."""
        facts, code = self.facts, self.code
        targets = facts.next[handler]
        # The handler of the step that answers answers in its place, unless that step
        # still comes after it.
        comes_again = any(step.name in facts.reached(name) for name in targets)
        answers = step.name == facts.responder and not comes_again
        stands_in = targets == facts.next[step.name] and bool(targets or answers)
        if may_fall and stands_in:
            if facts.codes[step.name].gives_events:
                code.line(at, "found = event")  # one, not several
        elif targets:
            if answers:
                code.line(at, f"answer = twin({code.value})", handler)
            self.go_on(handler, at.after_answer(answers), stands_for)
        else:
            code.line(at, f"return {'answer' if at.answered else self._handled}")

    def _run(self, name: str, at: Position) -> None:
        self.steps.write(name, at)
        if self.facts.codes[name].gives_events:
            self.code.line(at, "found = event = one_of(found)", name)

    @property
    def _handled(self) -> str:
        """What an error handler at the end answers: nothing where no step does."""
        return self.code.value if self.facts.responder is not None else "NOTHING"

    def _note_error(self, caught: str, origin: str | None, at: Position) -> None:
        """Write what a handler reads from its event: the error, and whose it is."""
        takes_event = self.facts.takes_event
        if origin or not takes_event:
            self.code.line(at, caught)
        if takes_event:
            name = repr(origin) if origin else caught
            self.code.line(at, f"event.origin_state = {name}")
            self.code.line(at, "event.error = error")
