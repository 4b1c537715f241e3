"""Every place of a graph where something may fail, as a graph that fails there.

A place takes a function that fails for the body ``{"x": "bad"}`` and for all that is
made of it, and gives the graph; the step that must be named is ``bad``.
"""

from collections.abc import Callable

from jupyter_graph import Graph
from tests.run.exceptions import shapes, steps
from tests.run.exceptions.bad import ALL, ASYNC, EVERYWHERE, SYNC, THREADS, Bad

PLACES: dict[str, tuple[Callable[[Bad, str], Graph], tuple[str, ...]]] = {
    "first": (steps.first, ALL),
    "middle": (steps.middle, EVERYWHERE),
    "last": (steps.last, ALL),
    "branch": (steps.branch, EVERYWHERE),
    "after the answer": (steps.after_the_answer, ALL),
    "choice": (steps.choice, (SYNC, THREADS)),
    "router": (steps.router, (SYNC, THREADS)),
    "route": (steps.route, (SYNC, ASYNC)),
    "root route": (steps.root_route, (SYNC, ASYNC)),
    "member in a thread": (steps.member("thread"), (SYNC, ASYNC)),
    "member in a row": (steps.member("array"), (SYNC, ASYNC)),
    "member on the loop": (steps.member("asyncio"), (SYNC, ASYNC)),
    "step's handler": (steps.step_handler, EVERYWHERE),
    "leading handler": (steps.leading_handler, ALL),
    "graph's handler": (steps.graph_handler, ALL),
    "cycle": (shapes.cycle, ALL),
    "first item": (shapes.items(0, ends=False), (SYNC, ASYNC)),
    "later item": (shapes.items(1, ends=False), (SYNC, ASYNC)),
    "collected item": (shapes.items(1, ends=True), (SYNC, ASYNC)),
    "after items": (shapes.after_items, ALL),
    "collector": (shapes.collector, (SYNC, THREADS)),
    "flow": (shapes.flow, EVERYWHERE),
    "flow of events": (shapes.flow_of_events, ALL),
    "join": (shapes.join, ALL),
    "merge": (shapes.merge, (SYNC, THREADS)),
    "before a merge": (shapes.before_a_merge, ALL),
    "batched": (shapes.batched, ALL),
    "timed": (shapes.limited(timeout_s=10.0), EVERYWHERE),
    "retried": (shapes.limited(retries=1, backoff_s=0.001), EVERYWHERE),
    "one at a time": (shapes.limited(concurrency=1), ALL),
    "full event": (shapes.full_event, (SYNC, ASYNC)),
    "paths": (shapes.paths, EVERYWHERE),
    "method": (shapes.method, (SYNC, ASYNC)),
    "block": (shapes.block, (SYNC, ASYNC)),
    "storey.Map": (shapes.storey_step("storey.Map"), (SYNC, ASYNC)),
    "storey.Map's own code": (
        shapes.storey_step("storey.Map", pass_context=True),
        (SYNC,),
    ),
    "storey.Filter": (shapes.storey_step("storey.Filter"), (SYNC, ASYNC)),
    "storey beside": (shapes.beside, (ASYNC,)),
}
