"""What every validator does with a violation: reject, route, tag, count or drop."""

from __future__ import annotations

import logging
import threading
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal, TypeAlias, TypedDict

from jupyter_graph.argument_checks import one_of
from jupyter_graph.errors import SpecError
from jupyter_graph.steps.validators.violations import LEVELS, Violation, ViolationError
from jupyter_graph.types import NOTHING, Nothing
from jupyter_graph.values.dataframe_rows import is_pandas

OnViolation: TypeAlias = Literal["reject", "route", "tag", "count", "drop"]
Severity: TypeAlias = Literal["info", "warning", "error"]


class Acting(TypedDict, total=False):
    """The arguments of ``Validator``, which all validators take."""

    on_violation: OnViolation
    to: str | Sequence[str] | None
    valid_to: str | Sequence[str] | None
    tag: str | None
    act_on: Severity
    context: Any


class Validator(ABC):
    """Check each body and act on violations; the base of all validators.

    A body is an object, a list of objects or a DataFrame. A valid one passes as it is.

    Args:
        on_violation: ``reject`` raises a 422 that lists all violations; ``route``
            sends the body to the follower ``to``; ``tag`` adds a field to a new body;
            ``count`` lets it pass; ``drop`` takes the bad items or rows out and ends
            the event when none is left.
        to: for ``route``, the follower (or followers) of bodies with violations.
        valid_to: for ``route``, the follower (or followers) of valid bodies.
        tag: the field, or column, that gets the list of violations. ``violations``
            for ``tag``; for ``route`` only when given.
        act_on: the lowest severity that is acted on: ``info``, ``warning`` or
            ``error``; what is below is counted and logged once.
        context: given by the engine; its logger is used.

    State: ``counts`` and what was logged, in the instance: a restart forgets both, a
    hot swap keeps them while the step's arguments stay the same, each worker has
    its own.
    """

    may_drop = True

    def __init__(
        self,
        *,
        on_violation: OnViolation = "reject",
        to: str | Sequence[str] | None = None,
        valid_to: str | Sequence[str] | None = None,
        tag: str | None = None,
        act_on: Severity = "error",
        context: Any = None,
    ) -> None:
        acts: dict[str, Callable[[Any, list[Violation]], Any]] = {
            "reject": self._reject,
            "route": self._route,
            "tag": self._tagged,
            "count": lambda body, _: body,
            "drop": without,
        }
        one_of("on_violation", on_violation, acts)
        one_of("act_on", act_on, LEVELS)
        for key, value in (("to", to), ("valid_to", valid_to)):
            if (on_violation == "route") != bool(value):
                raise SpecError(_route_problem(key, value, on_violation))
        if tag is not None and on_violation not in ("route", "tag"):
            raise SpecError(
                f"tag={tag!r} goes with 'tag' or 'route', not {on_violation!r}"
            )
        if tag is not None and not (isinstance(tag, str) and tag):
            raise SpecError(f"tag must be the name of a field, got {tag!r}")
        self._routes = on_violation == "route"
        self._to, self._valid_to = names(to), names(valid_to)
        self._tag = tag or ("violations" if on_violation == "tag" else None)
        self._level = LEVELS[act_on]
        self._logger = getattr(context, "logger", None) or logging.getLogger(
            "jupyter_graph.steps"
        )
        self._where = getattr(context, "name", "") or type(self).__name__
        self._act = acts[on_violation]
        self._is_quiet = on_violation not in ("count", "drop")
        self._lock = threading.Lock()
        self._bodies = 0
        self._fields: Counter[str] = Counter()
        self._logged: set[tuple[str, str]] = set()
        self._verdict = threading.local()

    @staticmethod
    def selects(arguments: Mapping[str, Any]) -> bool:
        """Tell whether a validator of these arguments picks its followers."""
        return arguments.get("on_violation") == "route"

    @abstractmethod
    def judged(self, body: Any) -> tuple[Any, list[Violation]]:
        """Return the body that goes on when it is valid, and all violations."""

    @property
    def counts(self) -> dict[str, Any]:
        """The number of bodies with violations, and of violations, by field.

        Safe to read from any thread.
        """
        with self._lock:
            return {
                "bodies": self._bodies,
                "violations": self._fields.total(),
                "fields": dict(self._fields),
            }

    def do(self, body: Any) -> Any | Nothing:
        valid, violations = self.judged(body)
        if violations:
            acting = [v for v in violations if LEVELS[v.severity] >= self._level]
            self._note(violations, acting)
            if acting:
                return self._act(body, acting)
        if self._routes:
            self._verdict.is_valid = True
        return valid

    def select_outlets(self, body: Any) -> tuple[str, ...] | None:
        if not self._routes:
            return None
        # ``do`` has just checked it in this thread, or a time limit moved it to another
        # popped, so that the verdict on one body is never used for the next
        is_valid = self._verdict.__dict__.pop("is_valid", None)
        if is_valid is None:
            is_valid = self.is_valid(body)
        return self._valid_to if is_valid else self._to

    def is_valid(self, body: Any) -> bool:
        """Tell whether a body has no violation that is acted on; nothing is counted."""
        return self.only_notes(self.judged(body)[1])

    def only_notes(self, violations: list[Violation]) -> bool:
        """Tell whether all violations are below what is acted on."""
        return all(LEVELS[v.severity] < self._level for v in violations)

    def _reject(self, _: Any, violations: list[Violation]) -> Any:
        raise ViolationError(violations)

    def _route(self, body: Any, violations: list[Violation]) -> Any:
        self._verdict.is_valid = False
        return self._tagged(body, violations) if self._tag else body

    def _tagged(self, body: Any, violations: list[Violation]) -> Any:
        return tagged(body, violations, str(self._tag))

    def _note(self, violations: list[Violation], acting: list[Violation]) -> None:
        with self._lock:
            self._bodies += 1
            self._fields.update(v.field for v in violations)
            quiet = {id(v) for v in acting} if self._is_quiet else set()
            fresh = [v for v in violations if id(v) not in quiet and self._is_new(v)]
        for violation in fresh:
            self._logger.log(
                min(LEVELS[violation.severity], logging.WARNING),
                "step %r: %s (said once; see counts)",
                self._where,
                violation.text,
            )

    def _is_new(self, violation: Violation) -> bool:
        key = violation.field, violation.rule
        # bounded: a rule over keys of the body could log without end
        if key in self._logged or len(self._logged) >= 1000:
            return False
        self._logged.add(key)
        return True


