"""The growing graph that users hold: a spec plus the objects its names stand for."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields, replace
from typing import Any, TypeVar

from jupyter_graph.errors import DuplicateStepError, SpecError
from jupyter_graph.spec import edit
from jupyter_graph.spec.code_names import (
    is_same_code,
    keep_code,
    kind_of,
    name_of_code,
)
from jupyter_graph.spec.edit import PREVIOUS, WHOLE_GRAPH, Place
from jupyter_graph.spec.model import (
    DEFAULT_ITERATIONS,
    START_WORD,
    Engine,
    GraphSpec,
    StepSpec,
    Topology,
)
from jupyter_graph.spec.names import check_graph_name, check_step_name
from jupyter_graph.spec.rules.graph_rules import WITHOUT_CODE
from jupyter_graph.spec.step_fields import DEFAULTS, SETTINGS
from jupyter_graph.spec.topology import is_linear, leaves

QUEUE_FIELDS = ("shards", "retention_in_hours", "trigger_args")
After = str | Iterable[str] | None
Method = TypeVar("Method", bound=Callable[..., Any])


class StepHandle:
    """One step of a graph being built; ``to`` and friends add to the graph."""

    def __init__(self, graph: Graph, name: str) -> None:
        self.graph = graph
        self.name = name

    def __repr__(self) -> str:
        return f"<step {self.name!r} of graph {self.graph.name!r}>"

    def to(
        self,
        class_name: Any = None,
        name: str | None = None,
        handler: Any = None,
        **options: Any,
    ) -> StepHandle:
        """Add a step after this one; options as in ``Graph.add_step``.

        Raises:
            SpecError: this is a queue and no ``function`` is named for what follows.
        """
        spec = self.graph.spec
        is_queue = self.name in spec and spec.step(self.name).kind == "queue"
        if is_queue and not options.get("function"):
            raise SpecError(
                f"step {name or class_name or handler!r} must specify a function, "
                f"because it follows the queue {self.name!r}"
            )
        return self.graph.add_step(
            class_name, name, handler, after=self.name, **options
        )

    def respond(self) -> StepHandle:
        """Let this step's result answer the caller."""
        self.graph.change_step(self.name, responder=True)
        return self

    def cycle_to(self, names: After) -> StepHandle:
        """Lead back from this step to earlier ones."""
        self.graph.cycle_to(self.name, names)
        return self

    def error_handler(
        self,
        name: str | None = None,
        class_name: Any = None,
        handler: Any = None,
        *,
        before: After = None,
        **options: Any,
    ) -> StepHandle:
        """Add an error handler for this step; return this step, as in MLRun."""
        self.graph.error_handler(
            name, class_name, handler, before=before, step=self.name, **options
        )
        return self

    def add_route(
        self,
        key: str,
        class_name: Any = None,
        handler: Any = None,
        **class_args: Any,
    ) -> StepHandle:
        """Add a route to this router; return the router."""
        self.graph.add_route(
            key, class_name, handler, router_step=self.name, **class_args
        )
        return self


def _takes_settings(method: Method) -> Method:
    """Show the fields that a step may be given in the signature of a method."""
    types = {field.name: field.type for field in fields(StepSpec)}
    signature = inspect.signature(method)
    *own, options = signature.parameters.values()
    keyword = inspect.Parameter.KEYWORD_ONLY
    settings = [
        inspect.Parameter(key, keyword, default=DEFAULTS[key], annotation=types[key])
        for key in SETTINGS
    ]
    # ``**options`` takes them, since constructor arguments come the same way; what
    # help and completion of the notebook read is the signature.
    shown = signature.replace(parameters=[*own, *settings, options])
    method.__signature__ = shown  # type: ignore[attr-defined]
    return method


