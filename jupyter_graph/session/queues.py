"""The queue that a step says it stands behind."""

from __future__ import annotations

from dataclasses import replace

from jupyter_graph.session.step_options import StepOptions
from jupyter_graph.spec.builder import Graph
from jupyter_graph.spec.model import StepSpec
from jupyter_graph.spec.topology import followers


def put_queue(
    graph: Graph, options: StepOptions, after: tuple[str, ...], step: str
) -> str:
    """Put the queue of ``--queue`` in front of a step; give its name.

    A queue that leads to this step alone is as the step now says it is; of one that
    leads to others too, what is said is added.

    Args:
        graph: the graph; it is changed.
        options: the name of the queue, its path, and whether ``after`` was typed.
        after: the upstream steps.
        step: the step behind it.
    """
    name = str(options.queue)
    mine = _own_queue(graph, after, step)
    if name in graph.spec:
        queue = graph._spec.step(name)  # as it was said: spec may let it respond
        is_shared = set(followers(graph.spec)[name]) - {step}
        path = options.path or (queue.path if is_shared else None)
        queue = replace(queue, path=path)
        if options.after is not None:
            before = queue.after if is_shared else ()
            queue = replace(queue, after=tuple(dict.fromkeys((*before, *after))))
        graph.put_step(queue)
    elif mine is not None and options.after is None:
        graph.rename_step(mine, name)
        graph.change_step(name, path=options.path)
    else:
        _put_new(graph, StepSpec(name=name, kind="queue", path=options.path), after)
    return name


def _own_queue(graph: Graph, after: tuple[str, ...], step: str) -> str | None:
    """Return the queue that leads to this step alone, None when there is none."""
    ways = followers(graph.spec)
    for name in after:
        if name in graph.spec and graph.spec.step(name).kind == "queue":
            return name if len(after) == 1 and ways[name] == (step,) else None
    return None


def _put_new(graph: Graph, queue: StepSpec, after: tuple[str, ...]) -> None:
    last = graph.last_step
    graph.put_step(replace(queue, after=after))
    graph._last = last  # ``$prev`` means the step behind it, which may be old
