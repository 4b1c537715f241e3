"""MLRun's serving function, as far as its graph is concerned."""

from __future__ import annotations

import copy
from typing import Any

from jupyter_graph.errors import SpecError
from jupyter_graph.spec.mlrun.flow_builder import (
    BuiltFlow,
    BuiltRouter,
    flow_document,
)
from jupyter_graph.spec.mlrun.flow_steps import Document, filled, own_name, task_of

TOPOLOGIES = ("flow", "router")


class ServingFunction:
    """What ``mlrun.new_function(kind="serving")`` returns: it holds one graph.

    Args:
        name: the function's name.

    >>> function = ServingFunction("math")
    >>> graph = function.set_topology("flow")
    >>> _ = graph.to(name="twice", handler="double").respond()
    >>> function.to_dict()["steps"]
    {'twice': {'kind': 'task', 'handler': 'double', 'responder': True}}
    """

    def __init__(self, name: str = "graph") -> None:
        self.name = name
        self.namespace: dict[str, Any] = {}
        self.graph: BuiltFlow | BuiltRouter | None = None

    def to_dict(self) -> Document | None:
        """Return the graph's document, None while there is no graph."""
        return None if self.graph is None else self.graph.to_dict()

    def set_topology(
        self,
        topology: str | None = None,
        class_name: Any = None,
        engine: str | None = None,
        exist_ok: bool = False,
        allow_cyclic: bool = False,
        max_iterations: int | None = None,
        **class_args: Any,
    ) -> BuiltFlow | BuiltRouter:
        """Begin the graph: a ``router`` (MLRun's default) or a ``flow``.

        Raises:
            SpecError: there is a graph already, or an argument has a wrong value.
        """
        topology = topology or "router"
        if self.graph is not None and not exist_ok:
            raise SpecError(
                "graph topology is already set, graph was initialized, use "
                "exist_ok=True to override"
            )
        if topology not in TOPOLOGIES:
            raise SpecError(f"unsupported topology {topology}, use 'router' or 'flow'")
        if topology == "flow":
            document = flow_document(engine, allow_cyclic, max_iterations)
            self.graph = BuiltFlow(document, self.namespace)
        else:
            if allow_cyclic:
                raise SpecError(
                    "cyclic graphs are only supported in flow topology with async "
                    "engine, this one is a router"
                )
            self.graph = self._router(class_name, class_args)
        return self.graph

    def _router(self, class_name: Any, class_args: Document) -> BuiltRouter:
        flow = BuiltFlow({}, self.namespace)
        if callable(getattr(class_name, "to_dict", None)):
            root = copy.deepcopy(class_name.to_dict())
            if root.get("kind") != "router":
                raise SpecError(
                    "provided class is not a router step, must provide a router class "
                    "in router topology"
                )
            name = root.get("name", "router")
        else:
            name = own_name(None, class_name or "router")
            code = {"class_name": flow.keep(class_name), "class_args": class_args}
            root = filled({"kind": "router", "name": name, **code})
        flow.steps[name] = root
        return BuiltRouter(flow, name)

    def add_model(
        self,
        key: str,
        model_path: str | None = None,
        class_name: Any = None,
        model_url: str | None = None,
        handler: str | None = None,
        router_step: str | None = None,
        child_function: str | None = None,
        creation_strategy: Any = None,
        outputs: list[str] | None = None,
        **class_args: Any,
    ) -> Document:
        """Add a model to the graph's router; a graph is begun where there is none.

        Raises:
            SpecError: the flow has no such router, or ``model_path`` has no class.
        """
        router = self._router_for(router_step)
        if model_path and not (class_name or model_url):
            raise SpecError(
                f"model {key!r}: model_path must be provided with class_name"
            )
        if model_url:
            args = {**class_args, "url": model_url}
            return router.add_route(
                key, class_name="$remote", creation_strategy=creation_strategy, **args
            )
        args = {
            **copy.deepcopy(class_args),
            "model_path": str(model_path) if model_path else model_path,
            "outputs": outputs,
        }
        fields = {
            "function": child_function,
            "model_endpoint_creation_strategy": creation_strategy,
        }
        route = task_of(router.flow.keep, class_name, handler, args, fields)
        return router.add_route(key, route)

    def _router_for(self, name: str | None) -> BuiltRouter:
        graph = self.graph if self.graph is not None else self.set_topology()
        if isinstance(graph, BuiltRouter):
            return graph
        if name is not None and name not in graph:
            raise SpecError(f"router step {name} not present in the graph")
        routers = [one for one in graph if graph.steps[one]["kind"] == "router"]
        if not routers:
            raise SpecError(
                "graph does not contain any router, add_model can only be used when "
                f"there is a router step (its steps: {', '.join(graph) or 'none'})"
            )
        if name is None and len(routers) > 1:
            raise SpecError(
                f"add_model found {len(routers)} routers ({', '.join(routers)}), "
                "please specify the router_step you would like to add this model to"
            )
        router = graph[name or routers[0]]
        if not isinstance(router, BuiltRouter):
            raise SpecError(f"step {name!r} is no router, only a router has models")
        return router
