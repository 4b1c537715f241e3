"""Steps with effects outside, while answers are only compared: what they gave before.

Such a step is not built and not called: those marked ``side_effects``, and blocks that
ask others over HTTP. The check says, event by event, what they gave when the event ran
in the notebook.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from jupyter_graph.answer.trace import summarise
from jupyter_graph.compile.effect_steps import effect_steps, takes_event
from jupyter_graph.errors import NotRecordedError
from jupyter_graph.spec.builder import Graph
from jupyter_graph.spec.model import GraphSpec, StepSpec
from jupyter_graph.values import tagged_json

STAND_IN: Final = "_RecordedStep"


class RecordedOutputs:
    """What steps gave for the event that runs now, oldest first.

    Attributes:
        tables: places of tables outside, whose content is another by now.

    >>> outputs = RecordedOutputs()
    >>> outputs.expect({"save": [("'a'", 1), ("'b'", 2)]})
    >>> outputs.take("save", "a"), outputs.take("save", "b")
    (1, 2)
    """

    def __init__(self) -> None:
        self._by_step: dict[str, deque[Any]] = {}
        self.tables: list[str] = []

    def expect(self, outputs: Mapping[str, Sequence[Any]]) -> None:
        """Take what the steps got, as short texts, and gave for the next event."""
        self._by_step = {step: deque(values) for step, values in outputs.items()}

    def expect_tagged(self, outputs: Mapping[str, Any]) -> None:
        """``expect``, of what ``tagged`` made."""
        self.expect({step: _read(values) for step, values in outputs.items()})

    def take(self, step: str, body: Any) -> Any:
        """Return what a step gave the next time.

        Raises:
            NotRecordedError: it is not known, or the step got something else then.
        """
        values = self._by_step.get(step)
        if values and values[0][0] != summarise(body).text:
            raise NotRecordedError(
                f"step {step!r} has effects outside and is not called here; it gets "
                f"{summarise(body).text}, and got {values[0][0]} when it was recorded"
            )
        if not values:
            raise NotRecordedError(
                f"step {step!r} has effects outside and is not called here; what it "
                "gave for this event is not recorded"
            )
        return values.popleft()[1]


def tagged(outputs: Mapping[str, Sequence[Any]]) -> dict[str, Any]:
    """Return recorded outputs as JSON; those that have no form there are left out."""
    found: dict[str, Any] = {}
    for step, values in outputs.items():
        try:
            found[step] = tagged_json.encode_plain(list(values))
        except tagged_json.NotTaggable:
            continue
    return found


def _read(values: Any) -> Any:
    return tagged_json.decode(values, lambda value: value)


class RecordedStep:
    """Stands for a step that is not called: gives what that gave when it ran.

    Args:
        step: the step's name.
        context: holds what is recorded.
    """

    def __init__(self, step: str, context: Any) -> None:
        self._step, self._outputs = step, context.recorded

    def do(self, body: Any) -> Any:
        """Return what the step gave for this event."""
        return self._outputs.take(self._step, body)

    def do_event(self, event: Any) -> Any:
        """``do`` for a step that takes the event."""
        event.body = self._outputs.take(self._step, event.body)
        return event


def with_recorded_steps(
    graph: Graph | GraphSpec, namespace: Mapping[str, Any] | None = None
) -> Graph | GraphSpec:
    """Return a graph in which no step with effects outside is called.

    >>> graph = Graph("g")
    >>> _ = graph.to(name="save", handler=print, side_effects=True)
    >>> with_recorded_steps(graph).spec.step("save").class_name
    '_RecordedStep'
    """
    spec = graph if isinstance(graph, GraphSpec) else graph.spec
    own = {} if isinstance(graph, GraphSpec) else graph.namespace
    known = {**(namespace or {}), **own}
    names = effect_steps(spec, known)
    if not names:
        return graph
    events = {
        step.name
        for step in spec.all_steps()
        if step.name in names and takes_event(step, known)
    }
    router = spec.router and _replaced(spec.router, names, events)
    steps = tuple(_replaced(step, names, events) for step in spec.steps)
    changed = replace(spec, steps=steps, router=router)
    whole = Graph.from_spec(graph, {}) if isinstance(graph, GraphSpec) else graph
    return whole.with_spec(changed, {STAND_IN: RecordedStep})


def _replaced(
    step: StepSpec, names: Collection[str], events: Collection[str]
) -> StepSpec:
    """Return a step, or the stand-in for it; what is inside it likewise."""
    if step.name not in names:
        routes = tuple(_replaced(inner, names, events) for inner in step.routes)
        steps = tuple(_replaced(inner, names, events) for inner in step.steps)
        return replace(step, routes=routes, steps=steps)
    is_event = step.name in events  # what is recorded of it is the whole body
    if is_event:
        step = replace(step, input_path=None, result_path=None, full_event=True)
    return replace(
        step,
        class_name=STAND_IN,
        class_args={"step": step.name},
        handler="do_event" if is_event else "do",
        retries=0,
        blocking=False,
        processes=None,
        batch=None,
        vectorized=False,
    )
