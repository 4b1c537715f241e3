"""Serving XGBoost models."""

from __future__ import annotations

import json
from typing import Any

from jupyter_graph.errors import SpecError
from jupyter_graph.steps.models.frameworks.boosters import BoosterServer, both_classes
from jupyter_graph.steps.models.model_files import ModelFile


class XGBoostModelServer(BoosterServer):
    """Serve an XGBoost model: a booster, or what an ``XGBClassifier`` saved.

    Body in: ``{"inputs": rows}``, a row being a list of numbers or a mapping of them;
    or tensors of the open inference protocol. Body out: as ``V2ModelServer``.

    ``predict`` gives what training made: classes of a saved classifier, else what the
    objective gives (probabilities for ``binary:logistic`` and ``multi:softprob``).

    Args: those of ``BoosterServer``; ``model_path`` is a ``.json`` or ``.ubj`` file of
    ``save_model``.

    Raises:
        SpecError: at the start, the file is none that XGBoost reads, or is a pickle
            without trust.
        BadRequestError: (from ``predict``) rows do not have the model's features.

    State: the model, in memory; nothing changes it.

    Source: https://xgboost.readthedocs.io/en/stable/tutorials/saving_model.html

    >>> server = XGBoostModelServer(name="risk:2", model_path="models/risk.ubj")
    >>> server.plain_name, server.version, server.method
    ('risk', '2', 'predict')
    """

    platform = "xgboost"
    suffixes = (".json", ".ubj")
    package = "xgboost"
    extra = "xgboost"

    def read(self, file: ModelFile) -> Any:
        """Return the model of a file, as the kind that saved it."""
        xgboost = self.imported()
        data = bytearray(file.read())
        problem = f"{file.path.name!r} is no XGBoost model"
        if not data:  # XGBoost 3.2 ends the process
            raise SpecError(f"{problem}: it is empty")
        with self.opening(problem, xgboost.core.XGBoostError):
            booster = xgboost.Booster(model_file=data)
        attributes = json.loads(booster.attr("scikit_learn") or "{}")
        if attributes.get("_estimator_type") != "classifier":
            return booster
        self.imported("sklearn", "sklearn")
        classifier = xgboost.XGBClassifier()
        classifier.load_model(data)
        return classifier

    def _open(self) -> None:
        super()._open()
        self.booster.set_param({"nthread": self.threads})
        self.is_classifier = hasattr(self.model, "predict_proba")
        objective = json.loads(self.booster.save_config())["learner"]["objective"]
        self.objective = str(objective["name"])
        gives = self.objective in ("binary:logistic", "multi:softprob")
        self._check_probabilities(gives or self.is_classifier, self.objective)

    def booster_of(self, model: Any) -> Any:
        """Return the booster of a model, which may be one itself."""
        return model.get_booster() if hasattr(model, "get_booster") else model

    def fitted(self) -> tuple[int, list[str]]:
        """Return the model's number of features, and their names where it has any."""
        names = list(self.booster.feature_names or ())
        return int(self.booster.num_features()), names

    def scores(self, rows: Any) -> Any:
        """Return what the method gives, as an array."""
        if self.is_classifier and self.method != "raw_score":
            return getattr(self.model, self.method)(rows)
        result = self.booster.inplace_predict(
            rows,
            predict_type="margin" if self.method == "raw_score" else "value",
            validate_features=False,  # their number is right, their order is ours
        )
        is_binary = self.objective == "binary:logistic"
        if self.method == "predict_proba" and is_binary:
            return both_classes(result)
        return result