class Graph:
    """A graph under construction.

    Args:
        name: the graph's name.
        topology: ``flow`` or ``router``.
        engine: ``async`` or ``sync`` (MLRun's: the last step answers).
        max_in_flight: events that may be inside at once.
        order_by: events with the same key go through one after the other: the body's
            field that holds it, a list of fields, or ``"$key"`` and the like.
        router_class: the class of a router topology, ``ModelRouter`` by default.
        router_args: its constructor arguments.
        allow_cyclic: steps may lead back to earlier ones.
        max_iterations: how often an event may come to one step of a cycle.

    >>> graph = Graph("math")
    >>> _ = graph.to(name="double", handler=lambda x: x * 2).respond()
    >>> graph.spec.step("double").responder
    True
    """

    def __init__(
        self,
        name: str = "graph",
        topology: Topology = "flow",
        engine: Engine = "async",
        max_in_flight: int = 1024,
        *,
        router_class: Any = None,
        router_args: Mapping[str, Any] | None = None,
        order_by: str | list[str] | tuple[str, ...] | None = None,
        copy: str = "deep",
        allow_cyclic: bool = False,
        max_iterations: int | None = None,
    ) -> None:
        if topology not in ("flow", "router"):
            raise SpecError(f"topology must be 'flow' or 'router', got {topology!r}")
        if allow_cyclic and engine == "sync":
            raise SpecError(
                "Cyclic graphs are not supported with sync engine, use engine='async'"
            )
        self.name = check_graph_name(name)
        self.namespace: dict[str, Any] = {}
        self.allow_imports: tuple[str, ...] = ()
        self.notes: tuple[str, ...] = ()  # what a file held beside the graph
        self.is_trusted = True
        self._literal = False
        self._made: tuple[GraphSpec, GraphSpec] | None = None  # written, and its spec
        router = None
        if topology == "router":
            router = StepSpec(
                name="router",
                kind="router",
                class_name=keep_code(self.namespace, router_class or None),
                class_args=dict(router_args or {}),
            )
        self.written = GraphSpec(
            name=name,
            topology=topology,
            engine=engine,
            router=router,
            max_in_flight=max_in_flight,
            order_by=order_by,  # type: ignore[arg-type]  # a list becomes a tuple
            copy=copy,  # type: ignore[arg-type]  # validate checks the word
            allow_cyclic=allow_cyclic or None,
            max_iterations=max_iterations
            or (DEFAULT_ITERATIONS if allow_cyclic else None),
        )

    def __repr__(self) -> str:
        count = len(self.written.every_step())
        return f"<Graph {self.name!r}: {count} step{'' if count == 1 else 's'}>"

    @property
    def spec(self) -> GraphSpec:
        """The graph as it is now, frozen.

        While a flow that was built here is linear and no step responds, its last
        step does; documents are taken literally.
        """
        # Runners and views compare specs by identity first: the same one as long as
        # nothing changed. The name is an attribute that users may assign.
        made = self._made
        if made is None or made[0] is not self.written or made[1].name != self.name:
            spec = replace(self.written, name=self.name)
            made = self.written, spec if self._literal else _with_responder(spec)
            self._made = made
        return made[1]

    # -- documents --------------------------------------------------------------

    @classmethod
    def from_dict(
        cls,
        document: Mapping[str, Any],
        namespace: Mapping[str, Any] | None = None,
        allow_imports: Iterable[str] = (),
        *,
        name: str | None = None,
    ) -> Graph:
        """Read an MLRun graph document; nothing is imported or run.

        Args:
            document: the document.
            namespace: the functions and classes that its names stand for.
            allow_imports: modules that dotted names may be taken from.
            name: the graph's name, else the document's, else ``graph``.
        """
        from jupyter_graph.spec.codec import from_dict

        graph = cls.from_spec(from_dict(document, name=name), namespace, literal=True)
        graph.allow_imports = tuple(allow_imports)
        graph.is_trusted = False
        return graph

    @classmethod
    def from_serving_spec(
        cls,
        spec: Any = None,
        namespace: Mapping[str, Any] | None = None,
        allow_imports: Iterable[str] = (),
    ) -> Graph:
        """Return the graph of an MLRun serving spec; ``notes`` says what is left out.

        Args:
            spec: its JSON text, its object, or a ``ServingSpec``; by default what
                ``SERVING_SPEC_ENV`` holds.
            namespace: the functions and classes that its names stand for.
            allow_imports: modules that dotted names may be taken from.

        Raises:
            SpecError: it is no serving spec, or something in it is wrong.

        >>> text = '{"version": "v2", "graph": {"steps": {"a": {"handler": "f"}}}}'
        >>> Graph.from_serving_spec(text).spec.names()
        ('a',)
        """
        from jupyter_graph.spec.mlrun.serving_spec import ServingSpec, read_serving_spec

        read = spec if isinstance(spec, ServingSpec) else read_serving_spec(spec)
        graph = cls.from_dict(read.graph, namespace, allow_imports, name=read.name)
        graph.notes = read.notes
        return graph

    @classmethod
    def from_spec(
        cls,
        spec: GraphSpec,
        namespace: Mapping[str, Any] | None = None,
        *,
        literal: bool = False,
    ) -> Graph:
        """Return a graph that grows from this spec.

        Args:
            spec: the spec.
            namespace: the objects that its names stand for, wherever they come from.
            literal: take it as it is, even where no step responds.
        """
        graph = cls("graph", topology=spec.topology)
        graph.name = spec.name
        graph.written = spec
        graph.namespace.update(namespace or {})
        graph._literal = literal
        return graph

    def with_spec(
        self,
        spec: GraphSpec,
        namespace: Mapping[str, Any] | None = None,
        *,
        literal: bool = True,
    ) -> Graph:
        """Return a graph of another spec whose names mean what they mean here.

        Args:
            spec: the spec.
            namespace: further names; they win over those of this graph.
            literal: as in ``from_spec``.
        """
        names = {**self.namespace, **(namespace or {})}
        graph = Graph.from_spec(spec, names, literal=literal)
        graph.allow_imports = self.allow_imports
        graph.is_trusted = self.is_trusted
        return graph

    def become(self, other: Graph) -> None:
        """Be what another graph is now, for everybody who holds this one."""
        vars(self).update({**vars(other), "namespace": dict(other.namespace)})

    def to_dict(self) -> dict[str, Any]:
        """Return the graph's document, with MLRun's keys."""
        from jupyter_graph.spec.codec import to_dict

        return to_dict(self.spec)

    # -- steps ------------------------------------------------------------------

    def to(
        self,
        class_name: Any = None,
        name: str | None = None,
        handler: Any = None,
        **options: Any,
    ) -> StepHandle:
        """Add a first step; options as in ``add_step``."""
        return self.add_step(class_name, name, handler, after=START_WORD, **options)

    @_takes_settings
    def add_step(
        self,
        class_name: Any = None,
        name: str | None = None,
        handler: Any = None,
        *,
        after: After = PREVIOUS,
        before: str | None = None,
        kind: str = "task",
        class_args: Mapping[str, Any] | None = None,
        cycle_to: After = None,
        graph_shape: str | None = None,
        path: str | None = None,
        **options: Any,
    ) -> StepHandle:
        """Add a step.

        Args:
            class_name: a class, or the name of one; None for a function. ``*`` is a
                router, ``*Name`` a router of that class, ``>>`` a queue; a ``Graph``
                becomes one step.
            name: the step's name, else the class's or the function's own.
            handler: a function, its name, or the method of the class to call.
            after: upstream steps; ``$prev`` = the one added last, ``start`` = none.
            before: a step that shall come after this one instead.
            class_args: constructor arguments.
            kind: ``task``, ``router`` or ``error_step``.
            cycle_to: earlier steps that it leads back to; the graph then allows cycles.
            graph_shape: MLRun's word for ``shape``.
            path: the URL of a queue's stream; of other steps a constructor argument.
            **options: the fields of a step, by name; what is none is a constructor
                argument or, of a queue, an option of it. Without a ``function`` the
                step runs in that of its upstream steps.

        Raises:
            SpecError: the name is taken or wrong, or there is no class and no handler.
        """
        place = place_of(after, before, cycle_to)
        step = _without_code(name, kind, class_args, options, graph_shape)
        return _add(self, step, place, class_name, handler, path)

    def cycle_to(self, name: str, targets: After) -> None:
        """Lead back from a step to earlier ones; the graph then allows cycles.

        Raises:
            SpecError: the graph comes from a document that allows no cycles, its
                engine knows none, or there is no such step.
        """
        names = names_of(targets)
        check_cycles(self, name, names)
        self.apply(edit.cycle, name, names)

    def set_flow(self, steps: Iterable[Any], *, force: bool = False) -> StepHandle:
        """Replace all steps by one chain; return its last step.

        Args:
            steps: names, classes, functions, or objects of ``add_step`` arguments.
            force: even where the graph has steps.

        Raises:
            SpecError: there are steps and ``force`` is false, or there are none
                to set.
        """
        if self.written.steps and not force:
            raise SpecError(
                "set_flow() called on a step that already has downstream steps "
                f"({', '.join(self.written.names())}); overwrite them with force=True"
            )
        given = list(steps)
        if not given:
            raise SpecError("set_flow() needs one step at least")
        with unchanged_on_error(self):
            self.written = replace(self.written, steps=())
            after: After = START_WORD
            for step in given:
                word = "handler" if inspect.isroutine(step) else "class_name"
                options = dict(step) if isinstance(step, Mapping) else {word: step}
                handle = self.add_step(**{**options, "after": after})
                after = handle.name
        return handle

    def add_router(
        self,
        name: str,
        class_name: Any = None,
        *,
        after: After = PREVIOUS,
        **class_args: Any,
    ) -> StepHandle:
        """Add a router step; ``add_route`` adds its routes."""
        step = StepSpec(name=name, kind="router", class_args=class_args)
        return _add(self, step, place_of(after), class_name)

    def add_route(
        self,
        key: str,
        class_name: Any = None,
        handler: Any = None,
        *,
        router_step: str | None = None,
        class_args: Mapping[str, Any] | None = None,
        model_path: str | None = None,
        **arguments: Any,
    ) -> StepSpec:
        """Add a route to a router, or replace the route of that key."""
        args = {**(class_args or {}), **arguments}
        if model_path is not None:
            args["model_path"] = model_path
        with unchanged_on_error(self):
            class_text = keep_code(self.namespace, class_name)
            handler_text = keep_code(self.namespace, handler)
            if not class_text and not handler_text:
                raise SpecError(f"route {key!r} needs a class_name or a handler")
            route = StepSpec(
                name=check_step_name(key, route=True),
                class_name=class_text,
                handler=handler_text,
                class_args=args,
            )
            self.apply(edit.put, route, Place(router=router_step, route=key))
        return route

    def add_model(
        self,
        key: str,
        class_name: Any = None,
        model_path: str | None = None,
        **args: Any,
    ) -> StepSpec:
        """Add a model to a router: a route whose class is a model server."""
        return self.add_route(key, class_name, model_path=model_path, **args)

    def error_handler(
        self,
        name: str | None = None,
        class_name: Any = None,
        handler: Any = None,
        *,
        before: After = None,
        step: str | None = None,
        class_args: Mapping[str, Any] | None = None,
        cycle_to: After = None,
        graph_shape: str | None = None,
        **options: Any,
    ) -> Graph:
        """Add an error handler for one step, or (without ``step``) for the graph.

        Raises:
            SpecError: ``step`` names no step, or a handler's place is given.
        """
        if step == WHOLE_GRAPH:
            raise SpecError("the handler of the whole graph has no step; leave it out")
        if given := [word for word in ("after", "kind") if word in options]:
            raise SpecError(
                f"an error handler has no {given[0]}: it is after the step whose "
                "errors it takes; name that as step"
            )
        place = place_of(PREVIOUS, before, cycle_to, on_error=step or WHOLE_GRAPH)
        new = _without_code(name, "error_step", class_args, options, graph_shape)
        _add(self, new, place, class_name, handler)
        return self

    def apply(self, change: Callable[..., GraphSpec], *args: Any, **named: Any) -> None:
        """Change the graph by one of the functions of ``jupyter_graph.spec.edit``.

        >>> graph = Graph("g")
        >>> graph.apply(edit.put_step, StepSpec(name="a", handler="f"))
        >>> graph.spec.names()
        ('a',)
        """
        self.written = change(self.written, *args, **named)

    def put_step(self, step: StepSpec, code: Any = None) -> None:
        """Add a step, or replace the one of the same name and keep its place.

        Args:
            step: the step.
            code: the function or class that ``step.code_name`` stands for.
        """
        self.apply(edit.put_step, step)
        if code is not None:
            self.namespace[step.code_name] = code

    def put_route(self, router: str, route: StepSpec, code: Any = None) -> None:
        """Add a route to a router, or replace the one of the same name."""
        self.apply(edit.put_route, router, route)
        if code is not None:
            self.namespace[route.code_name] = code

    def change_step(self, name: str, **fields: Any) -> None:
        """Change fields of a step."""
        self.apply(edit.change, name, **fields)

    def set_error_handler(self, handler: str | None, step: str | None = None) -> None:
        """Name the error handler of a step, or (without ``step``) of the graph."""
        self.apply(edit.set_error_handler, handler, step)

    def remove_step(self, name: str) -> None:
        """Take a step away; its followers come after its upstream steps."""
        self.apply(edit.remove, name)

    def rename_step(self, name: str, new: str) -> None:
        """Rename a step; its neighbours follow."""
        self.apply(edit.rename, name, new)

    @property
    def last_step(self) -> str | None:
        """What ``$prev`` means now: the last ordinary step added."""
        return edit.previous(self.written)


