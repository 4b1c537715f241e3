"""The growing graph that users hold: a spec plus the objects its names stand for."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from itertools import count
from typing import Any

from jupyter_graph.errors import DuplicateStepError, SpecError
from jupyter_graph.spec.codec import from_dict, to_dict
from jupyter_graph.spec.graph_rules import WITHOUT_CODE
from jupyter_graph.spec.model import (
    DEFAULT_ITERATIONS,
    START_WORD,
    Engine,
    GraphSpec,
    Join,
    Missing,
    StepSpec,
    Topology,
)
from jupyter_graph.spec.names import check_graph_name, check_step_name
from jupyter_graph.spec.topology import handler_names, is_linear

PREVIOUS = "$prev"
QUEUE_FIELDS = ("shards", "retention_in_hours", "trigger_args")
After = str | Iterable[str] | None


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
        if self._is_queue and not options.get("function"):
            raise SpecError(
                f"step {name or class_name or handler!r} must specify a function, "
                f"because it follows the queue {self.name!r}"
            )
        return self.graph.add_step(
            class_name, name, handler, after=self.name, **options
        )

    @property
    def _is_queue(self) -> bool:
        spec = self.graph.spec
        return self.name in spec and spec.step(self.name).kind == "queue"

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
        """Add an error handler for this step; gives this step back, as in MLRun."""
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
        """Add a route to this router; gives the router back."""
        self.graph.add_route(
            key, class_name, handler, router_step=self.name, **class_args
        )
        return self


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
        self._literal = False
        self._is_trusted = True
        self._last: str | None = None
        self._made: tuple[GraphSpec, GraphSpec] | None = None  # _spec, and spec of it
        router = None
        if topology == "router":
            router = StepSpec(
                name="router",
                kind="router",
                class_name=self._code(router_class) if router_class else None,
                class_args=dict(router_args or {}),
            )
        self._spec = GraphSpec(
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
        count = len(self._spec.every_step())
        return f"<Graph {self.name!r}: {count} step{'' if count == 1 else 's'}>"

    @property
    def spec(self) -> GraphSpec:
        """The graph as it is now, frozen.

        While a flow that was built here is linear and no step responds, its last
        step does; documents are taken literally.
        """
        made = self._made
        if made is None or made[0] is not self._spec or made[1].name != self.name:
            made = self._made = self._spec, self._spec_now()
        return made[1]

    def _spec_now(self) -> GraphSpec:
        spec = replace(self._spec, name=self.name)
        if self._literal or not is_linear(spec):
            return spec
        if any(step.responder for step in spec.steps):
            return spec
        handlers = handler_names(spec)
        ordinary = [step.name for step in spec.steps if step.name not in handlers]
        followed = {name for step in spec.steps for name in step.after}
        [last] = [name for name in ordinary if name not in followed]
        if spec.step(last).kind == "queue":
            return spec
        return _changed(spec, last, responder=True)

    @property
    def is_trusted(self) -> bool:
        """Whether its names were written by whoever filled the namespace.

        The names of a document are not: they stand only for what the namespace's own
        module defines.
        """
        return self._is_trusted

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
        spec = from_dict(document, name=name)
        graph = cls.from_spec(spec, namespace, literal=True)
        graph.allow_imports = tuple(allow_imports)
        graph._is_trusted = False
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
        graph._spec = spec
        graph.namespace.update(namespace or {})
        graph._literal = literal
        graph._last = _last_ordinary(spec)
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
        graph._is_trusted = self._is_trusted
        return graph

    def to_dict(self) -> dict[str, Any]:
        """Return the graph's document, with MLRun's keys."""
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
        input_path: str | None = None,
        result_path: str | None = None,
        full_event: bool | None = None,
        timeout_s: float | None = None,
        retries: int = 0,
        backoff_s: float = 0.1,
        blocking: bool = False,
        processes: int | None = None,
        concurrency: int | None = None,
        batch: int | None = None,
        batch_wait_ms: float = 5.0,
        join: Join | None = None,
        join_timeout_s: float | None = None,
        missing: Missing = "error",
        vectorized: bool = False,
        function: str | None = None,
        cycle_to: After = None,
        max_iterations: int | None = None,
        shape: str | None = None,
        graph_shape: str | None = None,
        comment: str | None = None,
        path: str | None = None,
        **arguments: Any,
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
            class_args: constructor arguments; ``arguments`` are added to them.
            kind: ``task``, ``router`` or ``error_step``.
            input_path: dotted path of the part of the body that the step gets.
            result_path: dotted path in the body where its result goes.
            full_event: the step takes and gives the event, not its body.
            timeout_s: seconds one attempt may take.
            retries: how many more attempts after the first one failed.
            backoff_s: seconds before the first of them, doubled each time.
            blocking: run it in a thread pool.
            processes: run it in so many processes of its own.
            concurrency: how many attempts of it may run at once.
            batch: run it on lists of at most so many bodies of concurrent callers.
            batch_wait_ms: milliseconds that the first of them waits for others.
            join: wait for ``all`` upstream steps, or go on with ``any`` or the
                ``first``.
            join_timeout_s: seconds that a join waits.
            missing: what stands for a branch that does not come.
            vectorized: takes and gives a DataFrame in batch runs.
            function: the function it runs in.
            cycle_to: earlier steps that it leads back to.
            max_iterations: how often an event may come here in a cycle.
            shape: the graphviz shape in pictures; ``graph_shape`` is MLRun's word.
            graph_shape: the same.
            comment: a note for readers.
            path: the URL of a queue's stream; of other steps a constructor argument.
            **arguments: constructor arguments; of a queue, its options.

        Raises:
            SpecError: the name is taken or wrong, or there is no class and no handler.
        """
        class_name, kind = _kind_of(class_name, kind)
        if kind not in ("queue", "flow") and path is not None:
            arguments["path"] = path
        with self._unchanged_on_error():
            step = StepSpec(
                name=name or "",
                kind=kind,
                after=self._after(after, before),
                input_path=input_path,
                result_path=result_path,
                full_event=full_event,
                timeout_s=timeout_s,
                retries=retries,
                backoff_s=backoff_s,
                blocking=blocking,
                processes=processes,
                concurrency=concurrency,
                batch=batch,
                batch_wait_ms=batch_wait_ms,
                join=join,
                join_timeout_s=join_timeout_s,
                missing=missing,
                vectorized=vectorized,
                function=function,
                max_iterations=max_iterations,
                shape=shape or graph_shape,
                comment=comment,
            )
            args = {**(class_args or {}), **arguments}
            step = self._with_code(step, class_name, handler, args, path)
            if step.name in self._spec:
                raise DuplicateStepError(
                    f"graph {self.name!r} already has a step {step.name!r}; "
                    "give the new one another name"
                )
            self._check_place(step, before)
            self.put_step(step)
            if before:
                self._rewire_before(before, step)
            self.cycle_to(step.name, cycle_to)
        return StepHandle(self, step.name)

    def _with_code(
        self, step: StepSpec, class_name: Any, handler: Any, args: Any, path: Any
    ) -> StepSpec:
        """Return the step with what it runs: a class, a function, a graph, a queue."""
        if step.kind == "queue":
            if not step.name:
                raise SpecError("queue name must be specified")
            return replace(step, path=path or None, queue=_queue_fields(args))
        if isinstance(class_name, Graph):
            inner = class_name.spec
            self._take_names_of(class_name)
            name = step.name or inner.name
            kind = "flow" if inner.router is None else "router"
            if inner.router is None:
                return replace(step, name=name, kind=kind, steps=inner.steps)
            root = inner.router
            return replace(
                step,
                name=name,
                kind=kind,
                class_name=root.class_name,
                class_args=root.class_args,
                handler=root.handler,
                routes=root.routes,
            )
        class_text, handler_text = self._code(class_name), self._code(handler)
        if not class_text and not handler_text and step.kind not in WITHOUT_CODE:
            raise SpecError(
                f"step {step.name!r}: class_name or handler must be provided"
            )
        return replace(
            step,
            name=step.name
            or _own_name(class_text or handler_text or "", step.name or None),
            class_name=class_text,
            handler=handler_text,
            class_args=args,
        )

    def _take_names_of(self, graph: Graph) -> None:
        for name, code in graph.namespace.items():
            known = self.namespace.setdefault(name, code)
            if known is not code and not _is_same(code, known):
                raise DuplicateStepError(
                    f"graph {graph.name!r} and graph {self.name!r} mean different "
                    f"objects by {name!r}; rename one of them"
                )

    def _check_place(self, step: StepSpec, before: str | None) -> None:
        for name in step.after:
            self._spec.step(name)
        if before is not None and before in (step.name, *step.after):
            raise SpecError(
                f"graph loop, step {before!r} is specified in before and/or after "
                f"{step.name!r}"
            )

    def cycle_to(self, name: str, targets: After) -> None:
        """Lead back from a step to earlier ones.

        Raises:
            SpecError: the graph does not allow cycles, or there is no such step.
        """
        for target in (targets,) if isinstance(targets, str) else tuple(targets or ()):
            if not self._spec.allow_cyclic:
                raise SpecError(
                    f"step {name!r} cannot lead back to {target!r}: cyclic graphs are "
                    "not allowed, enable allow_cyclic"
                )
            old = self._spec.step(target)
            after = tuple(dict.fromkeys((*old.after, name)))
            back = tuple(dict.fromkeys((*old.cycle_from, name)))
            self.change_step(target, after=after, cycle_from=back)

    def set_flow(self, steps: Iterable[Any], *, force: bool = False) -> StepHandle:
        """Replace all steps by one chain; give its last step.

        Args:
            steps: names, classes, functions, or objects of ``add_step`` arguments.
            force: even where the graph has steps.

        Raises:
            SpecError: there are steps and ``force`` was not said, or there are none
                to set.
        """
        if self._spec.steps and not force:
            raise SpecError(
                "set_flow() called on a step that already has downstream steps "
                f"({', '.join(self._spec.names())}); overwrite them with force=True"
            )
        given = list(steps)
        if not given:
            raise SpecError("set_flow() needs one step at least")
        with self._unchanged_on_error():
            self._spec, self._last = replace(self._spec, steps=()), None
            after: After = START_WORD
            for step in given:
                options = dict(step) if isinstance(step, Mapping) else _alone(step)
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
        """Add a router step; ``add_route`` gives it its routes."""
        return self.add_step(
            class_name, name, after=after, kind="router", class_args=class_args
        )

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
        with self._unchanged_on_error():
            class_text, handler_text = self._code(class_name), self._code(handler)
            if not class_text and not handler_text:
                raise SpecError(f"route {key!r} needs a class_name or a handler")
            route = StepSpec(
                name=check_step_name(key, route=True),
                class_name=class_text,
                handler=handler_text,
                class_args=args,
            )
            self.put_route(self._router_named(router_step), route)
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
        **options: Any,
    ) -> Graph:
        """Add an error handler for one step, or (without ``step``) for the graph."""
        following = (before,) if isinstance(before, str) else tuple(before or ())
        with self._unchanged_on_error():
            handle = self.add_step(
                class_name,
                name,
                handler,
                after=START_WORD,
                kind="error_step",
                **options,
            )
            self.change_step(handle.name, before=following, base_step=step)
            self.set_error_handler(handle.name, step)
        return self

    def put_step(self, step: StepSpec, code: Any = None) -> None:
        """Add a step, or replace the one of the same name and keep its place.

        Args:
            step: the step.
            code: the function or class that ``step.code_name`` stands for.
        """
        check_step_name(step.name)
        if code is not None:
            self.namespace[step.code_name] = code
        names = self._spec.names()
        if step.name in names:
            at = names.index(step.name)
            steps = (*self._spec.steps[:at], step, *self._spec.steps[at + 1 :])
        else:
            steps = (*self._spec.steps, step)
        self._spec = replace(self._spec, steps=steps)
        if step.name not in handler_names(self._spec):
            self._last = step.name if step.name not in names else self._last

    def put_route(self, router: str, route: StepSpec, code: Any = None) -> None:
        """Add a route to a router, or replace the one of the same name."""
        if code is not None:
            self.namespace[route.code_name] = code
        old = self._find_router(router).routes
        if any(known.name == route.name for known in old):
            new = tuple(route if r.name == route.name else r for r in old)
        else:
            new = (*old, route)
        self.set_routes(router, new)

    def set_routes(self, router: str, routes: Iterable[StepSpec]) -> None:
        """Give a router exactly these routes."""
        old = self._find_router(router)
        new = replace(old, routes=tuple(routes))
        if self._spec.router is old:
            self._spec = replace(self._spec, router=new)
        else:
            self._spec = _replaced(self._spec, new)

    def change_step(self, name: str, **fields: Any) -> None:
        """Change fields of a step."""
        self._spec.step(name)
        self._spec = _changed(self._spec, name, **fields)

    def set_error_handler(self, handler: str | None, step: str | None = None) -> None:
        """Name the error handler of a step, or (without ``step``) of the graph."""
        if step is None:
            self._spec = replace(self._spec, on_error=handler)
        else:
            self.change_step(step, on_error=handler)

    def remove_step(self, name: str) -> None:
        """Take a step away; its followers come after its upstream steps."""
        gone = self._spec.step(name)

        def healed(step: StepSpec) -> StepSpec:
            after = _swapped(step.after, name, gone.after)
            after = tuple(one for one in after if one != step.name)  # no loop to itself
            back = _swapped(step.cycle_from, name, gone.after)
            back = tuple(one for one in back if one in after)
            before = _swapped(step.before, name, ())
            on_error = None if step.on_error == name else step.on_error
            base = None if step.base_step == name else step.base_step
            return replace(
                step,
                after=after,
                cycle_from=back,
                before=before,
                on_error=on_error,
                base_step=base,
            )

        kept = tuple(healed(step) for step in self._spec.steps if step.name != name)
        on_error = None if self._spec.on_error == name else self._spec.on_error
        self._spec = replace(self._spec, steps=kept, on_error=on_error)
        if self._last == name:
            self._last = _last_ordinary(self._spec)

    def rename_step(self, name: str, new: str) -> None:
        """Give a step another name; its neighbours follow."""
        self._spec.step(name)
        check_step_name(new)
        if new != name and new in self._spec:
            raise DuplicateStepError(f"graph {self.name!r} already has a step {new!r}")

        def renamed(step: StepSpec) -> StepSpec:
            return replace(
                step,
                name=new if step.name == name else step.name,
                after=_swapped(step.after, name, (new,)),
                cycle_from=_swapped(step.cycle_from, name, (new,)),
                before=_swapped(step.before, name, (new,)),
                on_error=new if step.on_error == name else step.on_error,
                base_step=new if step.base_step == name else step.base_step,
            )

        steps = tuple(renamed(step) for step in self._spec.steps)
        on_error = new if self._spec.on_error == name else self._spec.on_error
        self._spec = replace(self._spec, steps=steps, on_error=on_error)
        self._last = new if self._last == name else self._last

    @property
    def last_step(self) -> str | None:
        """What ``$prev`` means now: the last ordinary step added."""
        if self._last in handler_names(self._spec):  # it became one later
            return _last_ordinary(self._spec)
        return self._last

    # -- inside -----------------------------------------------------------------

    @contextmanager
    def _unchanged_on_error(self) -> Iterator[None]:
        kept = self._spec, self._last, dict(self.namespace)
        try:
            yield
        except BaseException:
            self._spec, self._last, names = kept
            self.namespace.clear()
            self.namespace.update(names)
            raise

    def _after(self, after: After, before: str | None = None) -> tuple[str, ...]:
        if before is not None and after in (PREVIOUS, None):
            return self._spec.step(before).after  # in front of it, in its place
        names = (after,) if isinstance(after, str) else tuple(after or ())
        found = [self.last_step if name == PREVIOUS else name for name in names]
        return tuple(
            dict.fromkeys(name for name in found if name and name != START_WORD)
        )

    def _rewire_before(self, before: str, step: StepSpec) -> None:
        follower = self._spec.step(before)
        kept = tuple(name for name in follower.after if name not in step.after)
        self.change_step(before, after=(*kept, step.name))

    def _code(self, code: Any) -> str | None:
        """Return the name of a class or function and keep the object under it."""
        if code is None or isinstance(code, str):
            return code
        if not callable(code):
            raise SpecError(
                f"a class, a function or the name of one is needed, got {code!r}"
            )
        name = getattr(code, "__name__", None)
        if name is None:
            raise SpecError(
                f"{code!r} has no name; give its class with its arguments, "
                "or wrap it in a function"
            )
        if name == "<lambda>":
            name = self._lambda_name(code)
        known = self.namespace.get(name)
        if known is not None and not _is_same(code, known):
            raise DuplicateStepError(
                f"two different objects are named {name!r}; rename one of them"
            )
        self.namespace[name] = code
        return str(name)

    def _lambda_name(self, code: Any) -> str:
        numbered = (f"_lambda_{number}" for number in count(1))
        return next(n for n in numbered if self.namespace.get(n, code) is code)

    def _router_named(self, name: str | None) -> str:
        if name is not None:
            return name
        if self._spec.router is not None:
            return self._spec.router.name
        routers = [step.name for step in self._spec.steps if step.kind == "router"]
        if len(routers) == 1:
            return routers[0]
        raise SpecError(
            f"graph {self.name!r} has {len(routers)} routers; name one with router_step"
        )

    def _find_router(self, name: str) -> StepSpec:
        root = self._spec.router
        found = root if root and root.name == name else self._spec.step(name)
        if found.kind != "router":
            raise SpecError(
                f"step {name!r} is no router (kind {found.kind!r}); "
                "only a router has routes"
            )
        return found


