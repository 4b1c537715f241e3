"""What XGBoost and LightGBM servers share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from jupyter_graph.argument_checks import is_count, require
from jupyter_graph.errors import SpecError
from jupyter_graph.steps.base_arguments import takes_arguments_of
from jupyter_graph.steps.models.frameworks.framework_server import FrameworkServer
from jupyter_graph.steps.models.model_rows import check_width, labels_of, like, rows_of
from jupyter_graph.steps.models.model_schema import Feature

METHODS: Final = ("predict", "predict_proba", "raw_score")


class BoosterServer(FrameworkServer):
    """Serve boosted trees; a subclass knows whose.

    Args:
        context: the surroundings; None outside a graph.
        name: the model's name.
        model_path: the model's file, or a folder with one, as path or URL.
        model: a trained booster, or a fitted estimator of the package.
        protocol: see ``V2ModelServer``.
        method: ``predict``; ``predict_proba``, one probability for each class;
            ``raw_score``, before the objective's last function.
        classes: the names of the classes in their order; ``predict`` gives one of them
            for each row then.
        threads: how many threads one prediction takes, at least 1.
        **class_args: those of ``FrameworkServer``.
    """

    @takes_arguments_of(FrameworkServer)
    def __init__(
        self,
        *server: Any,
        method: str = "predict",
        classes: Sequence[Any] | None = None,
        threads: int = 1,
        **class_args: Any,
    ) -> None:
        if method not in METHODS:
            raise SpecError(f"method must be one of {', '.join(METHODS)}: {method!r}")
        require(is_count(threads), "threads must be a number of at least 1", threads)
        is_list = hasattr(classes, "__len__") and not isinstance(classes, str)
        is_right = classes is None or (is_list and len(classes) >= 2)
        require(is_right, "classes must be a list of two or more", classes)
        super().__init__(*server, **class_args)
        self.method = method
        self.classes = None if classes is None else list(classes)
        self.threads = threads
        self.output_names = (method,)

    def fitted(self) -> tuple[int, list[str]]:
        """Return the model's number of features, and their names where it has any."""
        raise NotImplementedError

    def input_names(self) -> list[str]:
        """Return the names the model was trained with, else those of ``inputs``."""
        return self.names or super().input_names()

    def _open(self) -> None:
        super()._open()
        self.booster = self.booster_of(self.model)
        self.width, self.names = self.fitted()

    def _check_probabilities(self, gives: bool, objective: str) -> None:
        if self.method == "predict_proba" and not gives:
            raise SpecError(
                f"the objective {objective} has no probabilities; use method='predict'"
            )

    def booster_of(self, model: Any) -> Any:
        """Return the booster of a model, which may be one itself."""
        raise NotImplementedError

    def scores(self, rows: Any) -> Any:
        """Return what the method gives, as an array."""
        raise NotImplementedError

    def predict(self, request: dict[str, Any]) -> Any:
        """Return what the method gives for the rows."""
        inputs = request["inputs"]
        rows = rows_of(inputs, self.input_names())
        check_width(rows, self.width, self.name)
        result = self.scores(rows)
        if self.classes and self.method == "predict":
            result = labels_of(result, self.classes)
        return like(inputs, result)

    def describe(self) -> tuple[list[Feature], list[Feature]]:
        """Return one tensor of rows where the model does not say more."""
        inputs, outputs = super().describe()
        table = {"name": "input_0", "datatype": "FP64", "shape": [-1, self.width]}
        result = {"name": self.method, "datatype": "FP64", "shape": [-1]}
        return inputs or [table], outputs or [result]


def both_classes(probability: Any) -> Any:
    """Return the probabilities of both classes for that of the second."""
    import numpy as np

    return np.column_stack([1 - probability, probability])
