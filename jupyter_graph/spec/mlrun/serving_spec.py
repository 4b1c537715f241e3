"""Serving specs: what MLRun passes to a deployed function in ``SERVING_SPEC_ENV``.

Source: MLRun 1.12, ``ServingRuntime._get_serving_spec`` and ``GraphServer``.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from jupyter_graph.errors import SpecError, did_you_mean
from jupyter_graph.spec.codec import from_dict, name_in
from jupyter_graph.spec.documents.document_reader import (
    copied,
    is_empty,
    short,
    unknown_fields,
)
from jupyter_graph.spec.documents.document_text import LONGEST, check_size, read_json
from jupyter_graph.spec.mlrun.secret_sources import secrets_in
from jupyter_graph.spec.names import graph_name
from jupyter_graph.spec.subgraphs import EVERYWHERE

VARIABLE: Final = "SERVING_SPEC_ENV"
FUNCTION_VARIABLE: Final = "SERVING_CURRENT_FUNCTION"
VERSION: Final = "v2"
LOAD_MODES: Final = ("sync", "async")

CARRIED: Final = (
    "function_hash",
    "function_tag",
    "function_uri",
    "project",
    "version",
    "filename",
    "model_endpoint_creation_task_name",
)
"""What says who the function is in MLRun: kept, and without a meaning here."""

TEXTS: Final = (
    "function_name",
    "load_mode",
    "graph_initializer",
    "error_stream",
    "default_content_type",
    *CARRIED,
)
FLAGS: Final = ("track_models", "streaming", "verbose")
OBJECTS: Final = ("parameters", "functions", "api_handler_config")
KNOWN: Final = ("graph", "secret_sources", *TEXTS, *FLAGS, *OBJECTS)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServingSpec:
    """A graph document and how MLRun would serve it.

    Attributes:
        graph: the graph document.
        function_name: the function's name; the graph's where it has none of its own.
        current_function: the function whose steps run; ``*`` = all of them.
        parameters: what ``context.get_param`` returns.
        load_mode: how models are loaded: ``sync`` or ``async``.
        error_stream: the URL of the stream that errors go to.
        default_content_type: what an event without a content type has.
        streaming: generators are answered piece by piece.
        track_models: MLRun's monitoring was asked for.
        verbose: failed events say their cause at length.
        graph_initializer: the name of a function that is called with the server.
        api_handler_config: the endpoints of the function.
        functions: the child functions' names to their URIs.
        secrets: the secrets that stand in the document itself.
        carried: what means nothing here and is kept.
        notes: what was found and is not used, a sentence each.

    >>> spec = ServingSpec(graph={"steps": {"a": {"handler": "f"}}})
    >>> read_serving_spec(write_serving_spec(spec)) == spec
    True
    """

    graph: Mapping[str, Any]
    function_name: str | None = None
    current_function: str = EVERYWHERE
    parameters: Mapping[str, Any] = field(default_factory=dict)
    load_mode: str | None = None
    error_stream: str | None = None
    default_content_type: str | None = None
    streaming: bool = False
    track_models: bool = False
    verbose: bool = False
    graph_initializer: str | None = None
    api_handler_config: Mapping[str, Any] | None = None
    functions: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    carried: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = field(default=(), compare=False)

    @property
    def name(self) -> str:
        """The graph's name: its own, else the function's, else ``graph``."""
        own = name_in(self.graph) if self.graph.get("kind") != "router" else None
        named = own or self.graph.get("graph_name")
        return str(named or graph_name(self.function_name or "graph"))

    def server_options(self) -> dict[str, Any]:
        """Return what ``MockServer`` takes beside the graph; unset options left out.

        ``graph_initializer`` is no option: it is a name, and a function is needed.
        """
        options = {
            "current_function": self.current_function,
            "parameters": dict(self.parameters),
            "secrets": dict(self.secrets),
            "load_mode": self.load_mode,
            "error_stream": self.error_stream,
            "default_content_type": self.default_content_type,
            "streaming": self.streaming,
            "verbose": self.verbose,
            "api_handler": self.api_handler_config,
        }
        return {key: value for key, value in options.items() if value}

    def environment(self) -> dict[str, str]:
        """Return the environment of a function that MLRun would serve it in."""
        current = "" if self.current_function == EVERYWHERE else self.current_function
        return {VARIABLE: write_serving_spec(self), FUNCTION_VARIABLE: current}


def read_serving_spec(
    source: str | bytes | Mapping[str, Any] | None = None,
) -> ServingSpec:
    """Read a serving spec; nothing is imported, nothing is evaluated.

    Args:
        source: the JSON text, as it is or packed by MLRun (gzip, then base64); the
            object it stands for; an environment that holds ``SERVING_SPEC_ENV`` (and
            ``SERVING_CURRENT_FUNCTION``); None = the environment of this process.

    Raises:
        SpecError: it has a wrong shape, unknown fields or values of a wrong type, or
            its graph has; all problems are listed.

    >>> read_serving_spec('{"graph": {"steps": {"a": {"handler": "f"}}}}').load_mode
    """
    given: Any = os.environ if source is None else source
    current = EVERYWHERE
    if isinstance(given, Mapping) and (VARIABLE in given or given is os.environ):
        current = str(given.get(FUNCTION_VARIABLE) or "")
        given = given.get(VARIABLE)
        if not given:
            raise SpecError(f"the environment has no {VARIABLE}")
    document = _unpacked(given) if isinstance(given, str | bytes) else given
    return serving_spec_of(document, current_function=current)


def serving_spec_of(
    document: Any,
    *,
    current_function: str = EVERYWHERE,
    notes: tuple[str, ...] = (),
    what: str = "the serving spec",
) -> ServingSpec:
    """Return the serving spec that a document is.

    Args:
        document: the object of fields.
        current_function: the function whose steps run.
        notes: what was found before and is not used.
        what: what errors call the document.
    """
    check_size(document, what)
    if not isinstance(document, Mapping):
        raise SpecError(f"{what} is an object of fields, got {short(document)}")
    problems = list(_problems(document, what))
    secrets, secret_notes = secrets_in(document.get("secret_sources"), problems)
    SpecError.raise_all(f"invalid serving spec: {what}", problems)
    values: dict[str, Any] = {
        key: copied(document[key])
        for key in (*TEXTS, *FLAGS, *OBJECTS)
        if key not in CARRIED and not is_empty(document.get(key))
    }
    carried = {key: document[key] for key in CARRIED if not is_empty(document.get(key))}
    if carried.get("version") == VERSION:
        del carried["version"]  # it is always written
    return ServingSpec(
        graph=copied(document["graph"]),
        current_function=current_function,
        secrets=secrets,
        carried=carried,
        notes=(*notes, *_notes(document), *secret_notes),
        **values,
    )


def write_serving_spec(spec: ServingSpec) -> str:
    """Return a serving spec as the JSON text that MLRun reads; its secrets included.

    Raises:
        SpecError: a value cannot be written.
    """
    document: dict[str, Any] = {"graph": dict(spec.graph), "version": VERSION}
    for key in KNOWN:
        if key not in ("graph", "secret_sources", *CARRIED):
            value = getattr(spec, key)
            if value is not False and not is_empty(value):
                document[key] = copied(value)
    document |= spec.carried
    if spec.secrets:
        document["secret_sources"] = [{"kind": "inline", "source": dict(spec.secrets)}]
    try:
        return json.dumps(document, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise SpecError(f"the serving spec cannot be written: {error}") from None


def _unpacked(text: str | bytes) -> Any:
    """Read the text, which MLRun packs where it is long."""
    if isinstance(text, bytes):
        try:
            text = text.decode("utf-8")
        except UnicodeDecodeError as error:
            raise SpecError(f"the serving spec is no UTF-8: {error}") from None
    if not text.lstrip().startswith(("{", "[")):
        try:
            packed = base64.b64decode(text, validate=True)
            unpacker = zlib.decompressobj(wbits=31)  # gzip's frame
            unpacked = unpacker.decompress(packed, LONGEST + 1)
            text = unpacked.decode("utf-8")
        except (ValueError, binascii.Error, zlib.error):
            pass  # it is no packed text, so it shall be JSON
    return read_json(text, "the serving spec")


def _problems(document: Mapping[str, Any], what: str) -> Iterator[str]:
    yield from unknown_fields(document, KNOWN, what)
    for names, kinds, right in (
        (TEXTS, str, "a text"),
        (FLAGS, bool, "true or false"),
        (OBJECTS, Mapping, "an object"),
    ):
        for key in names:
            value = document.get(key)
            if value is not None and not isinstance(value, kinds):
                yield f"field {key!r} of {what} is {right}, got {short(value)}"
    yield from _wrong_values(document, what)
    graph = document.get("graph")
    if not graph:
        yield f"{what} has no graph"
        return
    try:
        from_dict(graph)
    except SpecError as error:
        yield from error.problems


def _wrong_values(document: Mapping[str, Any], what: str) -> Iterator[str]:
    mode = document.get("load_mode")
    if isinstance(mode, str) and mode and mode not in LOAD_MODES:
        yield (
            f"field 'load_mode' of {what} is 'sync' or 'async', got {short(mode)}"
            f"{did_you_mean(mode, LOAD_MODES)}"
        )
    for key in ("parameters", "functions"):
        given = document.get(key)
        if isinstance(given, Mapping):
            for name, value in given.items():
                if not isinstance(name, str):
                    yield f"the names in {key!r} of {what} are texts, got {short(name)}"
                if key == "functions" and not isinstance(value, str):
                    yield (
                        f"function {short(name)} in 'functions' of {what} is a URI, "
                        f"got {short(value)}"
                    )


def _notes(document: Mapping[str, Any]) -> Iterator[str]:
    version = document.get("version")
    if version not in (None, "", VERSION):
        yield f"version {version!r} of the serving spec is read as {VERSION!r}"
    if document.get("track_models"):
        yield "track_models: MLRun's model monitoring is not called"
    if name := document.get("graph_initializer"):
        yield f"graph_initializer {name!r} is not called: give the function itself"
