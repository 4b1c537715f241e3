"""Feature vectors: the rows of a table by entity, with what stands for missing values.

Source: MLRun's online feature service,
https://docs.mlrun.org/en/stable/feature-store/feature-vectors.html
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal

from jupyter_graph.argument_checks import found_in, require, telling
from jupyter_graph.connectors.event_key import key_text
from jupyter_graph.connectors.tables.open_table import open_table
from jupyter_graph.errors import BadRequestError, NotFoundError, SpecError

UnknownEntity = Literal["error", "null", "impute"]
STATISTICS: Mapping[str, Callable[[list[Any]], Any]] = {
    "mean": statistics.mean,
    "min": min,
    "max": max,
    "std": statistics.stdev,
    "count": len,
}


class FeatureVectors:
    """Gives the features of entities, in a fixed order.

    Args:
        table: a place of ``open_table``: a dict, a list of rows, a DataFrame, or a URL.
        keys: names of the fields that say which entity a row is of; several make a
            key together.
        features: names of the features, in the order of the vector; by default, for
            rows that are given, those of the first row that are no keys.
        impute_policy: what stands for None, NaN and infinity, by feature, ``*`` for all
            others: a constant, or ``$mean``, ``$min``, ``$max``, ``$std``, ``$count``.
        stats: ``{feature: {"mean": 1.5, ...}}``, by default made from the rows that are
            given.
        unknown_entity: what an entity that is not in the table gives: ``error``,
            ``null`` in place of its vector, or ``impute`` all its features.
        context: a step's.

    Raises:
        SpecError: an argument has a wrong value.

    >>> rows = {"ann": {"age": 30, "pay": 2.0}, "bob": {"age": None, "pay": 3.0}}
    >>> vectors = FeatureVectors(rows, impute_policy={"*": "$mean"})
    >>> vectors.of([["bob"], {"id": "ann"}])
    [[30, 3.0], [30, 2.0]]
    """

    def __init__(
        self,
        table: Any,
        *,
        keys: str | Sequence[str] | None = None,
        features: Sequence[str] | None = None,
        impute_policy: Mapping[str, Any] | None = None,
        stats: Mapping[str, Mapping[str, Any]] | None = None,
        unknown_entity: UnknownEntity = "error",
        context: Any = None,
    ) -> None:
        is_known = unknown_entity in ("error", "null", "impute")
        rule = "unknown_entity must be 'error', 'null' or 'impute'"
        require(is_known, rule, unknown_entity)
        self.keys = (keys,) if isinstance(keys, str) else tuple(keys or ())
        # a list or a frame is looked up by a column; a mapping has its keys already
        has_column = len(self.keys) == 1 and not isinstance(table, str | Mapping)
        key_column = self.keys[0] if has_column else None
        self.table = open_table(table, key_column=key_column, context=context)
        self._unknown_entity = unknown_entity
        self._is_given = not isinstance(table, str)
        self.features = self._features(features)
        self._values = self._imputed(impute_policy or {}, stats)

    def of(self, entities: Any) -> list[Any]:
        """Return one vector for each entity.

        Args:
            entities: a list; each a list of key values, an object with the key fields,
                or a single value.

        Raises:
            BadRequestError: they are no list, or one is none of these.
            NotFoundError: an entity is not in the table.
        """
        if not isinstance(entities, list):
            raise BadRequestError(
                f"inputs must be a list of entities, got {type(entities).__name__}"
            )
        return [self._vector(entity) for entity in entities]

    def close(self) -> None:
        """Close the table."""
        self.table.close()

    def _vector(self, entity: Any) -> list[Any] | None:
        row = self.table.get(self._key(entity))
        if row is None:
            if self._unknown_entity == "error":
                raise NotFoundError(f"there are no features of the entity {entity!r}")
            if self._unknown_entity == "null":
                return None
            row = {}
        values = _by_name(row, self.features)
        return [
            self._values.get(name, value) if _is_missing(value) else value
            for name, value in zip(self.features, values, strict=True)
        ]

    def _key(self, entity: Any) -> str:
        if isinstance(entity, Mapping):
            names = self.keys or tuple(entity)
            lacking = [name for name in names if name not in entity]
            if lacking or not names:
                raise BadRequestError(
                    f"an entity must have the fields {', '.join(names)}, got {entity!r}"
                )
            parts = [entity[name] for name in names]
        else:
            parts = entity if isinstance(entity, list) else [entity]
        if not parts or (self.keys and len(parts) != len(self.keys)):
            raise BadRequestError(
                f"an entity must have {len(self.keys) or 1} key values, got {entity!r}"
            )
        return key_text(parts[0] if len(parts) == 1 else parts)

    # -- once, at the beginning -------------------------------------------------

    def _features(self, features: Sequence[str] | None) -> tuple[str, ...]:
        if features is not None:
            is_list = isinstance(features, list | tuple) and len(features) > 0
            is_right = is_list and all(isinstance(name, str) for name in features)
            require(is_right, "features must be a list of names", features)
            return tuple(features)
        row = next(self._rows(), None) if self._is_given else None
        if not isinstance(row, Mapping):
            raise SpecError(
                f"features must name the features, in their order: {self.table.name} "
                "does not say it"
            )
        return tuple(name for name in row if name not in self.keys)

    def _rows(self) -> Iterator[Any]:
        return (self.table.get(key) for key in self.table.keys())  # noqa: SIM118

    def _imputed(
        self,
        policy: Mapping[str, Any],
        stats: Mapping[str, Mapping[str, Any]] | None,
    ) -> dict[str, Any]:
        for name in policy:
            if name != "*":
                problem = f"feature {name} in impute_policy but not in feature vector"
                found_in(self.features, name, problem)
        wanted = {
            name: policy.get(name, policy.get("*"))
            for name in self.features
            if name in policy or "*" in policy
        }
        return {
            name: self._statistic(name, value[1:], stats)
            if isinstance(value, str) and value.startswith("$")
            else value
            for name, value in wanted.items()
        }

    def _statistic(
        self, name: str, word: str, stats: Mapping[str, Mapping[str, Any]] | None
    ) -> Any:
        if word not in STATISTICS:
            known = ", ".join(f"${known}" for known in STATISTICS)
            raise SpecError(f"impute_policy has '${word}', it knows {known}")
        if stats is not None:
            try:
                return stats[name][word]
            except (KeyError, TypeError):
                raise SpecError(f"stats has no {word!r} of {name!r}") from None
        if not self._is_given:
            raise SpecError(
                f"impute_policy has '${word}' of {name!r}, which {self.table.name} "
                f"does not say; give stats={{{name!r}: {{{word!r}: ...}}}}, or a "
                "constant"
            )
        at = self.features.index(name)
        values = [_by_name(row, self.features)[at] for row in self._rows()]
        problem = f"impute_policy: the {word} of {name!r} cannot be made"
        with telling(problem, TypeError, ValueError):  # StatisticsError is one
            return STATISTICS[word]([v for v in values if not _is_missing(v)])


def _by_name(row: Any, features: Sequence[str]) -> list[Any]:
    if isinstance(row, Mapping):
        return [row.get(name) for name in features]
    values = list(row) if isinstance(row, list | tuple) else [row]
    if len(values) != len(features):
        raise ValueError(
            f"a row of the table has {len(values)} values, features has {len(features)}"
        )
    return values


def _is_missing(value: Any) -> bool:
    if value is None:
        return True
    try:
        return not math.isfinite(value)
    except (TypeError, OverflowError):
        return False  # a text, a list, an integer too large for a float
