"""A validator of values over time: has their distribution moved?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal, Unpack

from jupyter_graph.argument_checks import is_finite, one_of, require, whole
from jupyter_graph.errors import SpecError
from jupyter_graph.steps.base_arguments import takes_arguments_of
from jupyter_graph.steps.validators.drift import (
    BinWindow,
    MeanWindow,
    SampleWindow,
    Window,
    is_usable,
)
from jupyter_graph.steps.validators.field_rules import (
    Rule,
    RulesValidator,
    column_of,
    is_none,
)
from jupyter_graph.steps.validators.ranges import is_number
from jupyter_graph.steps.validators.validator import (
    Acting,
    Severity,
    Validator,
)
from jupyter_graph.steps.validators.violations import Violation
from jupyter_graph.values.dataframe_rows import is_pandas
from jupyter_graph.values.dotted_path import MISSING

Method = Literal["z", "psi", "ks"]
METHODS = ("z", "psi", "ks")


class DistributionValidator(RulesValidator):
    """Compare the last values of a field with a reference, and act while they differ.

    Every value enters the window, those of events that are acted on too; so it acts
    from the event on that moves the window too far until the window is back. Body in,
    body out: an object, a list of objects or a DataFrame (all values of it enter, then
    it is judged once), unchanged when valid. What is no finite number is a violation
    by itself, and stays out of the window.

    Args:
        field: dotted path of the value, without ``*``; "" is the body itself.
        reference: a list of numbers (a training column); for ``z`` also ``{"mean",
            "std"}``; for ``psi`` also ``{"edges", "shares"}``, ``{"categories":
            {name: share}}``, or a list of texts.
        method: ``z``, the distance of the means in standard errors; ``psi``, the
            population stability index; ``ks``, the Kolmogorov-Smirnov distance.
        limit: the greatest statistic that is no drift, above 0. By default 4 for
            ``z``, 0.25 for ``psi``, and the critical value at alpha = 0.001 for ``ks``.
        window: as many values are looked at, 2 or more.
        min_values: with fewer values there is no violation; by default ``window``.
        every: the statistic is computed at every so many values, and holds until then;
            by default 1, for ``ks`` a tenth of ``window``.
        bins: of a sample, for ``psi``, 2 or more.
        required: a body without the field is a violation.
        allow_none: None and NaN are valid; they stay out of the window.
        message: used instead of the standard text.
        severity: ``info``, ``warning`` or ``error``.
        on_violation: ``tag`` by default, since drift is not the fault of the caller
            whose event shows it; ``reject``, ``route``, ``count`` or ``drop``.
        to: for ``route``, the follower of bodies with violations.
        valid_to: for ``route``, the follower of valid bodies.
        tag: the field that lists violations.
        act_on: the lowest severity that is acted on.
        context: given by the engine.

    Raises:
        SpecError: an argument is wrong, or the reference does not fit the method.
        ViolationError: (from ``do``) 422, with ``on_violation="reject"``.

    State: the window and ``counts``, in the instance, under a lock. A restart begins
    with an empty window, a hot swap keeps it while the step's arguments stay the same
    (a list of plain values, no array), each worker has its own window, and values count
    in the order they come, late ones too.

    Source: the formulas are those of ``validators_drift``.

    >>> drift = DistributionValidator("c", {"mean": 20, "std": 2}, window=4)
    >>> [bool(drift.do({"c": c}).get("violations")) for c in (21, 19, 20, 40, 41)]
    [False, False, False, True, True]
    """

    @takes_arguments_of(Validator, on_violation="tag")
    def __init__(
        self,
        field: str,
        reference: Any,
        *,
        method: Method = "z",
        limit: float | None = None,
        window: int = 500,
        min_values: int | None = None,
        every: int | None = None,
        bins: int = 10,
        required: bool = True,
        allow_none: bool = False,
        message: str | None = None,
        severity: Severity = "error",
        **acting: Unpack[Acting],
    ) -> None:
        one_of("method", method, METHODS)
        whole("window", window, 2)
        whole("bins", bins, 2)
        if limit is not None and not (is_number(limit) and limit > 0):
            raise SpecError(f"limit must be a number above 0, got {limit!r}")
        self._window = _window(method, window, reference, bins)
        named = isinstance(self._window, BinWindow) and self._window.is_named
        rule = Rule(
            field,
            "must be a text" if named else "must be a finite number",
            holds=_is_text if named else is_usable,
            quick=_is_text if named else _is_plain,
            required=required,
            allow_none=allow_none,
            severity=severity,
            message=message,
        )
        if rule.is_spread:
            raise SpecError(f"field {field!r}: one value of each body is looked at")
        super().__init__([rule], **acting)
        self._min = whole("min_values", window if min_values is None else min_values, 1)
        pace = max(window // 10, 1) if method == "ks" else 1
        self._every = whole("every", pace if every is None else every, 1)
        require(self._min <= window, "min_values must not be above window", min_values)
        self._limit, self._method, self._size = limit, method, window
        self._fresh = 0
        self._statistic: float | None = None
        self._drift: Violation | None = None

    @property
    def statistic(self) -> float | None:
        """The last statistic, None before there was one."""
        return self._statistic

    @property
    def is_drifting(self) -> bool:
        return self._drift is not None

    def judged(self, body: Any) -> tuple[Any, list[Violation]]:
        [rule] = self.rules
        if type(body) is dict and rule.quick(value := rule.get(body)):
            violations, values = [], (value,)
        else:
            violations = super().judged(body)[1]
            values = tuple(one for one in _values(rule, body) if _counts(rule, one))
        with self._lock:
            for value in values:
                self._add(value)
            drift = self._drift
        return body, [*violations, drift] if drift else violations

    def is_valid(self, body: Any) -> bool:
        drift = (self._drift,) if self._drift else ()
        return self.only_notes([*super().judged(body)[1], *drift])

    def _add(self, value: Any) -> None:
        self._window.add(value)
        self._fresh += 1
        if self._window.count >= self._min and self._fresh >= self._every:
            self._fresh = 0
            self._judge()

    def _judge(self) -> None:
        [rule] = self.rules
        self._statistic = statistic = self._window.statistic()
        limit = self._window.limit() if self._limit is None else self._limit
        if statistic <= limit:
            self._drift = None
            return
        asked = f"{self._method} must be {limit:.4g} or less"
        count = self._window.count
        seen = f"is {statistic:.4g} over {count} values"
        text = f"field {rule.path!r} drifts: {asked}, {seen}"
        self._drift = Violation(
            rule.path, statistic, asked, rule.severity, message=rule.message or text
        )


def _values(rule: Rule, body: Any) -> Iterable[Any]:
    if is_pandas(body):
        column = column_of(rule, body)
        return () if column is None else column.tolist()
    bodies = body if isinstance(body, list | tuple) else (body,)
    is_bare = not rule.keys
    return [rule.get(one) for one in bodies if is_bare or isinstance(one, Mapping)]


def _counts(rule: Rule, value: Any) -> bool:
    return value is not MISSING and not is_none(value) and rule.obeys(value)


def _window(method: str, size: int, reference: Any, bins: int) -> Window:
    if method == "psi":
        return BinWindow(size, reference, bins)
    return (MeanWindow if method == "z" else SampleWindow)(size, reference)


def _is_plain(value: Any) -> bool:
    return type(value) in (int, float) and is_finite(value)


def _is_text(value: Any) -> bool:
    return isinstance(value, str)
