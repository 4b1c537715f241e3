"""The types that the fields of a graph and of its steps have."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from jupyter_graph.spec.graph_problem import Problem, shown
from jupyter_graph.spec.model import GraphSpec, StepSpec
from jupyter_graph.spec.names import step_name_problem

GROUP_FIELDS = (
    "shards", "retention_in_hours", "trigger_args", "options", "raise_exception",
    "max_processes", "max_threads", "pool_factor", "_shared_proxy_mapping",
)  # fmt: skip
COUNTS = (
    "shards", "retention_in_hours", "max_processes", "max_threads", "pool_factor",
)  # fmt: skip
JOINS = ("all", "any", "first")
MISSING = ("drop", "null", "error")
LONGEST_S = 365 * 24 * 3600.0
TEXTS = (
    "kind", "class_name", "handler", "on_error", "base_step", "input_path",
    "result_path", "comment", "shape", "function", "path",
)  # fmt: skip


def fields_have_their_types(graph: GraphSpec) -> Iterator[Problem]:
    for step in graph.every_step():
        if not isinstance(step.name, str):
            yield Problem(str(step_name_problem(step.name)), str(step.name), "name")
        yield from _texts(step)
        yield from _names(step)
        yield from _numbers(step)
        yield from _arguments(step)
        yield from _words(step)
        yield from _groups(step)
    if graph.topology not in ("flow", "router"):
        yield Problem(
            f"topology must be 'flow' or 'router', got {shown(graph.topology)}",
            field="topology",
        )
    if graph.engine not in ("async", "sync"):
        yield Problem(
            f"engine must be 'async' or 'sync', got {shown(graph.engine)}",
            field="engine",
        )
    if graph.copy not in ("deep", "shallow", "none"):
        yield Problem(
            f"copy must be 'deep', 'shallow' or 'none', got {shown(graph.copy)}",
            field="copy",
        )
    if graph.on_error is not None and not isinstance(graph.on_error, str):
        yield Problem(
            f"on_error of the graph must be a text, got {shown(graph.on_error)}",
            field="on_error",
        )
    if graph.allow_cyclic is not None and not isinstance(graph.allow_cyclic, bool):
        yield Problem(
            f"allow_cyclic must be true or false, got {shown(graph.allow_cyclic)}",
            field="allow_cyclic",
        )
    if graph.final_step is not None and not isinstance(graph.final_step, str):
        yield Problem(
            f"final_step must be a text, got {shown(graph.final_step)}",
            field="final_step",
        )
    if graph.max_iterations is not None and not _is_count(
        graph.max_iterations, least=1
    ):
        yield Problem(
            f"max_iterations must be a whole number of 1 or more, "
            f"got {shown(graph.max_iterations)}",
            field="max_iterations",
        )
    if graph.order_by is not None and not _names_a_key(graph.order_by):
        yield Problem(
            "order_by must be a field's name, '$' and an attribute of the event, or "
            f"several of them, got {shown(graph.order_by)}",
            field="order_by",
        )
    if not _is_count(graph.max_in_flight, least=1):
        yield Problem(
            f"max_in_flight must be a whole number of 1 or more, "
            f"got {shown(graph.max_in_flight)}",
            field="max_in_flight",
        )


def _names_a_key(value: object) -> bool:
    names = value if isinstance(value, tuple) else (value,)
    return bool(names) and all(isinstance(name, str) and name for name in names)


def _arguments(step: StepSpec) -> Iterator[Problem]:
    if not isinstance(step.class_args, Mapping):
        yield Problem(
            f"class_args of step {step.name!r} must be an object of names and "
            f"values, got {shown(step.class_args)}",
            step.name,
            "class_args",
        )
        return
    for key in step.class_args:
        if not isinstance(key, str):
            yield Problem(
                f"class_args of step {step.name!r} must have texts as names, "
                f"got {shown(key)}",
                step.name,
                "class_args",
            )


def _names(step: StepSpec) -> Iterator[Problem]:
    for field in ("after", "before", "cycle_from"):
        value = getattr(step, field)
        if not isinstance(value, tuple) or not all(isinstance(n, str) for n in value):
            yield Problem(
                f"{field} of step {step.name!r} must be names of steps, "
                f"got {shown(value)}",
                step.name,
                field,
            )


def _texts(step: StepSpec) -> Iterator[Problem]:
    for field in TEXTS:
        value = getattr(step, field)
        if value is not None and not isinstance(value, str):
            yield Problem(
                f"{field} of step {step.name!r} must be a text, got {shown(value)}",
                step.name,
                field,
            )
    for field in ("full_event", "responder", "blocking", "vectorized"):
        value = getattr(step, field)
        is_open = field == "full_event" and value is None
        if not (isinstance(value, bool) or is_open):
            yield Problem(
                f"{field} of step {step.name!r} must be true or false, "
                f"got {shown(value)}",
                step.name,
                field,
            )


def _words(step: StepSpec) -> Iterator[Problem]:
    choices = (
        ("engine", (None, "async", "sync")),
        ("join", (None, *JOINS)),
        ("missing", MISSING),
    )
    for field, known in choices:
        value = getattr(step, field)
        if value not in known:
            words = ", ".join(repr(word) for word in known if word)
            yield Problem(
                f"{field} of step {step.name!r} must be one of {words}, "
                f"got {shown(value)}",
                step.name,
                field,
            )


def _groups(step: StepSpec) -> Iterator[Problem]:
    """The fields that MLRun keeps of a queue's stream and of a runner's pools."""
    given = {**step.queue, **step.runner}
    for field in COUNTS:
        if field in given and not _is_count(given[field], least=1):
            yield Problem(
                f"{field} of step {step.name!r} must be a whole number of 1 or more, "
                f"got {shown(given[field])}",
                step.name,
                field,
            )
    for field in ("trigger_args", "options", "_shared_proxy_mapping"):
        if field in given and not isinstance(given[field], Mapping):
            yield Problem(
                f"{field} of step {step.name!r} must be an object, "
                f"got {shown(given[field])}",
                step.name,
                field,
            )
    if not isinstance(given.get("raise_exception", True), bool):
        yield Problem(
            f"raise_exception of step {step.name!r} must be true or false, "
            f"got {shown(given['raise_exception'])}",
            step.name,
            "raise_exception",
        )


def _counts(step: StepSpec) -> Iterator[Problem]:
    for field in ("max_iterations", "concurrency", "processes", "batch"):
        value = getattr(step, field)
        if value is not None and not _is_count(value, least=1):
            yield Problem(
                f"{field} of step {step.name!r} must be a whole number of 1 or more, "
                f"got {shown(value)}",
                step.name,
                field,
            )
    if not _is_seconds(step.batch_wait_ms, above=False):
        yield Problem(
            f"batch_wait_ms of step {step.name!r} must be 0 or more milliseconds, "
            f"got {shown(step.batch_wait_ms)}",
            step.name,
            "batch_wait_ms",
        )
    if step.join_timeout_s is not None and not _is_seconds(
        step.join_timeout_s, above=True
    ):
        yield Problem(
            f"join_timeout_s of step {step.name!r} must be a number of seconds above "
            f"0, got {shown(step.join_timeout_s)}",
            step.name,
            "join_timeout_s",
        )


def _numbers(step: StepSpec) -> Iterator[Problem]:
    yield from _counts(step)
    if step.timeout_s is not None and not _is_seconds(step.timeout_s, above=True):
        yield Problem(
            f"timeout_s of step {step.name!r} must be a number of seconds above 0 "
            f"and within a year, got {shown(step.timeout_s)}",
            step.name,
            "timeout_s",
        )
    if not _is_count(step.retries, least=0):
        yield Problem(
            f"retries of step {step.name!r} must be a whole number of 0 or more, "
            f"got {shown(step.retries)}",
            step.name,
            "retries",
        )
    if not _is_seconds(step.backoff_s, above=False):
        yield Problem(
            f"backoff_s of step {step.name!r} must be 0 or more seconds and within "
            f"a year, got {shown(step.backoff_s)}",
            step.name,
            "backoff_s",
        )


def _is_count(value: object, *, least: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


def _is_seconds(value: object, *, above: bool) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return (value > 0 if above else value >= 0) and value <= LONGEST_S
