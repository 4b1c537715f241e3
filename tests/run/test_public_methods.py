"""What a runner has is a contract; who adds to it writes it here."""

import inspect

from jupyter_graph import Runner
from jupyter_graph.run.answering import Answering
from jupyter_graph.run.dispatch import Dispatcher
from jupyter_graph.run.lifecycle import GraphInstance

NAMES = {
    "aanswer", "aclose", "ahandle", "answer", "arun", "arun_batch", "belong_to",
    "close", "compiled", "counters", "emit", "endpoints", "handle", "is_open",
    "not_ready", "open", "recorded", "run", "run_batch", "spec", "step", "swap",
    "termination", "timeout_s", "wait_for_completion",
}  # fmt: skip


def test_a_runner_has_these_names_and_no_others(open_runner):
    from jupyter_graph import Graph

    graph = Graph("g")
    graph.to(name="a", handler=lambda x: x)
    runner = open_runner(graph)

    assert {name for name in dir(runner) if not name.startswith("_")} == NAMES


def test_no_class_of_the_room_is_large():
    sizes = {
        kind.__name__: sum(
            inspect.isfunction(one) or isinstance(one, property)
            for one in vars(kind).values()
        )
        for kind in (Runner, Dispatcher, GraphInstance, Answering)
    }

    assert max(sizes.values()) <= 25, sizes
