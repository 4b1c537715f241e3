"""MLRun's builder: the calls of ``mlrun.new_function(kind="serving")`` on a document.

What it writes is what MLRun 1.12 writes at ``function.spec.graph``: a step responds
only when it is marked so, and follows only what it is put after. ``Graph`` is the
builder for everything else.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from jupyter_graph.errors import DuplicateStepError, SpecError, did_you_mean
from jupyter_graph.spec.mlrun.flow_steps import (
    Document,
    filled,
    own_name,
    step_of,
    task_of,
)
from jupyter_graph.spec.model import DEFAULT_ITERATIONS

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
        return self.flow.add_step(
            class_name, name, handler, after=[self.name], **options
        )

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
        """Add an error handler for this step; return this step."""
        handler_name = self.flow.put_handler(name, class_name, handler, **options)
        names = [before] if isinstance(before, str) else list(before or ())
        place = filled({"base_step": self.name, "before": names or None})
        self.flow.steps[handler_name] |= place
        self.fields["on_error"] = handler_name
        return self

    def set_flow(self, steps: Any, force: bool = False) -> Any:
        """Refused, as in MLRun."""
        raise NotImplementedError("set_flow() can only be called on a FlowStep")


class BuiltRouter(BuiltStep):
    """A router in a flow, or the whole graph."""

    def add_route(
        self, key: str, route: Any = None, class_name: Any = None, handler: Any = None,
        function: str | None = None, creation_strategy: Any = None, **class_args: Any,
    ) -> Document:  # fmt: skip
        """Add a route, or replace the one of that key; return its fields.

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
            if not (class_name or handler):
                raise SpecError("route or class_name must be specified")
            fields = {
                "function": function,
                "model_endpoint_creation_strategy": creation_strategy,
            }
            route = task_of(self.flow.keep, class_name, handler, class_args, fields)
        routes[key] = route
        added: Document = route
        return added


class BuiltFlow:
    """A flow under construction; ``document`` is what it is."""

    def __init__(self, document: Document, namespace: dict[str, Any]) -> None:
        self.document = document
        self.namespace = namespace
        self._last: str | None = None

    @property
    def steps(self) -> dict[str, Document]:
        """The fields of each step, by its name."""
        steps: dict[str, Document] = self.document.setdefault("steps", {})
        return steps

    def to_dict(self) -> Document:
        """Return the document."""
        return self.document

    def step(self, name: str, problem: str = "") -> Document:
        """Return the fields of a step; ``problem`` says that there is none."""
        if name not in self.steps:
            problem = problem or f"step {name} doesnt exist in the graph"
            raise SpecError(f"{problem}{did_you_mean(name, self.steps)}")
        return self.steps[name]

    def __getitem__(self, name: str) -> BuiltStep:
        kind = BuiltRouter if self.step(name)["kind"] == "router" else BuiltStep
        return kind(self, name)

    def __contains__(self, name: object) -> bool:
        return name in self.steps

    def __iter__(self) -> Iterator[str]:
        return iter(self.steps)

    def keep(self, code: Any) -> Any:
        """Return the name of a class or function and keep the object under it."""
        if code is None or isinstance(code, str):
            return code
        name = getattr(code, "__name__", "")
        if not callable(code) or not name.isidentifier():
            raise SpecError(
                f"a class, a function or the name of one is needed, got {code!r}"
            )
        if self.namespace.setdefault(name, code) is not code:
            raise DuplicateStepError(f"two different objects are named {name!r}")
        return name

    def to(
        self,
        class_name: Any = None,
        name: str | None = None,
        handler: Any = None,
        **options: Any,
    ) -> BuiltStep:
        """Add a first step."""
        return self.add_step(class_name, name, handler, **options)

    def add_step(
        self,
        class_name: Any = None,
        name: str | None = None,
        handler: Any = None,
        after: str | list[str] | None = None,
        before: str | None = None,
        *,
        cycle_to: str | list[str] | None = None,
        max_iterations: int | None = None,
        **options: Any,
    ) -> BuiltStep:
        """Add a step, ``after`` others (``$prev``: the one added last) or ``before``.

        With ``before`` it stands in the place of what came before that one.

        Raises:
            SpecError: there is no such step, its name is taken, or it would come after
                or before itself.
        """
        given = after if isinstance(after, list) else [after]
        names = [self._last if one == "$prev" else one for one in given]
        upstream = list(dict.fromkeys(name for name in names if name))
        for one in upstream:
            self.step(one, f"cant set after, there is no step named {one}")
        if before is not None and before != name:
            self.step(before, f"cant set before, there is no step named {before}")
        name, fields = step_of(self.keep, class_name, name, handler, options)
        if name in self.steps:
            raise DuplicateStepError(
                f"the graph already has a step {name!r}; give the new one another name"
            )
        if before is not None:
            if before == name or before in upstream:
                raise SpecError(
                    f"graph loop, step {before} is specified in before and/or after "
                    f"{name}"
                )
            upstream = list(self.steps[before].get("after", []))
            self.steps[before]["after"] = [name]
        self.steps[name] = fields | filled(
            {"after": upstream or None, "max_iterations": max_iterations}
        )
        self._last = name
        return self[name].cycle_to(cycle_to or [])

    def put_handler(
        self, name: str | None, class_name: Any, handler: Any, **options: Any
    ) -> str:
        """Add an error handler, or replace the one of that name; return its name."""
        own, fields = step_of(self.keep, class_name, name, handler, options)
        if own in self.steps and self.steps[own]["kind"] != "error_step":
            raise DuplicateStepError(f"the graph already has a step {own!r}")
        self.steps[own] = {**fields, "kind": "error_step"}
        return own

    def error_handler(
        self, name: str | None = None, class_name: Any = None, handler: Any = None,
        before: Any = None, **options: Any,
    ) -> BuiltFlow:  # fmt: skip
        """Add an error handler for all steps that have none of their own."""
        if not (class_name or handler):
            raise SpecError("class_name or handler must be provided")
        if before:
            raise SpecError(
                "`before` arg can't be specified for graph error handler: the flow "
                "ends there; give the steps handlers of their own"
            )
        self.document["on_error"] = self.put_handler(
            name, class_name, handler, **options
        )
        return self

    def set_flow(self, steps: Iterable[Any], force: bool = False) -> Any:
        """Replace all steps by one chain; return its last step."""
        if self.steps and not force:
            raise SpecError(
                "set_flow() called on a step that already has downstream steps "
                f"({', '.join(self.steps)}); overwrite them with force=True"
            )
        self.steps.clear()
        self._last = None
        last: Any = self
        for one in steps:
            last = last.to(**one) if isinstance(one, Mapping) else last.to(one)
        return last


def flow_document(
    engine: str | None, allow_cyclic: bool, max_iterations: int | None
) -> Document:
    """Return the document of an empty flow."""
    engine = engine or "async"
    if engine not in ("async", "sync"):
        raise SpecError(f"engine must be 'async' or 'sync', got {engine!r}")
    if allow_cyclic and engine == "sync":
        raise SpecError(
            "Cyclic graphs are not supported with sync engine, please use async engine"
        )
    most = (max_iterations or DEFAULT_ITERATIONS) if allow_cyclic else None
    document = {"engine": engine, "allow_cyclic": allow_cyclic, "max_iterations": most}
    return filled(document)
