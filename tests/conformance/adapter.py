"""Lets the conformance runner drive this package, over its public names only."""

from __future__ import annotations

from typing import Any

from jupyter_graph import Graph, MockServer

BASES = {
    "V2": "jupyter_graph.steps.V2ModelServer",
    "PARALLEL": "jupyter_graph.steps.ParallelRun",
    "ROUTER": "jupyter_graph.steps.ModelRouter",
    "VOTING": "jupyter_graph.steps.VotingEnsemble",
    "MODEL": "jupyter_graph.steps.Model",
    "SELECTOR": "jupyter_graph.steps.ModelSelector",
}
ERRORS = "jupyter_graph.mlrun_names"


def serve(graph_dict: Any, namespace_module: Any, **options: Any) -> Any:
    allowed = (namespace_module.__name__, "steps_basic", "steps_models", "json")
    graph = Graph.from_dict(graph_dict, vars(namespace_module), allowed)
    options["api_handler"] = options.pop("api_handler_config", None)
    given = {key: value for key, value in options.items() if value not in (None, {})}
    server = MockServer(graph, timeout_s=2.5, mlrun_status=True, **given)

    def call(path, method, body, headers, content_type=None):
        answer = server.test(
            path, body, method, headers, content_type, silent=True, get_body=False
        )
        if not hasattr(answer, "status_code"):
            return 200, answer
        return answer.status_code, answer.body, answer.headers

    call.close = server.wait_for_completion
    call.error_stream = server.error_stream
    return call


class Builder:
    """MLRun's builder names on a ``Graph``."""

    graph: Graph | None = None

    def set_topology(
        self, topology="flow", class_name=None, engine=None, exist_ok=False, **options
    ):
        if self.graph is not None and not exist_ok:
            raise ValueError("graph topology is already set, cannot be overwritten")
        known = ("allow_cyclic", "max_iterations")
        cyclic = {key: options.pop(key) for key in known if key in options}
        self.graph = Graph(
            topology=topology,
            engine=engine or "async",
            router_class=class_name,
            router_args=options,
            **cyclic,
        )
        return Handle(self.graph)

    def add_model(self, key, model_path=None, class_name=None, **options):
        if self.graph is None:
            self.set_topology("router")
        return self.graph.add_model(key, class_name, model_path, **options)

    def graph_dict(self):
        return self.graph.to_dict() if self.graph is not None else None


class Handle:
    """A graph or a step of it; MLRun's steps stand alone unless ``after`` is said."""

    def __init__(self, of):
        self.of = of

    def add_step(self, class_name=None, name=None, handler=None, after="start", **more):
        given = after if after is not None else "start"
        return Handle(self.of.add_step(class_name, name, handler, after=given, **more))

    def __getattr__(self, name):
        def call(*args, **options):
            found = getattr(self.of, name)(*args, **options)
            return Handle(found) if hasattr(found, "to") else found

        return call


serve.builder = Builder
