"""What a graph does with one event, as plainly as it can be said."""

import copy
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from jupyter_graph.types import NOTHING
from tests.run.twin.calls import Calls
from tests.run.twin.graph import START, Drawn, Node
from tests.run.twin.outcomes import Back, Failed, Items, Several, given


class Walk(Calls):
    """One event's way."""

    def run(self, body: Any) -> Any:
        answer = self.landed(self.go_on(START, body))
        return self.without_the_missing(answer, self.graph.order)

    # -- from step to step ----------------------------------------------------------

    def go_on(
        self,
        source: str,
        body: Any,
        targets: tuple[str, ...] | None = None,
        failed: str | None = None,
    ) -> Any:
        """Give the first answer of the branches; raise the first failure of all.

        A branch that does not lead to the answer fails the event only where there is
        none.
        """
        targets = self.graph.ahead[source] if targets is None else targets
        bodies = [body, *(copy.deepcopy(body) for _ in targets[1:])]
        answer, failure, beside, later = NOTHING, None, None, []
        for target, twin in zip(targets, bodies, strict=False):
            try:
                if (source, target) in self.graph.back:
                    found: Any = Back(source, target, twin, failed)
                else:
                    found = self.reach(source, target, twin, failed)
            except Failed as error:
                if self.graph.leads(target):
                    failure = failure or error
                else:
                    beside = beside or error
                continue
            later += [found] if isinstance(found, Back) else []
            answer = found if answer is NOTHING and found not in later else answer
        if failure:
            raise failure
        if len(later) == 1 and answer is NOTHING:
            return later[0]
        for back in later:
            found = self.landed(back)
            answer = found if answer is NOTHING else answer
        if beside and answer is NOTHING:
            raise beside
        return answer

    def landed(self, found: Any) -> Any:
        while isinstance(found, Back):
            found = self.reach(*found.reaches)
        return found

    def reach(self, source: str, name: str, body: Any, failed: str | None) -> Any:
        """Come to a step from one before it, or from the handler of a failed one."""
        node = self.graph.nodes[name]
        if self.graph.waits(name) and len(node.after) > 1:
            body = self.arrived(node, source, body, failed)
        return NOTHING if body is NOTHING else self.at(node, body)

    def at(self, node: Node, body: Any) -> Any:
        return self.safe(body, lambda: self.through(node, body))

    def through(self, node: Node, body: Any) -> Any:
        """Call a step and go on after it."""
        targets = self.graph.ahead[node.name]

        def own_part() -> tuple[Any, tuple[str, ...]]:
            self.count(node)
            found = self.called(node, body)
            picks = bool(node.on_error and targets)
            return found, self.picked(node, found) if picks else targets

        (found, targets), goes_on = self.guarded(node, body, own_part)
        if not goes_on or found is NOTHING:
            return found
        if isinstance(found, Items):
            return self.streamed(node, found.items)
        if isinstance(found, Several) and len(found) != 1:
            return self.sent_on(node, found)
        [found] = found if isinstance(found, Several) else [found]
        if node.name in self.lists:
            self.lists[node.name].append(found)
            return NOTHING
        return self.after(node, found, targets)

    def after(self, node: Node, found: Any, targets: tuple[str, ...]) -> Any:
        def on() -> Any:
            picked = targets
            if targets and targets == self.graph.ahead[node.name] and not node.on_error:
                picked = self.picked(node, found)
            return self.go_on(node.name, found, picked) if targets else NOTHING

        if node.name != self.graph.responder:
            return on()
        answer = self.ended(copy.deepcopy(found))
        self.beside(lambda: self.safe(found, lambda: self.landed(on())))
        return answer

    # -- errors ---------------------------------------------------------------------

    def guarded(
        self, node: Node, body: Any, call: Callable[[], Any], first: str | None = None
    ) -> tuple[Any, bool]:
        """Give what a step gives, or its handler, and whether it goes on from there."""
        try:
            return call(), True
        except Failed:
            if node.on_error is None:
                raise
        handler, first = self.graph.nodes[node.on_error], first or node.name
        before = self.graph.ahead[handler.name]
        own = self.graph.ahead[node.name]
        (found, _), goes_on = self.guarded(
            handler, body, lambda: (self.called(handler, body), before), first
        )
        if not goes_on:
            return (found, ()), False
        again = any(node.name in self.graph.reached(name) for name in before)
        answers = node.name == self.graph.responder and not again
        stands_in = node.kind not in ("choice", "field") and not node.streams
        if stands_in and before == own and (before or answers):
            return (found, own), True
        if not before:
            return (self.handled(found), ()), False
        if not answers:
            return (self.go_on(handler.name, found, before, first), ()), False
        answer = self.ended(copy.deepcopy(found))
        self.beside(lambda: self.landed(self.go_on(handler.name, found, before, first)))
        return (answer, ()), False

    def beside(self, call: Callable[[], Any]) -> None:
        """Go on after the answer, which a failure there leaves as it is."""
        try:
            call()
        except Failed:
            return

    def handled(self, found: Any) -> Any:
        return self.ended(found) if self.graph.responder else NOTHING

    def safe(self, body: Any, call: Callable[[], Any]) -> Any:
        """Let the graph's own error handler answer where steps fail."""
        try:
            return call()
        except Failed as failed:
            handler = self.graph.on_error
            if handler is None or failed.step in self.graph.handlers:
                raise
        return self.handled(self.called(self.graph.nodes[handler], body))

    # -- branches that come together --------------------------------------------------

    def arrived(self, node: Node, source: str, body: Any, failed: str | None) -> Any:
        """Keep a branch's part; give what goes on, ``NOTHING`` while others miss."""
        if node.name in self.joined:
            return NOTHING
        ended = self.graph.reached(failed) if failed else {source}
        slots = [slot for slot in node.after if slot in ended] or [source]
        parts = self.kept.setdefault(node.name, {})
        parts |= dict.fromkeys(slots, NOTHING) | {slots[0]: body}
        is_enough = node.join == "any" or (
            node.join == "first" and node.after[0] in slots
        )
        if is_enough:
            parts = {slots[0]: body}
        elif len(parts) < len(node.after):
            return NOTHING
        return self.together(node, parts)

    def together(self, node: Node, parts: dict[str, Any]) -> Any:
        self.kept.pop(node.name, None)
        if node.join:
            self.joined.add(node.name)
        inside = {slot: parts[slot] for slot in node.after if slot in parts} | parts
        came = [part for part in inside.values() if part is not NOTHING]
        return came if node.join in (None, "all") else came[0]

    def without_the_missing(self, answer: Any, names: list[str]) -> Any:
        """Go on at the joins that some branches did not come to."""
        for name in names:
            parts, node = self.kept.get(name, {}), self.graph.nodes[name]
            if not node.join or not parts:
                continue
            last = [part for part in parts.values() if part is not NOTHING][-1]
            on = partial(self.safe, last, partial(self.completed, node, last))
            if not self.graph.leads(name):
                self.beside(lambda on=on: self.landed(on()))
                continue
            found = self.landed(on())
            answer = found if answer is NOTHING else answer
        return answer

    def completed(self, node: Node, last: Any) -> Any:
        def complete() -> tuple[Any, tuple[str, ...]]:
            parts = self.kept[node.name]
            if node.join == "all" and node.missing == "error":
                self.together(node, parts)
                raise self.failure(node.name, "RunError")
            absent = dict.fromkeys(node.after)
            is_null = node.join == "all" and node.missing == "null"
            return self.together(node, {**absent, **parts} if is_null else parts), ()

        (found, _), goes_on = self.guarded(node, last, complete)
        return self.at(node, found) if goes_on else found

    # -- streams --------------------------------------------------------------------

    def streamed(self, node: Node, items: Iterator[Any]) -> Any:
        keeps = node.name == self.graph.responder
        passed = self.graph.reached(node.name, through_collectors=False)
        lists = [n for n in passed if self.graph.nodes[n].kind == "collector"]
        flow = self.each(node, items, keeps) if self.graph.ahead[node.name] else items
        if lists and lists[0] not in self.lists:
            inside = [name for name in self.graph.order if name in lists]
            if self.graph.responder in passed - set(lists):
                return Items(self.until_collected(flow, inside))
            for _ in self.collecting(flow, inside):
                pass
            return self.collected(inside)
        if self.graph.responder in self.graph.reached(node.name):
            return Items(flow)
        for _ in flow:
            pass
        return NOTHING

    def collecting(self, flow: Iterator[Any], lists: list[str]) -> Iterator[Any]:
        self.lists |= {name: [] for name in lists}
        try:
            yield from flow
        except BaseException:
            for name in lists:
                del self.lists[name]
            raise

    def collected(self, lists: list[str]) -> Any:
        """Go on with the list of all items, at each step that collects them."""
        answer = NOTHING
        for name in lists:
            kept = self.lists.pop(name)
            body = kept[0] if len(kept) == 1 else kept
            whole = copy.deepcopy(body)
            found = self.landed(self.go_on(name, body))
            found = self.ended(whole) if name == self.graph.responder else found
            answer = found if answer is NOTHING else answer
        return answer

    def until_collected(self, flow: Iterator[Any], lists: list[str]) -> Iterator[Any]:
        yield from self.collecting(flow, lists)
        yield from given(self.collected(lists))

    def each(self, node: Node, items: Iterator[Any], keeps: bool) -> Iterator[Any]:
        """Take each item on by itself; give what comes of it."""
        inside = self.graph.inside(node.name)
        for item in items:
            kept = copy.deepcopy(item)
            if keeps:
                self.beside(lambda item=item: self.item(node, item, inside))
                yield kept
            else:
                yield from given(self.item(node, item, inside))

    def item(self, node: Node, item: Any, inside: list[str]) -> Any:
        """Take one item on; what waits inside its stream waits for it alone."""
        answer = self.landed(self.go_on(node.name, item))
        answer = self.without_the_missing(answer, inside)
        for name in inside:
            self.kept.pop(name, None)
            self.joined.discard(name)
            del self.counts[name]
        return answer

    def sent_on(self, node: Node, items: Several) -> Any:
        """Send several events on; the first answer is the answer."""
        is_answer = node.name == self.graph.responder and items
        answer = self.ended(copy.deepcopy(items[0])) if is_answer else NOTHING
        for item in items:
            found = self.item(node, item, self.graph.inside(node.name))
            answer = found if answer is NOTHING else answer
        return answer


def outcomes_of(graph: Drawn, body: Any) -> list[Any]:
    """Give the outcome of an event, then all that could be it where branches race."""
    walk, items = Walk(graph), []
    try:
        found = walk.run(body)
        if isinstance(found, Items):
            items = []
            for item in found.items:
                items.append(item)
            outcome: Any = ("stream", items)
        elif found is NOTHING:
            outcome = ("nothing",) if graph.responder else ("id",)
        else:
            outcome = ("answer", found)
    except Failed as failed:
        outcome = ("broke", items, failed.outcome) if items else failed.outcome
    return [outcome, *walk.ends]
