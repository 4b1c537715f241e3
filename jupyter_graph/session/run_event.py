"""Send events through a graph and remember them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from jupyter_graph.errors import MagicError
from jupyter_graph.run.runner import Runner
from jupyter_graph.session.events import EventRecord, Events, private_copy
from jupyter_graph.session.open_runners import Runners
from jupyter_graph.spec.builder import Graph

if TYPE_CHECKING:
    from jupyter_graph.answer.answer import Answer

ANSWER_COLUMNS = {
    "event_id": lambda answer: answer.event_id,
    "status": lambda answer: answer.status_code,
    "body": lambda answer: answer.body,
}


def send(
    graph: Graph,
    body: Any,
    request: Mapping[str, Any],
    *,
    runners: Runners | None,
    ring: Events,
) -> Answer:
    """Send one event and remember it; a failed one has its error in the answer.

    Args:
        graph: the graph, or a part of it.
        body: what the first step receives, as a copy: steps may change it, the
            notebook's own object stays as it is.
        request: the path, the method and the headers of the request.
        runners: the open runners; None for a part, which is run once and closed.
        ring: where the event is remembered.
    """
    entered = private_copy(body)
    request = {**request, "headers": dict(request["headers"] or {})}
    call = {**request, "event_id": uuid4().hex, "silent": True, "traced": True}
    if runners is not None:
        answer = runners.of(graph).answer(private_copy(body), **call)
    else:
        with Runner(graph) as runner:
            answer = runner.answer(private_copy(body), **call)
    ring.add(graph.name, entered, answer, is_whole=runners is not None, **request)
    return answer


def input_of(record: EventRecord, step: str) -> Any:
    """Return what a step received in a recorded event.

    Raises:
        MagicError: the event did not reach the step, or its input is not kept.
    """
    trace = record.answer.trace if record.answer is not None else None
    for row in trace or ():
        is_kept = row.input.value is not None or row.input.type == "NoneType"
        if row.step == step and is_kept:
            return private_copy(row.input.value)
    raise MagicError(
        f"what step {step!r} received in event {record.event_id} is not kept; "
        "give the body yourself: --with EXPR"
    )
