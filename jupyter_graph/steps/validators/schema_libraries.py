"""Schemas of three libraries, each read once and asked in the same way."""

from __future__ import annotations

import dataclasses
import inspect
import reprlib
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from jupyter_graph.argument_checks import telling
from jupyter_graph.errors import SpecError
from jupyter_graph.values.dataframe_rows import is_pandas
from jupyter_graph.values.dotted_path import MISSING

Problem = tuple[Any, ...]
"""Path, value, rule; for a table also the row's position and label."""


class Schema(ABC):
    """What a body is held against."""

    converts: ClassVar[bool] = True
    takes_whole = False
    """A list or table is one body to it, not many."""

    @abstractmethod
    def read(self, body: Any) -> tuple[Any, list[Problem]]:
        """Return the body as the schema reads it, and what is wrong with it."""

    def plain(self, read: Any) -> Any:
        """Return what it read as a body."""
        return read


def schema_of(schema: Any, *, strict: bool, check_formats: bool) -> Schema:
    """Read a schema.

    Raises:
        SpecError: it is none, or its package is not installed.
    """
    if isinstance(schema, Mapping):
        return JSONSchema(schema, check_formats=check_formats)
    kind = schema if inspect.isclass(schema) else type(schema)
    if any(base.__module__.partition(".")[0] == "pandera" for base in kind.__mro__):
        return PanderaSchema(schema)
    is_model = hasattr(schema, "__pydantic_core_schema__")
    is_class = dataclasses.is_dataclass(schema) or hasattr(schema, "__required_keys__")
    if inspect.isclass(schema) and (is_model or is_class):
        return PydanticSchema(schema, strict=strict)
    raise SpecError(
        "schema must be a pydantic model, dataclass or TypedDict (the class), a JSON "
        f"Schema (an object), or a pandera schema, got {schema!r}"
    )


def missing(package: str) -> SpecError:
    """Return the error that tells how to install a package."""
    return SpecError(
        f"this schema needs the package {package}: "
        'pip install "jupyter_graph[validate]"'
    )


class PydanticSchema(Schema):
    """A pydantic model, dataclass or TypedDict."""

    def __init__(self, schema: Any, *, strict: bool) -> None:
        try:
            from pydantic import TypeAdapter, ValidationError
        except ImportError:
            raise missing("pydantic") from None
        with telling(f"pydantic cannot read {schema!r}", Exception):
            self._adapter = TypeAdapter(schema)
        # the method of pydantic-core itself: TypeAdapter's own adds a call to each body
        self._validate = self._adapter.validator.validate_python
        self._strict = strict or None
        self._error = ValidationError

    def read(self, body: Any) -> tuple[Any, list[Problem]]:
        try:
            result = self._validate(body, strict=self._strict)
        except self._error as error:
            listed = error.errors(include_url=False, include_context=False)
            return body, [_of_pydantic(one) for one in listed]
        return result, []

    def plain(self, read: Any) -> Any:
        return self._adapter.dump_python(read)


def _of_pydantic(one: Any) -> Problem:
    value = MISSING if one["type"] == "missing" else one["input"]
    message = one["msg"]
    return ".".join(map(str, one["loc"])), value, message[:1].lower() + message[1:]


class JSONSchema(Schema):
    """A JSON Schema of any draft that ``jsonschema`` knows, 2020-12 by default."""

    converts = False

    def __init__(self, schema: Mapping[str, Any], *, check_formats: bool) -> None:
        try:
            import jsonschema
            import referencing
            from jsonschema.validators import validator_for
        except ImportError:
            raise missing("jsonschema") from None
        schema = dict(schema)
        self.takes_whole = schema.get("type") == "array"
        kind = validator_for(schema, default=jsonschema.Draft202012Validator)
        try:
            kind.check_schema(schema)
        except jsonschema.SchemaError as error:
            raise SpecError(f"the JSON Schema is wrong: {error.message}") from error
        _refuse_foreign(schema)
        checker = kind.FORMAT_CHECKER if check_formats else None
        if check_formats:
            _refuse_unknown_formats(schema, checker)
        # an own registry: by default a reference would be fetched from the network
        self._validator = kind(
            schema, format_checker=checker, registry=referencing.Registry()
        )

    def read(self, body: Any) -> tuple[Any, list[Problem]]:
        return body, [_of_json(error) for error in self._validator.iter_errors(body)]