def _route_problem(key: str, value: Any, mode: str) -> str:
    if mode == "route":
        whose = "valid bodies" if key == "valid_to" else "bodies with violations"
        return (
            f"on_violation='route' needs {key}, the follower of {whose}, got {value!r}"
        )
    return f"{key}={value!r} goes with on_violation='route', not {mode!r}"


def names(given: str | Sequence[str] | None) -> tuple[str, ...]:
    """Return one name, or several, as a tuple."""
    return (given,) if isinstance(given, str) else tuple(given or ())


def tagged(body: Any, violations: Sequence[Violation], field: str) -> Any:
    """Return a new body whose field lists the violations.

    In a list the items that have some get the field; in a table it is a column
    with a list in each row. What the field already lists is kept.

    Raises:
        TypeError: the body, or an item of it, can hold no field.
    """
    if isinstance(body, Mapping):
        return _marked(body, [one.as_dict() for one in violations], field)
    if is_pandas(body):
        import pandas

        rows = _by_row(violations, len(body))
        before = body[field].tolist() if field in body.columns else [[]] * len(body)
        column = [[*_kept(old), *new] for old, new in zip(before, rows, strict=True)]
        marks = pandas.Series(column, index=body.index, dtype=object)
        return body.assign(**{field: marks})
    if isinstance(body, list | tuple):
        rows = _by_row(violations, len(body))
        return [
            _marked(item, new, field) if new else item
            for item, new in zip(body, rows, strict=True)
        ]
    raise _unmarkable(body, field)


def without(body: Any, violations: Iterable[Violation]) -> Any:
    """Return a list or table without its bad items; ``NOTHING`` when none is left."""
    bad = {one.row for one in violations}
    if None in bad:
        return NOTHING
    good = [row for row in range(len(body)) if row not in bad]
    if not good:
        return NOTHING
    return body.iloc[good] if is_pandas(body) else [body[row] for row in good]


def _marked(body: Any, new: list[dict[str, Any]], field: str) -> dict[str, Any]:
    if not isinstance(body, Mapping):
        raise _unmarkable(body, field)
    return {**body, field: [*_kept(body.get(field)), *new]}


def _kept(old: Any) -> list[Any]:
    return old if isinstance(old, list) else []


def _by_row(violations: Iterable[Violation], length: int) -> list[list[dict[str, Any]]]:
    rows: list[list[dict[str, Any]]] = [[] for _ in range(length)]
    for one in violations:
        for row in range(length) if one.row is None else (one.row,):
            rows[row].append(one.as_dict())
    return rows


def _unmarkable(body: Any, field: str) -> TypeError:
    return TypeError(
        f"only an object can get the field {field!r}, got {type(body).__name__}"
    )
