"""Serving LightGBM models."""

from __future__ import annotations

from typing import Any

from jupyter_graph.errors import SpecError
from jupyter_graph.steps.models.frameworks.boosters import BoosterServer, both_classes
from jupyter_graph.steps.models.model_files import ModelFile
from jupyter_graph.steps.models.model_rows import labels_of


class LightGBMModelServer(BoosterServer):
    """Serve a LightGBM model: a booster, or a fitted estimator given as an object.

    Body in: ``{"inputs": rows}``, a row being a list of numbers or a mapping of them;
    or tensors of the open inference protocol. Body out: as ``V2ModelServer``.

    ``predict`` gives what the booster gives: probabilities where it classifies (with
    ``classes=[...]`` the class). An ``LGBMClassifier`` given as ``model`` gives its
    classes; a file does not know them.

    Args: those of ``BoosterServer``; ``model_path`` is a ``.txt`` or ``.lgb`` file of
    ``save_model``.

    Raises:
        SpecError: at the start, the file is none that LightGBM reads, or is a pickle
            without trust; ``predict_proba`` of a model that does not classify.
        BadRequestError: (from ``predict``) rows do not have the model's features.

    State: the model, in memory; nothing changes it.

    Source: https://lightgbm.readthedocs.io/en/stable/pythonapi/lightgbm.Booster.html

    >>> given = {"model_path": "models/risk.txt", "classes": ["low", "high"]}
    >>> LightGBMModelServer(name="risk", **given).classes
    ['low', 'high']
    """

    platform = "lightgbm"
    suffixes = (".txt", ".lgb")
    package = "lightgbm"
    extra = "lightgbm"

    def read(self, file: ModelFile) -> Any:
        """Return the booster of a text file."""
        lightgbm = self.imported()
        text = file.read().decode("utf-8", "replace")
        if not text.startswith("tree\n"):
            raise SpecError(f"{file.path.name!r} is no LightGBM model in text")
        return lightgbm.Booster(model_str=text)

    def _open(self) -> None:
        super()._open()
        self.is_estimator = self.booster is not self.model
        self.objective = self.booster.dump_model(num_iteration=1).get("objective", "")
        self.per_class = self.booster.num_model_per_iteration()
        gives = self.per_class > 1 or self.objective.startswith(("binary", "cross_ent"))
        self._check_probabilities(gives, repr(self.objective))

    def booster_of(self, model: Any) -> Any:
        """Return the booster of a model, which may be one itself."""
        return getattr(model, "booster_", model)

    def fitted(self) -> tuple[int, list[str]]:
        """Return the model's number of features, and their names where it has any."""
        names = list(self.booster.feature_name())
        made_up = names == [f"Column_{number}" for number in range(len(names))]
        return int(self.booster.num_feature()), [] if made_up else names

    def scores(self, rows: Any) -> Any:
        """Return what the method gives, as an array."""
        result = self.booster.predict(
            rows,
            raw_score=self.method == "raw_score",
            num_threads=self.threads,
            validate_features=False,
        )
        if self.method == "predict_proba" and self.per_class == 1:
            return both_classes(result)
        classes = getattr(self.model, "classes_", None) if self.is_estimator else None
        if self.method == "predict" and classes is not None and not self.classes:
            return labels_of(result, classes)
        return result