FORMATS = frozenset(
    {
        "date", "date-time", "duration", "email", "hostname", "idn-email",
        "idn-hostname", "ipv4", "ipv6", "iri", "iri-reference", "json-pointer", "regex",
        "relative-json-pointer", "time", "uri", "uri-reference", "uri-template", "uuid",
    }
)  # fmt: skip
"""Source: https://json-schema.org/draft/2020-12/json-schema-validation#section-7.3"""


def _refuse_foreign(schema: Any) -> None:
    own = {part["$id"] for part in _objects(schema) if isinstance(part.get("$id"), str)}
    for part in _objects(schema):
        reference = part.get("$ref")
        if not isinstance(reference, str) or reference.startswith("#"):
            continue
        if reference.partition("#")[0] not in own:
            raise SpecError(
                f"the JSON Schema refers to {reference!r}, which is not fetched; put "
                'that schema under "$defs" and refer to "#/$defs/…"'
            )


def _refuse_unknown_formats(schema: Any, checker: Any) -> None:
    for part in _objects(schema):
        name = part.get("format")
        if name in FORMATS and name not in checker.checkers:
            raise SpecError(
                f"format {name!r} needs more packages: "
                'pip install "jupyter_graph[validate]", or say check_formats=False'
            )


def _objects(schema: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(schema, Mapping):
        yield schema
        for inner in schema.values():
            yield from _objects(inner)
    elif isinstance(schema, list | tuple):
        for inner in schema:
            yield from _objects(inner)


def _of_json(error: Any) -> Problem:
    keys, value = [str(key) for key in error.absolute_path], error.instance
    word, asked = error.validator, error.validator_value
    if word == "required":
        # jsonschema reports one error for each missing name, and names it in the text
        # only
        lost = [name for name in asked if error.message.startswith(repr(name))]
        return ".".join([*keys, *lost[:1]]), MISSING, "must be there"
    if word in ("additionalProperties", "unevaluatedProperties"):
        return ".".join(keys), value, error.message[:200]
    return ".".join(keys), value, f"must obey {word} {reprlib.repr(asked)}"


class PanderaSchema(Schema):
    """A pandera schema or model of a DataFrame."""

    takes_whole = True

    def __init__(self, schema: Any) -> None:
        from pandera.errors import SchemaErrors

        self._schema = schema.to_schema() if hasattr(schema, "to_schema") else schema
        if not callable(getattr(self._schema, "validate", None)):
            raise SpecError(f"a pandera schema is needed, got {schema!r}")
        self._error = SchemaErrors

    def read(self, body: Any) -> tuple[Any, list[Problem]]:
        if not is_pandas(body):
            return body, [("", body, "must be a DataFrame")]
        try:
            return self._schema.validate(body, lazy=True), []
        except self._error as error:
            cases = error.failure_cases.to_dict("records")
            return body, [_of_pandera(case, body) for case in cases]


def _of_pandera(case: Any, frame: Any) -> Problem:
    label, rule = case["index"], f"must obey {case['check']}"
    # a check of the whole table has no row: its index is None or NaN
    if label is None or label != label:
        if case["check"] == "column_in_dataframe":
            return str(case["failure_case"]), MISSING, "must be there"
        column = case["column"] if isinstance(case["column"], str) else ""
        return column, case["failure_case"], rule
    place = frame.index.get_indexer([label])[0] if frame.index.is_unique else -1
    row = int(place) if place >= 0 else None
    return str(case["column"]), case["failure_case"], rule, row, label