@contextmanager
def unchanged_on_error(graph: Graph) -> Iterator[None]:
    """Take back what happened to a graph inside, when it ends with an error."""
    written, names = graph.written, dict(graph.namespace)
    try:
        yield
    except BaseException:
        graph.written = written
        graph.namespace.clear()  # users may hold the dict: its contents are put back
        graph.namespace.update(names)
        raise


def names_of(names: After) -> tuple[str, ...]:
    """Return names of steps that were given as one text, several, or None."""
    return (names,) if isinstance(names, str) else tuple(names or ())


def place_of(
    after: After, before: After = None, cycle_to: After = None, **place: str | None
) -> Place:
    """Return where a step goes by the words of ``add_step``."""
    where: tuple[str, ...] | None = None
    if after != PREVIOUS and not (after is None and before):
        where = tuple(name for name in names_of(after) if name and name != START_WORD)
    before, cycle_to = names_of(before), names_of(cycle_to)
    return Place(after=where, before=before, cycle_to=cycle_to, **place)


def check_cycles(graph: Graph, name: str, targets: tuple[str, ...]) -> None:
    """Raise a SpecError when a step leads back in a document that allows no cycles."""
    if targets and not graph.written.allow_cyclic and not graph.is_trusted:
        raise SpecError(
            f"step {name!r} cannot lead back to {targets[0]!r}: cyclic graphs are "
            "not allowed, enable allow_cyclic"
        )


