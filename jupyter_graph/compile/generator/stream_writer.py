"""How the items of a stream go on, and where they become one body again."""

from __future__ import annotations

from jupyter_graph.compile.generator.step_writer import StepWriter
from jupyter_graph.spec.topology import reached


class StreamWriter(StepWriter):
    """Writes what comes after a step that streams."""

    def _stream_on(self, name: str, depth: int, *, answered: bool) -> None:
        """Each item of a stream goes on by itself."""
        step, call = self.steps[name], "items"
        own_path = not self.codes[name].takes_event
        if step.kind == "flow":  # it may have given one body after all
            self._line(depth, "if not is_stream(items):")
            put = self._put(step, self.value, "items") if own_path else "items"
            self._line(depth + 1, f"{self.value} = {put}", name)
            one = self._after(
                name, self.next[name], depth + 1, answered=answered, as_stream=False
            )
            self._in_line(one, depth + 1)
        if step.result_path and own_path:
            placed = "placed_async" if self.is_async else "placed"
            path = step.result_path
            call = f"{placed}({call}, {self.value}, {path!r}, {name!r}, twin)"
        keeps = self.responder == name
        if self.next[name]:
            each = "each_async" if self.is_async else "each"
            kept, event = "twin" if keeps else "None", self._event
            place = self._each_place(name)
            call = f"{each}({call}, {place}, {kept}, {event}{self.more})"
        collectors = self._collectors(name)
        if collectors and self._may_be_collected(name):
            self._line(depth, f"if not is_collected({collectors[0]}, parts):")
            self._collect_all(name, call, collectors, depth + 1, answered)
        elif collectors:
            self._collect_all(name, call, collectors, depth, answered)
            return
        if not answered and self.responder in self._reached(name):
            self._line(depth, f"return {call}")
            return
        drain = "await drain_async" if self.is_async else "drain"
        self._line(depth, f"{drain}({call})", name)
        self._leave(depth, answered)

    def _collect(self, name: str, depth: int, *, answered: bool) -> None:
        """Write that an item of a stream stays with the step that collects them."""
        ident = self.names[name]
        self.holders[f"{ident}_collect"] = name
        self._line(depth, f"if collecting({ident}_collect, {self.it}, parts):")
        self._leave(depth + 1, answered)

    def _collect_all(
        self, name: str, items: str, collectors: list[str], depth: int, answered: bool
    ) -> None:
        """The items of a stream become one body again, further on."""
        end = self._want("end", name)
        holders = f"({', '.join(collectors)},)"
        self._line(depth, f"parts = collection(parts, {holders})")
        args = f"{items}, {holders}, {end}, {self.it}, parts"
        one_by_one = self._one_by_one(name) - {self.holders[one] for one in collectors}
        if not answered and self.responder in one_by_one:
            until = "until_collected_async" if self.is_async else "until_collected"
            self._line(depth, f"return {until}({args})")
            return
        collect = "await collect_async" if self.is_async else "collect"
        self._finish(f"{collect}({args})", depth, answered, name)

    def _end(self, name: str, depth: int) -> None:
        """Write what goes on at the steps that collected a stream."""
        self._line(depth, "answer = NOTHING")
        for holder in self._collectors(name):
            one = self.holders[holder]
            given = f"{self.it} = collected({holder}, {self._event}, parts)"
            self._line(depth, given, one)
            if one == self.responder:
                answer = f"first_of(answer, twin({self.value}))"
                self._line(depth, f"answer = {answer}", one)
            if not self.next[one]:
                continue
            call = self._landed(self._call(self._want("after", one)))
            if one == self.responder:
                self._line(depth, call)
            else:
                self._line(depth, f"answer = first_of(answer, {call})")
        self._line(depth, "return answer")

    def _collectors(self, name: str) -> list[str]:
        """Return the holders of the steps that collect a stream, in order."""
        after = self._one_by_one(name) - {name}
        found = [one for one in self.order if one in after and self.codes[one].collects]
        holders = [f"{self.names[one]}_collect" for one in found]
        self.holders |= dict(zip(holders, found, strict=True))
        return holders

    def _one_by_one(self, name: str) -> set[str]:
        """Return the steps that items of a stream come to, the collecting ones last."""
        ways = {
            one: () if one in self.codes and self.codes[one].collects else targets
            for one, targets in self.next.items()
        }
        return reached(name, ways)

    def _may_be_collected(self, name: str) -> bool:
        """Tell whether another stream may be under way to the same collectors."""
        collectors = [one for one, code in self.codes.items() if code.collects]
        behind = any(
            name in self._reached(one) for one in collectors if one in self.next
        )
        return bool(self.ways.get(name)) or behind
