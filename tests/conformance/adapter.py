"""Lets the conformance runner drive this package, over its public names only."""

from __future__ import annotations

from typing import Any

from jupyter_graph import Graph, MockServer
from jupyter_graph.mlrun_names import new_function

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
    plain = ("steps_basic", "steps_models", "plain_steps", "json")
    allowed = (namespace_module.__name__, *plain)
    graph = Graph.from_dict(graph_dict, vars(namespace_module), allowed)
    options["api_handler"] = options.pop("api_handler_config", None)
    if options.get("openai_frontend") == {}:
        options["openai_frontend"] = True
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
    """MLRun's builder names; ``graph_dict`` gives the document they wrote."""

    def __init__(self):
        self.function = new_function()

    def __getattr__(self, name):
        return getattr(self.function, name)

    def graph_dict(self):
        return self.function.to_dict()


serve.builder = Builder
