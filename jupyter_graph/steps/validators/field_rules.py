"""Rules on fields, and the validators that apply a list of them to each body."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Unpack

from jupyter_graph.argument_checks import all_known, one_of, require, telling
from jupyter_graph.errors import SpecError
from jupyter_graph.steps.base_arguments import takes_arguments_of
from jupyter_graph.steps.validators.validator import Acting, Severity, Validator
from jupyter_graph.steps.validators.violations import LEVELS, Violation
from jupyter_graph.values.dataframe_rows import is_pandas
from jupyter_graph.values.dotted_path import MISSING, Get, getter, keys_of, spread

Test = Callable[[Any], bool]
Options = Mapping[str, Any]


@dataclass(slots=True)
class Rule:
    """What the value at one path must be.

    Attributes:
        path: dotted path of the value.
        text: the rule in words, such as ``must be from 0 to 10``.
        holds: tells whether a value obeys; it may raise TypeError or ValueError for
            one that cannot be compared.
        quick: tells the same for plain values at less cost, or False if unsure.
        column: tells the same of a whole table column; None where it cannot say.
        required: a body without the path breaks the rule.
        allow_none: None, and NaN, obey.
        severity: ``info``, ``warning`` or ``error``.
        message: used instead of the standard text.
    """

    path: str
    text: str
    holds: Test
    quick: Test = lambda _: False
    column: Callable[[Any], Any] = lambda _: None
    required: bool = True
    allow_none: bool = False
    severity: str = "error"
    message: str | None = None
    keys: tuple[str, ...] = field(init=False)
    get: Get = field(init=False)

    def __post_init__(self) -> None:
        self.place(keys_of(self.path))
        one_of("severity", self.severity, LEVELS)
        for key in ("required", "allow_none"):
            value = getattr(self, key)
            require(isinstance(value, bool), f"{key} must be true or false", value)
        is_text = isinstance(self.message, str | None)
        require(is_text, "message must be a text", self.message)

    def place(self, keys: tuple[str, ...]) -> None:
        """Put the rule at a path, whose keys may have dots in them."""
        self.path = ".".join(keys)
        self.keys, self.get = keys, getter(keys)

    @property
    def is_spread(self) -> bool:
        return "*" in self.keys

    def obeys(self, value: Any) -> bool:
        """Tell whether a value, which may be missing or None, obeys the rule."""
        if self.quick(value):
            return True
        if value is MISSING:
            return not self.required
        if is_none(value):
            return self.allow_none
        try:
            return self.holds(value)
        except (TypeError, ValueError, ArithmeticError):
            return False  # of a kind that cannot be compared

    def violation(self, value: Any, path: str | None = None, **row: Any) -> Violation:
        return Violation(
            field=self.path if path is None else path,
            value=value,
            rule=self.text,
            severity=self.severity,
            message=self.message,
            **row,
        )


def is_none(value: Any) -> bool:
    """Tell whether a value is None, NaN or pandas' NA.

    >>> is_none(None), is_none(float("nan")), is_none(0)
    (True, True, False)
    """
    if value is None:
        return True
    try:
        return bool(value != value)
    except (TypeError, ValueError):  # pandas' NA and arrays do not say
        return type(value).__name__ == "NAType"


class RulesValidator(Validator):
    """Apply rules to each body; the base of the validators of single fields."""

    def __init__(self, rules: Iterable[Rule], **acting: Unpack[Acting]) -> None:
        super().__init__(**acting)
        self.rules = tuple(rules)
        self._plain = tuple(
            (rule.get, rule.quick, rule) for rule in self.rules if not rule.is_spread
        )
        self._spread = tuple(rule for rule in self.rules if rule.is_spread)
        self._is_bare = all(not rule.keys for rule in self.rules)

    def judged(self, body: Any) -> tuple[Any, list[Violation]]:
        if type(body) is dict:
            return body, self._one(body)
        if isinstance(body, list | tuple):
            return body, [
                v for i, one in enumerate(body) for v in self._any(one, row=i)
            ]
        if is_pandas(body):
            return body, [v for rule in self.rules for v in _in_frame(rule, body)]
        return body, self._any(body)

    def _one(self, body: Any, **row: Any) -> list[Violation]:
        violations = []
        for get, quick, rule in self._plain:
            value = get(body)
            # ``quick`` knows plain values only; a False of it means nothing, ``obeys``
            # decides
            if not (quick(value) or rule.obeys(value)):
                violations.append(rule.violation(value, **row))
        for rule in self._spread:
            violations += [
                rule.violation(value, path, **row)
                for path, value in spread(rule.keys, body)
                if not rule.obeys(value)
            ]
        return violations

    def _any(self, body: Any, **row: Any) -> list[Violation]:
        if self._is_bare or isinstance(body, Mapping):
            return self._one(body, **row)
        return [Violation("", body, "must be an object", **row)]


class FieldOptions(Acting, total=False):
    """The arguments that all validators of single fields take."""

    required: bool
    allow_none: bool
    message: str | None
    severity: Severity


class FieldsValidator(RulesValidator):
    """Make one rule for each of some fields; the base of ranges, lengths, patterns.

    Args:
        fields: a path, several, or paths to options.
        make: makes a rule from a path and options.
        short: turns the short form of a field's options into the long one, or returns
            None for what is neither.
        own: the options of the kind of rule, for all fields.
        required, allow_none, message, severity: as of ``Rule``, for all fields.
        **acting: as of ``Validator``.

    Raises:
        SpecError: there is no field, or options are wrong.
    """

    @takes_arguments_of(Validator)
    def __init__(
        self,
        fields: Any,
        make: Callable[..., Rule],
        short: Callable[[Any], Options | None],
        own: Options,
        *,
        required: bool = True,
        allow_none: bool = False,
        message: str | None = None,
        severity: Severity = "error",
        **acting: Unpack[Acting],
    ) -> None:
        common = {
            **own,
            "required": required,
            "allow_none": allow_none,
            "message": message,
            "severity": severity,
        }
        if isinstance(fields, str):
            fields = (fields,)
        if isinstance(fields, list | tuple):
            fields = dict.fromkeys(fields)
        words = "a path, a list of paths, or an object of paths to options"
        is_object = isinstance(fields, Mapping) and len(fields) > 0
        require(is_object, f"fields must be {words}", fields)
        rules = []
        for path, given in fields.items():
            with telling(f"field {path!r}", SpecError):
                rules.append(make(path, **_options_of(given, common, short)))
        super().__init__(rules, **acting)


def _in_frame(rule: Rule, frame: Any) -> Iterator[Violation]:
    column = column_of(rule, frame)
    if column is None:
        if rule.required:
            yield rule.violation(MISSING)
        return
    bad = _bad_parts if rule.is_spread else _bad_cells
    for row, value, path in bad(rule, column):
        label = column.index[row]
        yield rule.violation(value, path, row=row, label=label, unit="row")


def column_of(rule: Rule, frame: Any) -> Any:
    """Return a column, or what lies at the path inside the objects of one."""
    if not rule.keys:
        raise TypeError('a table has columns; field "" is for single values')
    if rule.path in frame.columns:
        return frame[rule.path]
    first, *rest = rule.keys
    if first not in frame.columns:
        return None
    column = frame[first]
    if rule.is_spread:
        return column
    get = getter(("it", *rest))
    values = [get({"it": value}) for value in column.tolist()]
    return type(column)(values, index=column.index, dtype=object)


def _bad_cells(rule: Rule, column: Any) -> Iterator[tuple[int, Any, None]]:
    good = rule.column(column)
    if good is None:
        good = [rule.obeys(value) for value in column.tolist()]
    else:
        empty = column.isna().to_numpy()
        good = (good | empty) if rule.allow_none else (good & ~empty)
    return ((row, column.iloc[row], None) for row, ok in enumerate(good) if not ok)


def _bad_parts(rule: Rule, column: Any) -> Iterator[tuple[int, Any, str]]:
    for row, value in enumerate(column.tolist()):
        for path, inner in spread(rule.keys, {rule.keys[0]: value}):
            if not rule.obeys(inner):
                yield row, inner, path


def _options_of(
    own: Any, common: Options, short: Callable[[Any], Options | None]
) -> Options:
    """Return a field's options: its own ones over the common ones."""
    options = own if isinstance(own, Mapping) else {} if own is None else short(own)
    if options is None:
        raise SpecError(f"{own!r} is no options")
    all_known("there is no option", options, common)
    return {**common, **options}


def low_and_high(own: Any) -> Options | None:
    """Turn ``[min, max]`` into options."""
    if isinstance(own, list | tuple) and len(own) == 2:
        return {"min": own[0], "max": own[1]}
    return None
