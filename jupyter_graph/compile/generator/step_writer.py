"""How one step is called: with what, and what becomes of its result."""

from __future__ import annotations

from jupyter_graph.compile.generator.code_writer import Writer
from jupyter_graph.compile.step_code import StepCode
from jupyter_graph.spec.model import StepSpec


class StepWriter(Writer):
    """Writes a step's own part."""

    def _has_call(self, name: str) -> bool:
        """Tell whether a step is called, not just asked for its followers."""
        code = self.codes[name]
        if code.is_class and not code.method:
            return not (code.selects or code.merges or code.collects)
        return True

    def _run_step(
        self,
        name: str,
        depth: int,
        *,
        answered: bool = False,
        variable: str | None = None,
    ) -> None:
        value = variable or self.value
        step, code = self.steps[name], self.codes[name]
        if not self._has_call(name):
            return  # it only picks its followers, or only merges
        ident = self.names[name]
        self.calls[ident] = name
        if code.is_stream:
            self._items(name, depth, answered)
            return
        if code.takes_event:
            call = self._awaited(f"{ident}(event)", code)
            if code.is_storey:
                self._one_of(call, name, depth, answered)
                return
            call = self._or_dropped(call, name, depth, answered)
            is_last = self.graph.engine == "sync" and not self.next[name]
            event = f"event_or_answer({call}, event)"
            if not is_last:
                event = f"same_event({call}, {name!r})"
            self._line(depth, f"event = {event}", name)
            if step.kind == "router":
                self._line(depth, "if event.body is NOTHING:")  # its route dropped it
                self._leave(depth + 1, answered)
            if self.graph.engine == "sync":
                self._line(depth, "if event.terminated:")
                self._line(depth + 1, "return event.body")
            return
        call = self._awaited(f"{ident}({self._given(step, value)})", code)
        call = self._or_dropped(call, name, depth, answered)
        self._line(depth, f"{value} = {self._put(step, value, call)}", name)

    def _given(self, step: StepSpec, value: str) -> str:
        """Return what a step that takes a body is called with."""
        get = "get_path_sync" if self.graph.engine == "sync" else "get_path"
        return f"{get}({value}, {step.input_path!r})" if step.input_path else value

    @staticmethod
    def _put(step: StepSpec, value: str, found: str) -> str:
        path = step.result_path
        return f"put_path({value}, {path!r}, {found})" if path else found

    def _items(self, name: str, depth: int, answered: bool) -> None:
        """Write the call of a step that streams; the body stays what the step got."""
        step, code = self.steps[name], self.codes[name]
        more = "_async" if self.is_async else ""
        ident, is_flow = self.names[name], step.kind == "flow"
        if code.takes_event and not code.is_generator:
            call = self._awaited(f"{ident}(event)", code)
            self._line(depth, "whole = event.body")
            call = self._or_dropped(call, name, depth, answered)
            self._line(depth, f"event = same_event({call}, {name!r})", name)
            self._line(depth, "items, event.body = event.body, whole")
            if not is_flow:
                self._line(depth, f"items = stream{more}(items_of(items), {name!r})")
            return
        if code.takes_event:
            call = f"stream{more}(bodies{more}({ident}(event), {name!r}), {name!r})"
        else:
            call = self._awaited(f"{ident}({self._given(step, self.value)})", code)
            if is_flow:
                call = self._or_dropped(call, name, depth, answered)
            else:
                call = f"stream{more}({call}, {name!r})"
        self._line(depth, f"items = {call}", name)

    def _one_of(self, call: str, name: str, depth: int, answered: bool) -> None:
        """Write the call of a storey step: it gives nothing, an event or several."""
        self._line(depth, f"found = {call}", name)
        self._line(depth, "if found is NOTHING:")
        self._leave(depth + 1, answered)

    def _several_on(self, name: str, depth: int, answered: bool) -> None:
        """Write what goes on after a storey step that gave several events."""
        several = "await several_async" if self.is_async else "several"
        self._line(depth, "if type(found) is Several:")
        if name == self.responder and not answered:
            self._line(depth + 1, "answer = twin(found.first)", name)
            answered = True
        if self.next[name]:
            call = f"{several}(found, {self._each_place(name)}{self.more})"
            self._finish(call, depth + 1, answered)
        else:
            self._leave(depth + 1, answered)
        self._line(depth, "event = found")

    def _or_dropped(self, call: str, name: str, depth: int, answered: bool) -> str:
        """Write that the event ends where its step drops it; give what is left."""
        if not self.codes[name].may_drop:
            return call
        self._line(depth, f"found = {call}", name)
        self._line(depth, "if found is NOTHING:")
        self._leave(depth + 1, answered)
        return "found"

    def _awaited(self, call: str, code: StepCode) -> str:
        return f"await {call}" if code.is_awaited else call
