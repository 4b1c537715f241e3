"""How the items of a stream go on, and where they become one body again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from jupyter_graph.compile.generator.code_buffer import Position
from jupyter_graph.compile.generator.module_names import Writer
from jupyter_graph.compile.generator.step_writer import StepWriter


@dataclass(eq=False)
class StreamWriter(Writer):
    """Writes what comes after a step with several results.

    return each(items, after_split, None, None)     # the answer is a stream
    drain(each(items, after_split, None, None))     # no step answers
    return collect(each(...), (list_collect,), end_split, body, parts)

    Attributes:
        go_on_as_body: writes what comes after a step whose result is one body.
    """

    go_on_as_body: Callable[[str, Position], None]

    def go_on(self, name: str, at: Position) -> None:
        """Write that each item of a stream goes on by itself; the function ends so."""
        if self.facts.codes[name].gives_either:
            self._or_one_body(name, at)
        items = self._items(name)
        collectors = self._collectors(name)
        if collectors and self.facts.may_be_collected(name):
            # Inside a stream that is being collected, the items go into that one.
            self.code.line(at, f"if not is_collected({collectors[0]}, parts):")
            self._collect(name, items, collectors, at.inner())
        elif collectors:
            self._collect(name, items, collectors, at)
            return
        if not at.answered and self.facts.responder in self.facts.reached(name):
            self.code.line(at, f"return {items}")
            return
        if at.answered:
            self.code.finish(self.code.stream_helper("drain"), items, at, name)
            return
        self.code.line(at, f"{self.code.helper('drain')}({items})", name)
        self.code.leave(at)

    def _or_one_body(self, name: str, at: Position) -> None:
        """Write what happens where a flow or a wrapper gave one body after all."""
        step, value = self.facts.steps[name], self.code.value
        takes_event = self.facts.codes[name].takes_event
        body = "items" if takes_event else StepWriter.placed(step, value, "items")
        self.code.line(at, "if not is_stream(items):")
        self.code.line(at.inner(), f"{value} = {body}", name)
        self.go_on_as_body(name, at.inner())

    def _items(self, name: str) -> str:
        """Return the stream with all that becomes of its items."""
        step, items, helper = self.facts.steps[name], "items", self.code.stream_helper
        if step.result_path and not self.facts.codes[name].takes_event:
            value, path = self.code.value, step.result_path
            items = f"{helper('placed')}({items}, {value}, {path!r}, {name!r}, twin)"
        if self.facts.next[name]:
            copy = "(twin, noted)" if self.facts.responder == name else "None"
            more = f"{self.code.event}{self.code.more}"
            place = self.functions.per_item(name)
            each, ahead = helper("each"), self.facts.ahead(name)
            if ahead > 1:
                each, more = helper("each_ahead"), f"{self.code.event}, {ahead}"
                more += self.code.more
            items = f"{each}({items}, {place}, {copy}, {more})"
        return items

    def several(self, name: str, at: Position) -> None:
        """Write what goes on after a storey step that gave several events."""
        # if type(found) is Several:
        #     return several(found, after_split, parts)
        # event = found
        inner = at.inner()
        self.code.line(at, "if type(found) is Several:")
        if name == self.facts.responder and not at.answered:
            self.code.line(inner, "answer = twin(found.first)", name)
            inner = inner.after_answer()
        if self.facts.next[name]:
            several = self.code.stream_helper("several")
            args = f"found, {self.functions.per_item(name)}"
            if (ahead := self.facts.ahead(name)) > 1:
                several = self.code.stream_helper("several_ahead")
                args += f", {ahead}"
            self.code.finish(several, f"{args}{self.code.more}", inner)
        else:
            self.code.leave(inner)
        self.code.line(at, "event = found")

    def gather_list(self, name: str, at: Position) -> bool:
        """Write that a list of events becomes one body again, further on.

        Returns:
            whether the text goes on behind it: for a list inside a stream that is being
            collected, whose items go into that one.
        """
        # parts = collection(parts, (all_collect,))
        # return gather_list(found, after_f, (all_collect,), end_f, event, parts)
        line, collectors = self.code.line, self._collectors(name)
        is_more = self.facts.may_be_collected(name)
        inner = at.inner() if is_more else at
        if is_more:
            line(at, f"if not is_collected({collectors[0]}, parts):")
        if name == self.facts.responder and not at.answered:
            line(inner, "answer = twin(first_body(found))", name)
            inner = inner.after_answer()
        place, end = self.functions.per_item(name), self.functions.want("end", name)
        holders = f"({', '.join(collectors)},)"
        line(inner, f"parts = collection(parts, {holders})")
        ahead = f", {self.facts.ahead(name)}" if self.facts.is_async else ""
        args = f"found, {place}, {holders}, {end}, {self.code.it}{ahead}, parts"
        self.code.finish(self.code.stream_helper("gather_list"), args, inner, name)
        if is_more:
            line(at, "if found is NOTHING:")
            self.code.leave(at.inner())
            self.several(name, at)
        return is_more

    # -- collectors -------------------------------------------------------------

    def _collectors(self, stream: str) -> list[str]:
        """Return the identifiers of the steps that collect a stream, in order."""
        steps = self.facts.collectors(stream)
        return [self.names.holder(step, "collect") for step in steps]

    def keep_item(self, name: str, at: Position) -> None:
        """Write that an item of a stream stays with the step that collects them."""
        holder = self.names.holder(name, "collect")
        self.code.line(at, f"if collecting({holder}, {self.code.it}, parts):")
        self.code.leave(at.inner())

    def _collect(
        self, name: str, items: str, collectors: list[str], at: Position
    ) -> None:
        """Write that the items of a stream become one body again, further on."""
        # parts = collection(parts, (list_collect,))
        # return collect(each(...), (list_collect,), end_split, body, parts)
        end = self.functions.want("end", name)
        holders = f"({', '.join(collectors)},)"
        self.code.line(at, f"parts = collection(parts, {holders})")
        args = f"{items}, {holders}, {end}, {self.code.it}, parts"
        collecting = {self.names.holders[one] for one in collectors}
        one_by_one = self.facts.item_path(name) - collecting
        if not at.answered and self.facts.responder in one_by_one:
            until = self.code.stream_helper("until_collected")
            self.code.line(at, f"return {until}({args})")
            return
        self.code.finish(self.code.stream_helper("collect"), args, at, name)

    def end(self, name: str, at: Position) -> None:
        """Write what goes on at the steps that collected a stream."""
        # answer = NOTHING
        # body = collected(list_collect, None, parts)
        # answer = first_of(answer, after_list(body, parts))
        # return answer
        code = self.code
        code.line(at, "answer = NOTHING")
        for holder in self._collectors(name):
            step = self.names.holders[holder]
            body = f"collected({holder}, {code.event}, parts)"
            code.line(at, f"{code.it} = {body}", step)
            is_answer = step == self.facts.responder
            if is_answer:
                code.line(at, f"answer = first_of(answer, twin({code.value}))", step)
            if not self.facts.next[step]:
                continue
            call = code.landed(code.call(self.functions.want("after", step)))
            code.line(at, call if is_answer else f"answer = first_of(answer, {call})")
        code.line(at, "return answer")
