"""Pickles: opened only by whoever says which one, and that he trusts it."""

from __future__ import annotations

import io
from typing import Any, Final

from jupyter_graph.errors import SpecError
from jupyter_graph.steps.models.model_files import ModelFile

PICKLES: Final = (".pkl", ".pickle", ".joblib")


def check_trust(trust_pickle: Any, sha256: str | None) -> None:
    """Refuse trust in a file that has no digest.

    Raises:
        SpecError: ``trust_pickle`` without ``sha256``, or it is no truth value.
    """
    if not isinstance(trust_pickle, bool):
        raise SpecError(f"trust_pickle must be True or False, got {trust_pickle!r}")
    if trust_pickle and sha256 is None:
        raise SpecError(
            "trust_pickle=True needs sha256= of the file: a pickle runs whatever code "
            "is in it"
        )


def unpickled(file: ModelFile) -> Any:
    """Return the object of a pickle whose SHA-256 is the one that was named."""
    if file.sha256 is None:
        raise SpecError(f"{file.path.name!r} is a pickle; it needs sha256=")
    data = file.read()
    if file.path.suffix == ".joblib":
        import joblib

        return joblib.load(io.BytesIO(data))
    import pickle

    return pickle.loads(data)