def _without_code(
    name: str | None,
    kind: str,
    class_args: Mapping[str, Any] | None,
    options: dict[str, Any],
    shape: str | None,
) -> StepSpec:
    """Return a step; options that are no fields of one are its arguments."""
    settings = {key: options.pop(key) for key in SETTINGS if key in options}
    if shape and not settings.get("shape"):
        settings["shape"] = shape
    args = {**(class_args or {}), **options}
    return StepSpec(name=name or "", kind=kind, class_args=args, **settings)


def _add(
    graph: Graph,
    step: StepSpec,
    place: Place,
    class_name: Any,
    handler: Any = None,
    path: str | None = None,
) -> StepHandle:
    class_name, kind = _kind_of(class_name, step.kind)
    step = replace(step, kind=kind)
    # ``path`` is a word of queues; blocks have arguments of that name.
    if kind not in ("queue", "flow") and path is not None:
        step = replace(step, class_args={**step.class_args, "path": path})
    with unchanged_on_error(graph):
        step = _with_code(graph, step, class_name, handler, path)
        check_cycles(graph, step.name, place.cycle_to)
        if graph.written.router is not None:
            raise SpecError(
                "a router topology has no steps beside its router, found "
                f"{step.name}; add_route adds a route"
            )
        graph.apply(edit.put, step, place)
    return StepHandle(graph, step.name)


