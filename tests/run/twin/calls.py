"""What a step does with a body, in the reference."""

import copy
from collections.abc import Iterator, Mapping
from typing import Any

from jupyter_graph.types import NOTHING
from tests.run.twin.graph import ROUNDS, Node
from tests.run.twin.outcomes import Event, Failed, Items, Several, part


class Calls(Event):
    """Calls steps, routes and flows inside."""

    def count(self, node: Node) -> None:
        self.counts[node.name] += node.name in self.graph.looped
        if self.counts[node.name] > ROUNDS:
            raise self.failure(node.name, "RuntimeError")

    def called(self, node: Node, body: Any) -> Any:
        """Give what a step makes of a body, its paths minded."""
        given, path = body, node.options.get("result_path")
        if "input_path" in node.options:
            given = part(body, node.options["input_path"])
        found = self.result(node, given)
        if isinstance(found, Items) and path:
            items = found.items
            return Items(self.put(node, copy.deepcopy(body), path, i) for i in items)
        is_whole = found is NOTHING or isinstance(found, Items) or not path
        return found if is_whole else self.put(node, body, path, found)

    def result(self, node: Node, body: Any) -> Any:
        if node.inner is not None:
            return type(self)(node.inner, self.ends).run(body)
        if node.kind == "router":
            return self.routed(node, body)
        if node.kind in ("choice", "field", "merge", "collector"):
            return body
        if node.gives_items:
            return Items(self.items(node, body))
        try:
            if node.kind == "several":
                return Several(node.several(body))
            return node.call(body)
        except BaseException as error:
            raise self.failure(node.name, type(error).__name__) from None

    def items(self, node: Node, body: Any) -> Iterator[Any]:
        try:
            yield from node.items(body)
        except (Failed, GeneratorExit):
            raise
        except BaseException as error:
            cause = error.__cause__ if type(error) is RuntimeError else error
            raise self.failure(node.name, type(cause).__name__) from None

    def put(self, node: Node, body: Any, path: str, value: Any) -> Any:
        if not isinstance(body, dict):
            raise self.failure(node.name, "TypeError")
        *parents, last = path.split(".")
        place = body
        for key in parents:
            place = place.setdefault(key, {})
        place[last] = value
        return body

    def routed(self, node: Node, body: Any) -> Any:
        if not isinstance(body, Mapping):
            raise self.failure(node.name, "BadRequestError")
        if node.router == "ParallelRun":
            given = [self.result(route, copy.deepcopy(body)) for route in node.routes]
            return {k: v for one in given if one is not NOTHING for k, v in one.items()}
        routes = {route.name: route for route in node.routes}
        name = body.get("model") or next(iter(routes))
        if not isinstance(name, str) or name not in routes:
            wrong = "NotFoundError" if isinstance(name, str) else "BadRequestError"
            raise self.failure(node.name, wrong)
        return self.result(routes[name], body)

    def picked(self, node: Node, body: Any) -> tuple[str, ...]:
        """Give the followers that a step picks; all where it picks none."""
        followers = self.graph.ahead[node.name]
        if node.kind == "choice":
            return tuple(node.picks(body, followers)) or followers
        if node.kind != "field":
            return followers
        is_there = isinstance(body, dict) and f"to_{node.name}" in body
        word = body[f"to_{node.name}"] if is_there else None
        names = [word] if isinstance(word, str) else word
        if not isinstance(names, list) or not names:
            is_no_choice = names == [] or (isinstance(body, dict) and not is_there)
            wrong = "NoChoiceError" if is_no_choice else "BadRequestError"
            raise self.failure(node.name, wrong)
        if set(names) - set(followers) or len(set(names)) < len(names):
            raise self.failure(node.name, "ValueError")
        return tuple(names)
