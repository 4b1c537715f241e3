"""Routers that turn the ids of entities into features before a model sees them.

Source: MLRun's EnrichmentModelRouter and EnrichmentVotingEnsemble,
https://docs.mlrun.org/en/stable/serving/model-api.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from jupyter_graph.errors import SpecError
from jupyter_graph.steps.base_arguments import takes_arguments_of
from jupyter_graph.steps.routers.ensemble import VotingEnsemble
from jupyter_graph.steps.routers.feature_vectors import FeatureVectors, UnknownEntity
from jupyter_graph.steps.routers.router import BY_NAME, ModelRouter, Router, from_json


class Enriched(Router):
    """What the routers share whose models get features in place of entities."""

    @takes_arguments_of(Router, without=BY_NAME, positional=2)
    def __init__(
        self,
        *router: Any,
        feature_vector_uri: str = "",
        impute_policy: Mapping[str, Any] | None = None,
        table: Any = None,
        keys: str | Sequence[str] | None = None,
        features: Sequence[str] | None = None,
        stats: Mapping[str, Mapping[str, Any]] | None = None,
        unknown_entity: UnknownEntity = "error",
        **kwargs: Any,
    ) -> None:
        super().__init__(*router, **kwargs)
        if table is None:
            wanted = (
                f"feature_vector_uri={feature_vector_uri!r} needs MLRun's feature "
                "store, which is not here; "
                if feature_vector_uri
                else ""
            )
            raise SpecError(
                f"{wanted}give table=..., which holds the features by entity: a dict, "
                "a list of rows, a DataFrame, 'redis://host' or an SQL URL"
            )
        self._vectors = FeatureVectors(
            table,
            keys=keys,
            features=features,
            impute_policy=impute_policy,
            stats=stats,
            unknown_entity=unknown_entity,
            context=self.context,
        )

    def preprocess(self, event: Any) -> Any:
        """Put features in place of entities; a subclass calls it first or last."""
        body = event.body
        if isinstance(body, str | bytes | bytearray):
            body = from_json(body)
        if isinstance(body, Mapping) and "inputs" in body:
            event.body = {**body, "inputs": self._vectors.of(body["inputs"])}
        return event

    def close(self) -> None:
        """Close the table."""
        self._vectors.close()


class EnrichmentModelRouter(Enriched, ModelRouter):
    """A ``ModelRouter`` whose models get features in place of the ids of entities.

    Body in: ``{"inputs": [["ann"], {"user": "bob"}, "cid"], ...}``: each entity as a
    list of its key values, an object with its key fields, or a single value. The model
    gets ``{"inputs": [[30, 2.0], ...]}``. Body out: what the model gives.

    Args:
        context: the surroundings; None outside a graph.
        name: the router's own name.
        routes: what is called for each model, by its name.
        protocol: as of ``Router``.
        url_prefix: as of ``Router``.
        health_prefix: as of ``Router``.
        feature_vector_uri: kept for MLRun's documents; ``table`` stands for it.
        impute_policy: what stands for None, NaN and infinity, by feature, ``*`` for all
            others: a constant, or ``$mean``, ``$min``, ``$max``, ``$std``, ``$count``
            of the table's rows.
        table: where the features are: a dict or list of rows, a DataFrame,
            ``redis://host``, an SQL URL, or any other place of ``open_table``.
        keys: names of the fields that say which entity a row is of.
        features: names of the features, in the order of the vector; by default those
            of the first row, where rows are given.
        stats: ``{feature: {"mean": 1.5, ...}}`` for tables that are not given as rows.
        unknown_entity: ``error`` refuses the request, ``null`` puts None in place of
            the vector (as MLRun does), ``impute`` fills it by ``impute_policy``.
        **kwargs: further arguments of ``Router``.

    Raises:
        SpecError: an argument has a wrong value, or there is no table.
        NotFoundError: (from ``do_event``) an entity is not in the table.
        BadRequestError: (from ``do_event``) the inputs are no list of entities.

    State: none but the table's; statistics are made when the graph opens.

    Source: https://docs.mlrun.org/en/stable/serving/model-api.html

    >>> from types import SimpleNamespace as Event
    >>> router = EnrichmentModelRouter(
    ...     routes={"m": lambda event: event}, table={"ann": {"age": 30, "pay": 2.0}}
    ... )
    >>> event = Event(path="/", method="POST", body={"inputs": [["ann"]]})
    >>> router.do_event(event).body
    {'inputs': [[30, 2.0]]}
    """


class EnrichmentVotingEnsemble(Enriched, VotingEnsemble):
    """A ``VotingEnsemble`` whose models get features in place of the ids of entities.

    Body in, body out, errors: as of ``EnrichmentModelRouter`` and ``VotingEnsemble``.

    Args:
        context: the surroundings; None outside a graph.
        name: the ensemble's name.
        routes: what is called for each model, by its name.
        protocol: as of ``Router``.
        url_prefix: as of ``Router``.
        health_prefix: as of ``Router``.
        vote_type: as of ``VotingEnsemble``.
        executor_type: as of ``ParallelRun``.
        prediction_col_name: as of ``VotingEnsemble``.
        feature_vector_uri: as of ``EnrichmentModelRouter``.
        impute_policy: as of ``EnrichmentModelRouter``.
        table: as of ``EnrichmentModelRouter``.
        keys: as of ``EnrichmentModelRouter``.
        features: as of ``EnrichmentModelRouter``.
        stats: as of ``EnrichmentModelRouter``.
        unknown_entity: as of ``EnrichmentModelRouter``.
        **kwargs: further arguments of ``VotingEnsemble``.

    Raises:
        SpecError: an argument has a wrong value, or there is no table.

    State: as of ``VotingEnsemble``.

    Source: https://docs.mlrun.org/en/stable/serving/model-api.html

    >>> from types import SimpleNamespace as Event
    >>> def total(event):
    ...     return Event(body={"outputs": [sum(x) for x in event.body["inputs"]]})
    >>> ensemble = EnrichmentVotingEnsemble(
    ...     routes={"a": total, "b": total}, table={"ann": {"age": 30, "pay": 2.5}}
    ... )
    >>> event = Event(id="7", path="/", method="POST", body={"inputs": [["ann"]]})
    >>> ensemble.do_event(event).body["outputs"]
    [32.5]
    """

    @takes_arguments_of(Enriched, positional=5)
    def __init__(
        self,
        *router: Any,
        vote_type: str | None = None,
        executor_type: str = "thread",
        prediction_col_name: str | None = None,
        feature_vector_uri: str = "",
        impute_policy: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            *router,
            vote_type=vote_type,
            executor_type=executor_type,
            prediction_col_name=prediction_col_name,
            feature_vector_uri=feature_vector_uri,
            impute_policy=impute_policy,
            **kwargs,
        )

    def close(self) -> None:
        """Close threads, processes and the table."""
        VotingEnsemble.close(self)
        super().close()