def _with_code(
    graph: Graph, step: StepSpec, class_name: Any, handler: Any, path: str | None
) -> StepSpec:
    """Return the step with what it runs: a class, a function, a graph, a queue."""
    if step.kind == "queue":
        if not step.name:
            raise SpecError("queue name must be specified")
        stream = _queue_fields(step.class_args)
        return replace(step, path=path or None, queue=stream, class_args={})
    if isinstance(class_name, Graph):
        _take_names(graph, class_name)
        inner = class_name.spec
        named = replace(step, name=step.name or inner.name, class_args={})
        return edit.as_step(inner, named)
    kind = kind_of(class_name, step.class_args) if step.kind == "task" else step.kind
    class_text = keep_code(graph.namespace, class_name)
    handler_text = keep_code(graph.namespace, handler)
    if not class_text and not handler_text and kind not in WITHOUT_CODE:
        raise SpecError(f"step {step.name!r}: class_name or handler must be provided")
    name = step.name or name_of_code(class_text or handler_text or "", None)
    return replace(
        step, name=name, kind=kind, class_name=class_text, handler=handler_text
    )


def _take_names(graph: Graph, inner: Graph) -> None:
    """Let the names of a graph that becomes a step mean the same in the other one."""
    for name, code in inner.namespace.items():
        known = graph.namespace.setdefault(name, code)
        if known is not code and not is_same_code(code, known):
            raise DuplicateStepError(
                f"graph {inner.name!r} and graph {graph.name!r} mean different "
                f"objects by {name!r}; rename one of them"
            )


def _with_responder(spec: GraphSpec) -> GraphSpec:
    """Return a flow whose last step answers, when it is one chain and none does."""
    if not is_linear(spec) or any(step.responder for step in spec.steps):
        return spec
    [last] = leaves(spec)
    if spec.step(last).kind == "queue":  # nobody waits for what is behind it
        return spec
    return edit.change(spec, last, responder=True)


def _kind_of(class_name: Any, kind: str) -> tuple[Any, str]:
    """Return class and kind of MLRun's short forms.

    >>> _kind_of("*", "task"), _kind_of("*Mine", "task"), _kind_of(">>", "task")
    ((None, 'router'), ('Mine', 'router'), (None, 'queue'))
    """
    if class_name in (">>", "$queue"):
        return None, "queue"
    if isinstance(class_name, str) and class_name.startswith("*"):
        return class_name[1:] or None, "router"
    return class_name, kind


def _queue_fields(args: Mapping[str, Any]) -> dict[str, Any]:
    options = {k: v for k, v in args.items() if v is not None}
    own = {key: options.pop(key) for key in QUEUE_FIELDS if key in options}
    return {**own, "options": options} if options else own
