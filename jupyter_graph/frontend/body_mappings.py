"""Body mappings at work: what of a body is taken, and under which name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Literal

from jupyter_graph.errors import BadRequestError, UnprocessableError
from jupyter_graph.frontend.endpoints import Endpoint, FieldMapping
from jupyter_graph.frontend.jsonpath import JsonPath, json_path

Side = Literal["input", "output"]

_MISSING: Final = object()


class MissingFieldError(UnprocessableError):
    """422: a body has no such field; ``field`` is its name."""

    def __init__(self, message: str, *, field: str = "", **options: Any) -> None:
        super().__init__(message, **options)
        self.field = field


class FieldMap:
    """The mappings of all endpoints that a request belongs to, as one.

    Args:
        side: ``input`` leaves optional fields out that a body does not have,
            ``output`` puts None in their place.
        mappings: the mappings.

    >>> fields = FieldMap("input", [FieldMapping("$.a.b", "b")])
    >>> fields.apply({"a": {"b": 1}}), fields.apply({}), fields.apply("text")
    ({'b': 1}, {}, None)
    """

    def __init__(self, side: Side, mappings: Sequence[FieldMapping]) -> None:
        self._side = side
        self._fields = [
            (one.destination_path, json_path(one.source_path), one.mandatory)
            for one in mappings
        ]
        self._is_mandatory = any(one.mandatory for one in mappings)

    def apply(self, body: Any) -> dict[str, Any] | None:
        """Return the fields of a body; None for one that is no object.

        Raises:
            MissingFieldError: a mandatory field is not there.
            UnprocessableError: the body is no object, but fields are mandatory.
            BadRequestError: an expression cannot be applied to the request.
        """
        if not isinstance(body, dict):
            if self._is_mandatory:
                raise UnprocessableError(
                    f"mandatory {self._side} body mappings need a body that is an "
                    f"object, got {type(body).__name__}"
                )
            return None
        fields: dict[str, Any] = {}
        for name, path, mandatory in self._fields:
            if (value := self._value(path, body)) is not _MISSING:
                fields[name] = value
            elif mandatory:
                raise MissingFieldError(
                    f"{self._side} body mapping: mandatory field {name!r} "
                    f"({path.text}) is not in the body",
                    field=name,
                )
            elif self._side == "output":
                fields[name] = None
        return fields

    def _value(self, path: JsonPath, body: dict[str, Any]) -> Any:
        keys = path.keys  # the usual case is one field: no library, no list
        if keys is not None and len(keys) == 1:
            return body.get(keys[0], _MISSING)
        try:
            values = path.find(body)
        except Exception as error:
            if self._side == "output":
                raise
            raise BadRequestError(
                f"{self._side} body mapping: {path.text} cannot be applied: {error}"
            ) from error
        if len(values) > 1:
            return values
        return values[0] if values else _MISSING


def merged(endpoints: Sequence[Endpoint], side: Side) -> FieldMap | None:
    """Return the mappings of endpoints, the closest first, as one; None without any.

    Where two name the same source or the same destination, the closer one holds.

    >>> near = Endpoint("/a", input_body_mappings=(FieldMapping("$.m", "model"),))
    >>> far = Endpoint("/*", input_body_mappings=(FieldMapping("$.m", "name"),))
    >>> merged([near, far], "input").apply({"m": 1})
    {'model': 1}
    """
    by_name: dict[str, FieldMapping] = {}
    name_of: dict[str, str] = {}
    for endpoint in reversed(endpoints):  # the closest last, so that it replaces
        for one in getattr(endpoint, f"{side}_body_mappings"):
            source = json_path(one.source_path).text
            by_name.pop(name_of.get(source, ""), None)
            by_name[one.destination_path] = one
            name_of[source] = one.destination_path
    return FieldMap(side, tuple(by_name.values())) if by_name else None