def _is_same(code: Callable[..., Any], known: Any) -> bool:
    """Tell whether ``code`` is ``known``, perhaps from a cell that ran once more.

    What a function made is not: two of them differ in what they remember.
    """
    if code is known or (inspect.ismethod(code) and code == known):
        return True
    return (
        "<locals>" not in getattr(code, "__qualname__", "<locals>")
        and inspect.isclass(code) == inspect.isclass(known)
        and getattr(code, "__qualname__", 0) == getattr(known, "__qualname__", 1)
        and getattr(code, "__module__", 0)
        == getattr(known, "__module__", 1)
        == "__main__"
    )


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
    given = {k: v for k, v in args.items() if v is not None}
    found = {key: given.pop(key) for key in QUEUE_FIELDS if key in given}
    return {**found, "options": given} if given else found


def _alone(step: Any) -> dict[str, Any]:
    is_function = inspect.isroutine(step)
    return {"handler" if is_function else "class_name": step}


def _own_name(code_name: str, name: str | None) -> str:
    own = code_name.rpartition(".")[2]
    if own.startswith("_lambda_") or not own.isidentifier():
        raise SpecError(f"a step made of {code_name!r} needs a name, got {name!r}")
    return own


def _swapped(names: tuple[str, ...], old: str, new: tuple[str, ...]) -> tuple[str, ...]:
    found = [given for name in names for given in (new if name == old else (name,))]
    return tuple(dict.fromkeys(found))


def _replaced(spec: GraphSpec, step: StepSpec) -> GraphSpec:
    steps = tuple(step if old.name == step.name else old for old in spec.steps)
    return replace(spec, steps=steps)


def _changed(spec: GraphSpec, name: str, **fields: Any) -> GraphSpec:
    return _replaced(spec, replace(spec.step(name), **fields))


def _last_ordinary(spec: GraphSpec) -> str | None:
    handlers = handler_names(spec)
    ordinary = [step.name for step in spec.steps if step.name not in handlers]
    return ordinary[-1] if ordinary else None
