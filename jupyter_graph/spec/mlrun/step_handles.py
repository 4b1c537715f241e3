"""What MLRun's builder gives back: a step of a graph document, to go on from."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from jupyter_graph.errors import SpecError
from jupyter_graph.spec.mlrun.flow_steps import Document, filled, own_name, route_of

if TYPE_CHECKING:
    from jupyter_graph.spec.mlrun.flow_builder import BuiltFlow

MOST_ROUTES = 5000
"""How many routes a router of MLRun takes."""


class BuiltStep:
    """One step; ``to`` and friends add to its flow."""

    def __init__(self, flow: BuiltFlow, name: str) -> None:
        self.flow = flow
        self.name = name

    @property
    def fields(self) -> Document:
        """The step's fields in the document."""
        fields: Document = self.flow.steps[self.name]
        return fields

    def to_dict(self) -> Document:
        """Return the step's fields."""
        return self.fields

    def to(
        self,
        class_name: Any = None,
        name: str | None = None,
        handler: Any = None,
        **options: Any,
    ) -> BuiltStep:
        """Add a step after this one.

        Raises:
            SpecError: this is a queue and no ``function`` is named for what follows.
        """
        if self.fields["kind"] == "queue" and not options.get("function"):
            raise SpecError(
                f"step {own_name(name, class_name)!r} must specify a function, because "
                f"it follows the queue step {self.name!r}"
            )
        return self.flow.put(class_name, name, handler, after=[self.name], **options)

    def after_step(self, *after: Any, append: bool = True) -> BuiltStep:
        """Put this step after others."""
        names = [one if isinstance(one, str) else one.name for one in after]
        kept = self.fields.get("after", []) if append else []
        self.fields["after"] = list(dict.fromkeys([*kept, *names]))
        return self

    def respond(self) -> BuiltStep:
        """Let this step's result answer the caller."""
        self.fields["responder"] = True
        return self

    def cycle_to(self, step_names: str | Iterable[str]) -> BuiltStep:
        """Lead back from this step to earlier ones."""
        names = [step_names] if isinstance(step_names, str) else list(step_names)
        if names and not self.flow.document.get("allow_cyclic"):
            raise SpecError("cyclic graphs are not allowed, enable allow_cyclic")
        for name in names:
            fields = self.flow.step(name)
            fields["after"] = list(dict.fromkeys([*fields.get("after", []), self.name]))
            fields["cycle_from"] = [*fields.get("cycle_from", []), self.name]
        return self

    def error_handler(
        self, name: str | None = None, class_name: Any = None, handler: Any = None,
        before: str | list[str] | None = None, **options: Any,
    ) -> BuiltStep:  # fmt: skip
        """Add an error handler for this step; give this step back."""
        found = self.flow.put_handler(name, class_name, handler, **options)
        names = [before] if isinstance(before, str) else list(before or ())
        self.flow.steps[found] |= filled({"base_step": self.name})
        if names:
            self.flow.steps[found]["before"] = names
        self.fields["on_error"] = found
        return self

    def set_flow(self, steps: Any, force: bool = False) -> Any:
        """Refused, as in MLRun."""
        raise NotImplementedError("set_flow() can only be called on a FlowStep")


class BuiltRouter(BuiltStep):
    """A router in a flow, or the whole graph."""

    def __init__(
        self, flow: BuiltFlow, name: str, root: Document | None = None
    ) -> None:
        super().__init__(flow, name)
        self._root = root

    @property
    def fields(self) -> Document:
        return super().fields if self._root is None else self._root

    def add_route(
        self, key: str, route: Any = None, class_name: Any = None, handler: Any = None,
        **options: Any,
    ) -> Document:  # fmt: skip
        """Add a route, or replace the one of that key; give its fields.

        Raises:
            SpecError: there is no class and no handler, or the router is full.
        """
        routes = self.fields.setdefault("routes", {})
        if len(routes) >= MOST_ROUTES and key not in routes:
            raise SpecError(
                f"router {self.name!r} cannot have more than {MOST_ROUTES} routes; "
                "replace one by its key"
            )
        if route is None:
            route = route_of(self.flow.keep, class_name, handler, **options)
        routes[key] = route
        fields: Document = routes[key]
        return fields
