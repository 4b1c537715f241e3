"""Examples and replays: events that leave nothing behind, here or outside."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jupyter_graph.compile.effect_steps import effect_steps
from jupyter_graph.run.record import private_copy
from jupyter_graph.session.recorded.event_ring import REQUEST, EventRecord, Events

if TYPE_CHECKING:
    from jupyter_graph.answer.answer import Answer
    from jupyter_graph.deployment.sources import Sources
    from jupyter_graph.spec.builder import Graph


def send_guarded(
    graph: Graph,
    sources: Sources,
    ring: Events,
    body: Any,
    instead: str,
    record: EventRecord | None = None,
) -> Answer:
    """Run one event apart from the notebook, and remember it.

    Args:
        graph: the graph, or a part of it.
        sources: where its code comes from.
        ring: where events are remembered.
        body: what its first step receives.
        instead: how to run it with its effects, for messages.
        record: the event that is replayed; steps with effects outside give what they
            gave then.

    Returns:
        The answer; a failed event has its error in it.

    Raises:
        RunError: code or body cannot leave the notebook, or the process ended.
    """
    from jupyter_graph.deployment.parity.guarded_run import GuardedEvent, run_guarded

    request: dict[str, Any] = {"headers": {}}
    outputs: Any = {}
    if record is not None:
        request = {key: getattr(record, key) for key in REQUEST}
        effects = effect_steps(graph.spec, sources.namespace)
        outputs = record.input(effects).outputs
    entered = private_copy(body)
    event = GuardedEvent(body=entered, outputs=outputs, instead=instead, **request)
    answer = run_guarded(graph, sources, event)
    kept = {"is_whole": False, "outputs": outputs}
    ring.add(graph.name, entered, answer, **kept, **request)
    return answer
