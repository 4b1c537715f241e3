"""Steps of a graph document, made from the arguments of MLRun's builder calls.

Source: ``to()``, ``add_step()`` and ``add_route()`` of MLRun 1.12.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any

from jupyter_graph.errors import SpecError

Document = dict[str, Any]
Keep = Callable[[Any], Any]
"""Returns the name of a class or function, and keeps the object under it."""

QUEUES = (">>", "$queue")
OF_QUEUES = ("path", "shards", "retention_in_hours", "trigger_args")
OPTIONS = {
    "function": "function",
    "full_event": "full_event",
    "input_path": "input_path",
    "result_path": "result_path",
    "model_endpoint_creation_strategy": "model_endpoint_creation_strategy",
    "graph_shape": "shape",
}
"""What a call says of a step beside its class and arguments, to the step's fields."""


def own_name(name: str | None, class_name: Any) -> str:
    """Return a step's name: the given one, else the last part of its class's path.

    >>> own_name(None, "storey.Filter")
    'Filter'
    """
    if name is not None and not isinstance(name, str):
        raise SpecError(f"the name of a step must be a text, got {name!r}")
    if name:
        return name
    if not class_name:
        raise SpecError("name or class_name must be provided")
    if isinstance(class_name, type):
        return class_name.__name__
    return str(class_name).rpartition(".")[2]


def step_of(
    keep: Keep,
    class_name: Any,
    name: str | None,
    handler: Any,
    options: Mapping[str, Any],
) -> tuple[str, Document]:
    """Return name and fields of a task, a router (``*``) or a queue (``>>``).

    Args:
        keep: keeps the objects of classes and functions.
        class_name: the class, or what stands for a router or a queue.
        name: the step's name, else that of its class.
        handler: the function, or the method of the class.
        options: fields of the step; what is none is an argument of its class.

    Raises:
        SpecError: there is no class and no handler, no name, or a queue has no path.
    """
    fields = {key: options.get(word) for word, key in OPTIONS.items()}
    class_args = {key: options[key] for key in options if key not in OPTIONS}
    if isinstance(class_name, str) and class_name in QUEUES:
        return _queue(name, fields, class_args)
    if callable(getattr(class_name, "to_dict", None)):
        return _of_object(class_name, name, fields)
    if isinstance(class_name, str) and class_name.startswith("*"):
        router = own_name(name, class_name[1:] or "router")
        del fields["full_event"]
        step = task_of(keep, class_name[1:], handler, class_args, fields)
        head = {"kind": "router", "name": router}  # a router's document begins so
        return router, {**head, **step, **head, "routes": {}}
    if not (class_name or handler):
        raise SpecError("class_name or handler must be provided")
    step = task_of(keep, class_name, handler, class_args, fields)
    return own_name(name, class_name), step


def filled(step: Document) -> Document:
    """Return the fields that hold something; a text may be empty."""
    return {
        key: value for key, value in step.items() if value is not None and value != {}
    }


def task_of(
    keep: Keep,
    class_name: Any,
    handler: Any,
    class_args: Mapping[str, Any],
    fields: Mapping[str, Any],
) -> Document:
    """Return the fields of a task; ``fields`` are those beside its code."""
    step = {
        "kind": "task",
        "class_name": keep(class_name),
        "class_args": class_args,
        "handler": keep(handler),
        **fields,
    }
    return filled(step)


def _queue(
    name: str | None, fields: Mapping[str, Any], args: Mapping[str, Any]
) -> tuple[str, Document]:
    if "path" not in args:
        raise SpecError(
            "path=<stream path or None> must be specified for queues"
            f"{f' ({name!r})' if name else ''}"
        )
    if not name:
        raise SpecError("queue name must be specified")
    options = {key: value for key, value in args.items() if key not in OF_QUEUES}
    options |= filled({"full_event": fields["full_event"]})
    own = {key: args.get(key) for key in OF_QUEUES} | {"options": options}
    return name, filled({"kind": "queue", **own, "shape": fields["shape"]})


def _of_object(
    it: Any, name: str | None, fields: Mapping[str, Any]
) -> tuple[str, Document]:
    """Return the step that an object describes with ``to_dict``."""
    step: Document = {"kind": "task", **copy.deepcopy(it.to_dict())}
    own = step.pop("name", None) if step["kind"] != "router" else step.get("name")
    named = name or own or getattr(it, "name", None) or step.get("class_name")
    given = {key: value for key, value in fields.items() if value is not None}
    return own_name(None, named), filled({**step, **given})
