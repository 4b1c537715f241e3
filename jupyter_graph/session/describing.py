"""A step as its cell or line says it, all but its place."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from jupyter_graph.errors import MagicError
from jupyter_graph.session.step_options import BATCH_WAIT_MS, StepOptions
from jupyter_graph.spec.model import StepSpec

PACKAGE = "jupyter_graph."


def step_spec(name: str, code_name: str, code: Any, options: StepOptions) -> StepSpec:
    """Describe a step, all but its place."""
    is_class = inspect.isclass(code)
    kind = kind_of(code, options.args) if is_class else "task"
    if options.handler and not is_class:
        raise MagicError(
            f"--handler names the method of a class; {code_name or name!r} is no class"
        )
    return StepSpec(
        name=name,
        kind=kind,
        class_name=code_name if is_class else None,
        handler=options.handler if is_class else code_name,
        class_args=dict(options.args),
        input_path=options.input_path,
        result_path=options.result_path,
        full_event=options.full_event,
        responder=options.respond,
        timeout_s=options.timeout_s,
        retries=options.retries,
        backoff_s=options.backoff_s,
        blocking=options.blocking,
        processes=options.processes,
        max_iterations=options.max_iterations,
        concurrency=options.concurrency,
        batch=options.batch,
        batch_wait_ms=BATCH_WAIT_MS
        if options.batch_wait_ms is None
        else options.batch_wait_ms,
        join=options.join,  # type: ignore[arg-type]  # check_options saw the words
        join_timeout_s=options.join_timeout_s,
        missing=options.missing or "error",  # type: ignore[arg-type]  # as above
        vectorized=options.vectorized,
    )


def kind_of(code: type, args: Mapping[str, Any]) -> str:
    """Return the kind of a step of this class: one that asks for routes is a router."""
    if any(
        base.__name__ == "ModelRunnerStep" and base.__module__.startswith(PACKAGE)
        for base in code.__mro__
    ):
        return "model_runner"
    makers = [vars(base).get("__init__") for base in code.__mro__]
    asked = {name for maker in makers for name in _parameters(maker)}
    return "router" if "routes" in asked - set(args) else "task"


def _parameters(code: Any) -> tuple[str, ...]:
    try:
        return tuple(inspect.signature(code).parameters)
    except (TypeError, ValueError):
        return ()
