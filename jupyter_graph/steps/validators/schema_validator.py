"""Bodies that must fit a schema: pydantic, JSON Schema or pandera."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Unpack

from jupyter_graph.argument_checks import one_of
from jupyter_graph.errors import SpecError
from jupyter_graph.steps.base_arguments import takes_arguments_of
from jupyter_graph.steps.validators.schema_libraries import schema_of
from jupyter_graph.steps.validators.validator import (
    Acting,
    Severity,
    Validator,
)
from jupyter_graph.steps.validators.violations import LEVELS, Violation
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
        one_of("severity", severity, LEVELS)
        self._severity, self._message, self._convert = severity, message, convert
        self._schema = schema_of(schema, strict=strict, check_formats=check_formats)
        if convert and not self._schema.converts:
            raise SpecError("convert=True: JSON Schema converts nothing, pydantic does")

    def judged(self, body: Any) -> tuple[Any, list[Violation]]:
        is_table = is_pandas(body)
        is_list = type(body) is not dict and isinstance(body, list | tuple)
        if self._schema.takes_whole or not (is_table or is_list):
            return self._one(body, (None, None), "row")
        given, violations = [], []
        for row, one in enumerate(body.to_dict("records") if is_table else body):
            label = body.index[row] if is_table else None
            read, found = self._one(one, (row, label), "row" if is_table else "item")
            given.append(read)
            violations += found
        # rows that were not converted would give the frame columns of mixed types
        if not self._convert or (is_table and violations):
            return body, violations
        return type(body)(given, index=body.index) if is_table else given, violations

    def _one(
        self, body: Any, place: Sequence[Any], unit: str
    ) -> tuple[Any, list[Violation]]:
        read, problems = self._schema.read(body)
        severity, message = self._severity, self._message
        violations = [
            Violation(path, value, rule, severity, row, label, message, unit)
            for path, value, rule, *own in problems
            for row, label in [own or place]
        ]
        is_read = self._convert and not violations
        return self._schema.plain(read) if is_read else body, violations
