"""Bodies that must fit a schema: pydantic, JSON Schema or pandera."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Unpack

from jupyter_graph.argument_checks import one_of
from jupyter_graph.errors import SpecError
from jupyter_graph.steps.base_arguments import takes_arguments_of
from jupyter_graph.steps.validators.schema_libraries import Schema, schema_of
from jupyter_graph.steps.validators.validator import (
    Acting,
    Severity,
    Validator,
)
from jupyter_graph.steps.validators.violations import LEVELS as SEVERITIES
from jupyter_graph.steps.validators.violations import Violation
from jupyter_graph.values.dataframe_rows import is_pandas


class SchemaValidator(Validator):
    """Let bodies pass that fit a schema, and act on others.

    Body in: an object; a list of objects, each of which must fit; or a DataFrame, each
    row of which must fit (with a pandera schema: the whole table, which is faster).
    A JSON Schema of ``"type": "array"`` takes the list as a whole. Body out: the same,
    or what the schema made of it with ``convert``.

    Args:
        schema: a pydantic model, dataclass or TypedDict (a class); a JSON Schema (an
            object); or a pandera schema or model.
        convert: the body goes on as the schema reads it: texts turned to numbers,
            defaults filled in (pydantic: an object again; pandera: the table). JSON
            Schema converts nothing.
        strict: pydantic takes no texts for numbers and the like.
        check_formats: JSON Schema's ``format`` (``email``, ``date-time``, …) counts.
        message: used instead of the standard text.
        severity: of every violation: ``info``, ``warning`` or ``error``.
        on_violation: ``reject``, ``route``, ``tag``, ``count`` or ``drop``.
        to: for ``route``, the follower of bodies with violations.
        valid_to: for ``route``, the follower of valid bodies.
        tag: the field that lists violations.
        act_on: the lowest severity that is acted on.
        context: given by the engine.

    Raises:
        SpecError: an argument is wrong, the schema is none, refers to another document,
            or its package is not installed.
        ViolationError: (from ``do``) 422, with ``on_violation="reject"``.

    State: ``counts``, as ``Validator`` says.

    Source: https://json-schema.org/specification, https://docs.pydantic.dev,
    https://pandera.readthedocs.io

    >>> schema = {"properties": {"amount": {"type": "number", "minimum": 0}}}
    >>> bad = SchemaValidator(schema, on_violation="tag").do({"amount": -5})
    >>> bad["violations"][0]["message"]
    "field 'amount' is -5, must obey minimum 0"
    """

    @takes_arguments_of(Validator)
    def __init__(
        self,
        schema: Any,
        *,
        convert: bool = False,
        strict: bool = False,
        check_formats: bool = True,
        message: str | None = None,
        severity: Severity = "error",
        **acting: Unpack[Acting],
    ) -> None:
        super().__init__(**acting)
        one_of("severity", severity, SEVERITIES)
        self._severity, self._message, self._convert = severity, message, convert
        self._schema: Schema = schema_of(
            schema, strict=strict, check_formats=check_formats
        )
        if convert and not self._schema.converts:
            raise SpecError("convert=True: JSON Schema converts nothing, pydantic does")

    def judged(self, body: Any) -> tuple[Any, list[Violation]]:
        if self._schema.takes_whole or isinstance(body, Mapping):
            return self._whole(body)
        if isinstance(body, list | tuple):
            given, violations = self._each(body, None)
            return (given if self._convert else body), violations
        if is_pandas(body):
            given, violations = self._each(body.to_dict("records"), body.index)
            # rows that were not converted would give the frame columns of mixed types
            if self._convert and not violations:
                return type(body)(given, index=body.index), violations
            return body, violations
        return self._whole(body)

    def _whole(self, body: Any) -> tuple[Any, list[Violation]]:
        read, problems = self._schema.read(body)
        violations = [self._violation(*problem) for problem in problems]
        return (
            self._schema.plain(read) if self._convert and not violations else body
        ), violations

    def _each(
        self, bodies: Sequence[Any], index: Any
    ) -> tuple[list[Any], list[Violation]]:
        given, violations = [], []
        unit = "item" if index is None else "row"
        for row, body in enumerate(bodies):
            read, problems = self._schema.read(body)
            if self._convert:
                given.append(body if problems else self._schema.plain(read))
            label = None if index is None else index[row]
            violations += [
                self._violation(path, value, rule, row, label, unit)
                for path, value, rule, *_ in problems
            ]
        return given, violations

    def _violation(
        self,
        path: str,
        value: Any,
        rule: str,
        row: int | None = None,
        label: Any = None,
        unit: str = "row",
    ) -> Violation:
        return Violation(
            path, value, rule, self._severity, row, label, self._message, unit
        )
