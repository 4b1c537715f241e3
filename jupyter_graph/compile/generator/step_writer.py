"""How one step is called: with what, and what becomes of its result."""

from __future__ import annotations

from jupyter_graph.compile.generator.code_buffer import Position
from jupyter_graph.compile.generator.module_names import Writer
from jupyter_graph.compile.step_code import StepCode
from jupyter_graph.spec.model import StepSpec


class StepWriter(Writer):
    """Writes a step's own line.

    body = double(body)
    body = put_path(body, 'price', convert(get_path(body, 'amount')))
    event = same_event(enrich(event), 'enrich', event)
    items = stream(split(body), 'split')
    """

    def write(self, name: str, at: Position, variable: str | None = None) -> None:
        """Write the call of a step.

        Args:
            name: the step.
            at: where.
            variable: holds the body; None = the function's own.
        """
        if not self.facts.is_called(name):
            return  # it only picks its followers, or only merges
        step, code = self.facts.steps[name], self.facts.codes[name]
        ident = self.names.call(name)
        if code.is_stream:
            self._items(step, code, ident, at)
        elif code.takes_event:
            self._event(step, code, _awaited(f"{ident}(event)", code), at)
        else:
            value = variable or self.code.value
            call = _awaited(f"{ident}({self._argument(step, value)})", code)
            call = self._unless_dropped(call, code, at)
            self.code.line(at, f"{value} = {self.placed(step, value, call)}", name)

    def _event(self, step: StepSpec, code: StepCode, call: str, at: Position) -> None:
        name, line = step.name, self.code.line
        if code.is_storey:  # it gives nothing, an event or several
            if self.facts.gives_list(name):
                line(at, f"found = {call}", name)  # nothing is a list, an empty one
            else:
                self.code.leave_if_dropped(call, name, at)
            return
        call = self._unless_dropped(call, code, at)
        if self.facts.is_sync_engine and not self.facts.next[name]:
            call = f"event_or_answer({call}, event)"
        else:
            call = f"same_event({call}, {name!r}, event)"
        line(at, f"event = {call}", name)
        if step.kind == "router":
            line(at, "if event.body is NOTHING:")  # its route dropped it
            self.code.leave(at.inner())
        if self.facts.is_sync_engine:
            line(at, "if event.terminated:")
            line(at.inner(), "return event.body")

    def _items(self, step: StepSpec, code: StepCode, ident: str, at: Position) -> None:
        """Write the call of a step that streams; the body stays what the step got."""
        name, is_flow = step.name, code.gives_either
        stream = self.code.stream_helper("stream")
        if not code.takes_event:
            argument = self._argument(step, self.code.value)
            call = _awaited(f"{ident}({argument})", code)
            if is_flow:  # its own steps, or its call, have made a stream of ours
                call = self._unless_dropped(call, code, at)
            else:
                call = f"{stream}({call}, {name!r})"
            self.code.line(at, f"items = {call}", name)
        elif code.is_generator:
            bodies = self.code.stream_helper("bodies")
            call = f"{bodies}({ident}(event), {name!r})"
            self.code.line(at, f"items = {stream}({call}, {name!r})", name)
        else:
            # It gives the event back, with the stream as its body:
            #     whole = event.body
            #     event = same_event(a(event), 'a', event)
            #     items, event.body = event.body, whole
            call = _awaited(f"{ident}(event)", code)
            self.code.line(at, "whole = event.body")
            call = self._unless_dropped(call, code, at)
            self.code.line(at, f"event = same_event({call}, {name!r}, event)", name)
            self.code.line(at, "items, event.body = event.body, whole")
            if not is_flow:
                self.code.line(at, f"items = {stream}(items_of(items), {name!r})")

    def _unless_dropped(self, call: str, code: StepCode, at: Position) -> str:
        """Write that the event ends where its step drops it; return what is left."""
        if not code.may_drop:
            return call
        self.code.leave_if_dropped(call, code.step.name, at)
        return "found"

    def _argument(self, step: StepSpec, value: str) -> str:
        """Return what a step that takes a body is called with."""
        get = "get_path_sync" if self.facts.is_sync_engine else "get_path"
        return f"{get}({value}, {step.input_path!r})" if step.input_path else value

    @staticmethod
    def placed(step: StepSpec, value: str, result: str) -> str:
        """Return a step's result, put into the body where it has a ``result_path``."""
        path = step.result_path
        return f"put_path({value}, {path!r}, {result})" if path else result


def _awaited(call: str, code: StepCode) -> str:
    return f"await {call}" if code.is_awaited else call
