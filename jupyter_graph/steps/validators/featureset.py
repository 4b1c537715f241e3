"""MLRun's validators of features, acting."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Unpack

from jupyter_graph.argument_checks import all_known, found_in, require, telling
from jupyter_graph.errors import SpecError
from jupyter_graph.steps.base_arguments import takes_arguments_of
from jupyter_graph.steps.validators.field_rules import Rule, RulesValidator, Test
from jupyter_graph.steps.validators.patterns import pattern_rule
from jupyter_graph.steps.validators.ranges import is_number, length_rule, range_rule
from jupyter_graph.steps.validators.validator import (
    Acting,
    Validator,
    names,
)


class FeaturesetValidator(RulesValidator):
    """Apply the validators that an MLRun feature set names, and act on violations.

    Body in, body out: an object with the features, a list of objects or a DataFrame,
    unchanged when valid. As in MLRun a feature that is not there is valid, None is not.
    Unlike MLRun's step, which prints, it acts. ``info`` and ``warning`` violations are
    counted and logged once; those of another severity, or of none, count as
    ``error`` and are acted on. ``act_on="info"`` acts on all. True and False are no
    numbers here.

    Args:
        featureset: the feature set: its document (``FeatureSet.to_dict()``), or the
            path of a ``.yaml`` or ``.json`` file of it. A store's URI, as MLRun's
            documents have it, is looked up in the runner's parameter ``featuresets``
            (an object of URIs to documents or paths).
        columns: the features to look at, by default all.
        features: the features alone, in place of a document: an object of names to a
            validator ``{"kind": "minmax", "min": 0, "max": 9, "check_type": true,
            "severity": "info"}`` or to ``{"value_type": "float", "validator": {…}}``,
            or a list of such with ``name``. Kinds are ``minmax``, ``minmaxlen``,
            ``regex`` and ``""`` (the type only), or MLRun's class names.
        on_violation: ``reject``, ``route``, ``tag``, ``count`` or ``drop``.
        to: for ``route``, the follower of bodies with violations.
        valid_to: for ``route``, the follower of valid bodies.
        tag: the field that lists violations.
        act_on: the lowest severity that is acted on.
        context: given by the engine.

    Raises:
        SpecError: the feature set cannot be found or read, a column is not in it, or a
            validator is wrong.
        ViolationError: (from ``do``) 422, with ``on_violation="reject"``.

    State: ``counts``, as ``Validator`` says.

    Source: https://docs.mlrun.org/en/stable/api/mlrun.features/

    >>> bid = {"kind": "minmax", "min": 52}
    >>> step = FeaturesetValidator(features={"bid": bid}, on_violation="tag")
    >>> step.do({"bid": 51.9})["violations"][0]["message"]
    "field 'bid' is 51.9, must be 52 or more"
    """

    @takes_arguments_of(Validator)
    def __init__(
        self,
        featureset: Any = None,
        columns: str | Sequence[str] | None = None,
        *,
        features: Any = None,
        **acting: Unpack[Acting],
    ) -> None:
        if features is None:
            features = _features_of(_document(featureset, acting.get("context")))
        listed = dict(_named(features))
        wanted = names(columns) or tuple(listed)
        for name in wanted:
            found_in(listed, name, f"the feature set has no feature {name!r}")
        rules = [rule for name in wanted for rule in _rules(name, listed[name])]
        super().__init__(rules, **acting)
        if not rules:
            self._logger.warning(
                "step %r: no feature has a validator, every body passes", self._where
            )


def _document(featureset: Any, context: Any) -> Mapping[str, Any]:
    if isinstance(featureset, str):
        known = getattr(context, "parameters", {}).get("featuresets") or {}
        featureset = known.get(featureset, featureset)
    featureset = _as_object(featureset)
    if isinstance(featureset, Mapping):
        return featureset
    if isinstance(featureset, str | Path):
        path = Path(featureset)
        if path.suffix in (".yaml", ".yml", ".json"):
            return _read(path)
    raise SpecError(
        f"no feature set for featureset={featureset!r}: give its document, the path of "
        "a .yaml or .json file, or features; or name it in the runner's parameter "
        "'featuresets'"
    )


def _read(path: Path) -> Mapping[str, Any]:
    import yaml

    problem = f"cannot read the feature set {str(path)!r}"
    with telling(problem, OSError, ValueError, yaml.YAMLError):
        document = yaml.safe_load(path.read_text("utf-8"))  # JSON is YAML too
    if not isinstance(document, Mapping):
        raise SpecError(f"{str(path)!r} holds no feature set, but {document!r}")
    return document


def _features_of(document: Mapping[str, Any]) -> Any:
    inside = document.get("spec", document)
    features = inside.get("features") if isinstance(inside, Mapping) else None
    rule = "a feature set has its features under spec.features"
    require(features is not None, rule, sorted(map(str, document)))
    return features


def _named(features: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    if isinstance(features, Mapping):
        pairs = list(features.items())
    elif isinstance(features, list | tuple):
        pairs = [(_get(one, "name"), one) for one in features]
    else:
        raise SpecError(f"features must be an object or a list, got {features!r}")
    for name, feature in pairs:
        feature = _as_object(feature)
        if not isinstance(name, str) or not isinstance(feature, Mapping):
            raise SpecError(f"a feature must be an object with a name, got {feature!r}")
        is_validator = "kind" in feature and "validator" not in feature
        yield name, {"validator": feature} if is_validator else feature


def _as_object(described: Any) -> Any:
    to_dict = getattr(described, "to_dict", None)
    return to_dict() if callable(to_dict) else described


def _get(feature: Any, key: str) -> Any:
    return (
        feature.get(key) if isinstance(feature, Mapping) else getattr(feature, key, 0)
    )


def _rules(name: str, feature: Mapping[str, Any]) -> list[Rule]:
    """Return the rules of one feature: its type, then its limits."""
    with telling(f"feature {name!r}", SpecError):
        rules = list(_rules_of(feature))
    for rule in rules:
        rule.place((name,))  # a name may have dots in it
    return rules


def _rules_of(feature: Mapping[str, Any]) -> Iterator[Rule]:
    validator = _as_object(feature.get("validator"))
    if validator is None:
        return
    require(isinstance(validator, Mapping), "a validator must be an object", validator)
    own = dict(validator)
    kind = KINDS.get(str(own.pop("kind", "")).rpartition(".")[2])
    severity, check_type = own.pop("severity", None), own.pop("check_type", None)
    if kind is None:
        raise SpecError(
            f"there is no validator {validator['kind']!r} "
            "(known: minmax, minmaxlen, regex)"
        )
    more: dict[str, Any] = {
        "required": False,
        "severity": severity if severity in ("info", "warning") else "error",
    }
    value_type = str(feature.get("value_type"))
    if check_type and value_type in TYPES:
        test, text = TYPES[value_type]
        yield Rule("", text, holds=test, **more)
    make, known = kind
    all_known("its validator takes no", own, known)
    given = {known[key]: value for key, value in own.items() if value is not None}
    if make is not None and given:
        yield make("", **given, **more)


Kind = tuple[Callable[..., Rule] | None, Mapping[str, str]]
_LIMITS = {"min": "min", "max": "max"}
KINDS: Mapping[str, Kind] = {
    "": (None, {}),
    "Validator": (None, {}),
    "minmax": (range_rule, _LIMITS),
    "MinMaxValidator": (range_rule, _LIMITS),
    "minmaxlen": (length_rule, _LIMITS),
    "MinMaxLenValidator": (length_rule, _LIMITS),
    "regex": (pattern_rule, {"regex": "pattern"}),
    "RegexValidator": (pattern_rule, {"regex": "pattern"}),
}
"""MLRun's kind, or class, to what makes the rule, and its arguments to ours."""


def _is_float(value: Any) -> bool:
    float(value)  # says by an error when it is none
    return True


def _whole(bits: int, *, signed: bool) -> tuple[Test, str]:
    least = -(2 ** (bits - 1)) if signed else 0
    most = 2 ** (bits - signed) - 1
    text = f"must be from {least} to {most}"
    return lambda value: is_number(value) and least <= value <= most, text


TYPES: Mapping[str, tuple[Test, str]] = {
    **{f"int{bits}": _whole(bits, signed=True) for bits in (8, 16, 32, 64, 128)},
    **{f"uint{bits}": _whole(bits, signed=False) for bits in (8, 16, 32, 64, 128)},
    "int": _whole(64, signed=True),
    "float32": (_is_float, "must be a number"),
    "float": (_is_float, "must be a number"),
    "bytes": (lambda v: isinstance(v, bytes | bytearray | memoryview), "must be bytes"),
}
"""MLRun's value types that ``check_type`` checks; any value is of another type."""
