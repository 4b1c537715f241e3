"""MLRun's function documents: the graph, and how it is served, in ``spec``.

Source: MLRun 1.12, what ``function.export()`` and ``function.to_dict()`` write.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from jupyter_graph.errors import SpecError, did_you_mean
from jupyter_graph.spec.documents.document_reader import is_empty, short, unknown_fields
from jupyter_graph.spec.mlrun.serving_spec import (
    CARRIED,
    KNOWN,
    ServingSpec,
    serving_spec_of,
)

TOP: Final = ("kind", "metadata", "spec", "status", "verbose")
SERVED: Final = tuple(
    key for key in KNOWN if key not in (*CARRIED, "function_name", "functions")
)
"""Fields of a function's spec that a serving spec has too."""

LOOK_ALIKES: Final = ("mode", "models", "resources", "source")
"""Fields of a function's spec that are spelled nearly like one of those."""


def is_function(document: Mapping[str, Any]) -> bool:
    """Tell whether a document is a function's rather than a graph's.

    >>> is_function({"kind": "serving", "spec": {}}), is_function({"steps": {}})
    (True, False)
    """
    return "spec" in document or ("metadata" in document and "steps" not in document)


def function_serving_spec(document: Mapping[str, Any]) -> ServingSpec:
    """Return the serving spec in a function document.

    Raises:
        SpecError: it is no serving function, or something in it is wrong; all
            problems are listed.

    >>> flow = {"steps": {"a": {"handler": "f"}}}
    >>> document = {"kind": "serving", "metadata": {"name": "s"}, "spec": {}}
    >>> function_serving_spec({**document, "spec": {"graph": flow}}).name
    's'
    """
    what = "the function"
    problems = list(_problems(document, what))
    SpecError.raise_all("invalid function document", problems)
    metadata, spec = document.get("metadata") or {}, document["spec"]
    served = {key: spec[key] for key in SERVED if key in spec}
    served |= {
        "function_name": metadata.get("name"),
        "function_tag": metadata.get("tag"),
        "function_hash": metadata.get("hash"),
        "project": metadata.get("project"),
        "functions": _functions(spec.get("function_refs")),
    }
    return serving_spec_of(served, notes=tuple(_notes(spec)), what=what)


def graph_in(document: dict[str, Any]) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return the graph document that a file's document is or holds, and notes.

    The notes say what a function or a serving spec holds beside its graph.

    Raises:
        SpecError: it holds no graph, or something in it is wrong.
    """
    if is_function(document):
        spec = function_serving_spec(document)
    elif "graph" in document and "steps" not in document:
        spec = serving_spec_of(document)
    else:
        return document, ()
    named = {**spec.graph, "graph_name": spec.name}
    if spec.graph.get("kind") != "router":
        named = {**spec.graph, "name": spec.name}
    return named, (*spec.notes, *_left_out(spec))


def _left_out(spec: ServingSpec) -> Iterator[str]:
    """Say what a graph alone does not take along."""
    options = spec.server_options()
    options.pop("current_function", None)
    if options:
        yield (
            f"{', '.join(options)}: a server has these, not a graph; "
            "Graph.from_serving_spec reads them"
        )


def _problems(document: Mapping[str, Any], what: str) -> Iterator[str]:
    kind = document.get("kind")
    if kind != "serving":
        yield (
            f"{what} is of kind {short(kind)}, which holds no graph; only 'serving' "
            "does"
        )
    yield from unknown_fields(document, TOP, what)
    metadata, spec = document.get("metadata"), document.get("spec")
    name = metadata.get("name") if isinstance(metadata, Mapping) else None
    if not isinstance(metadata, Mapping | None):
        yield f"field 'metadata' of {what} is an object, got {short(metadata)}"
    if not isinstance(name, str | None):
        yield f"field 'name' in 'metadata' of {what} is a text, got {short(name)}"
    if not isinstance(spec, Mapping):
        yield f"field 'spec' of {what} is an object, got {short(spec)}"
        return
    for key in spec:
        if key not in SERVED and key not in LOOK_ALIKES:
            near = did_you_mean(str(key), SERVED)
            if near:
                yield f"'spec' of {what} has an unknown field {short(key)}{near}"


def _functions(references: Any) -> dict[str, str]:
    """Return names and addresses of MLRun's ``function_refs``, an object or a list."""
    rows = references if isinstance(references, list) else [references]
    if isinstance(references, Mapping):
        rows = [
            {"name": name, **row} if isinstance(row, Mapping) else row
            for name, row in references.items()
        ]
    return {
        str(row["name"]): str(row.get("url") or "")
        for row in rows
        if isinstance(row, Mapping) and row.get("name")
    }


def _notes(spec: Mapping[str, Any]) -> Iterator[str]:
    env = spec.get("env")
    rows = [row for row in env if isinstance(row, Mapping)] if env else []
    if names := [str(row.get("name")) for row in rows]:
        yield f"environment variables of the function are not set: {', '.join(names)}"
    build = spec.get("build")
    if isinstance(build, Mapping) and build.get("functionSourceCode"):
        yield (
            "the code that the function carries is not run: define its functions and "
            "classes in the notebook"
        )
    others = [
        str(key)
        for key, value in spec.items()
        if key not in (*SERVED, "env", "function_refs", "function_kind")
        and value is not False
        and not is_empty(value)
    ]
    if others:
        yield f"fields that say how the function is deployed: {', '.join(others)}"
