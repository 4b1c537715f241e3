"""Serving scikit-learn models."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from jupyter_graph.errors import SpecError
from jupyter_graph.steps.base_arguments import takes_arguments_of
from jupyter_graph.steps.models.frameworks.framework_server import FrameworkServer
from jupyter_graph.steps.models.model_files import ModelFile
from jupyter_graph.steps.models.model_rows import check_width, like, rows_of
from jupyter_graph.steps.models.model_schema import Feature

METHODS: Final = (
    "predict",
    "predict_proba",
    "predict_log_proba",
    "decision_function",
    "score_samples",
    "transform",
)


class SklearnModelServer(FrameworkServer):
    """Serve a scikit-learn model: an estimator, a pipeline, or what behaves like one.

    Body in: ``{"inputs": rows}``, a row being a list of features or a mapping of them;
    or ``{"inputs": [{feature: column}]}``; or tensors of the open inference protocol.
    Body out: as ``V2ModelServer``; ``outputs`` has one value, or list, a row.

    Args:
        context: the surroundings; None outside a graph.
        name: the model's name.
        model_path: a ``.skops`` file, or a folder with one, as path or URL.
        model: a fitted estimator.
        protocol: see ``V2ModelServer``.
        method: which method of the model answers, one of ``METHODS``.
        trusted: types in the ``.skops`` file that are not scikit-learn's or numpy's own
            and may be made.
        **class_args: those of ``FrameworkServer``: ``sha256``, ``trust_pickle`` …

    Raises:
        SpecError: another ``method``; at the start, the file is a pickle
            without trust or holds types without, or the model has no such method.
        BadRequestError: (from ``predict``) rows do not have the model's features.

    State: the model, in memory; nothing changes it.

    Source: https://skops.readthedocs.io/en/stable/persistence.html

    >>> from sklearn.linear_model import LinearRegression
    >>> fitted = LinearRegression().fit([[0.0], [1.0]], [1.0, 3.0])
    >>> server = SklearnModelServer(name="line", model=fitted)
    >>> [round(y, 6) for y in server.predict({"inputs": [[2.0], [3.0]]})]
    [5.0, 7.0]
    """

    platform = "sklearn"
    suffixes = (".skops",)
    package = "sklearn"
    extra = "sklearn"

    @takes_arguments_of(FrameworkServer)
    def __init__(
        self,
        *server: Any,
        method: str = "predict",
        trusted: Sequence[str] = (),
        **class_args: Any,
    ) -> None:
        if method not in METHODS:
            raise SpecError(f"method must be one of {', '.join(METHODS)}: {method!r}")
        if isinstance(trusted, str):
            raise SpecError(f"trusted must be a list of types, got {trusted!r}")
        super().__init__(*server, **class_args)
        self.method = method
        self.trusted = tuple(trusted)
        self.output_names = (method,)

    def read(self, file: ModelFile) -> Any:
        """Return the model of a skops file."""
        skops = self.imported("skops.io")
        data = file.read()
        unknown = sorted(set(skops.get_untrusted_types(data=data)) - {*self.trusted})
        if unknown:
            raise SpecError(
                f"{file.path.name!r} makes objects of types that nobody has trusted: "
                f"{', '.join(unknown)}; if you know them, say trusted={unknown}"
            )
        return skops.loads(data, trusted=list(self.trusted))

    def _open(self) -> None:
        super()._open()
        if not callable(getattr(self.model, self.method, None)):
            raise SpecError(
                f"a {type(self.model).__name__} has no method {self.method!r}"
            )

    def input_names(self) -> list[str]:
        """Return the names the model was fitted with, else those of ``inputs``."""
        fitted = getattr(self.model, "feature_names_in_", None)
        return super().input_names() if fitted is None else [str(f) for f in fitted]

    def predict(self, request: dict[str, Any]) -> Any:
        """Return what the method gives for the rows."""
        inputs = request["inputs"]
        rows = rows_of(inputs, self.input_names())
        if hasattr(rows, "ndim"):
            check_width(rows, getattr(self.model, "n_features_in_", None), self.name)
        if hasattr(self.model, "feature_names_in_"):  # it warns of rows without names
            import pandas as pd

            rows = pd.DataFrame(rows, columns=self.model.feature_names_in_)
        return like(inputs, getattr(self.model, self.method)(rows))

    def describe(self) -> tuple[list[Feature], list[Feature]]:
        """Return one tensor of rows where the model does not say more."""
        inputs, outputs = super().describe()
        width = getattr(self.model, "n_features_in_", -1)
        table = {"name": "input_0", "datatype": "FP64", "shape": [-1, width]}
        result = {"name": self.method, "datatype": "FP64", "shape": [-1]}
        return inputs or [table], outputs or [result]
