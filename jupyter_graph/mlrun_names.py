"""MLRun's names for our things: ``%load_ext jupyter_graph.mlrun_names``.

After that ``from mlrun.serving import V2ModelServer`` and the like give our classes,
unless MLRun itself is installed.

Source: https://docs.mlrun.org/en/stable/api/mlrun.html
"""

from __future__ import annotations

import sys
from importlib.util import find_spec
from types import ModuleType
from typing import Any

from jupyter_graph.errors import (
    AccessDeniedError,
    BadRequestError,
    ConflictError,
    GatewayTimeoutError,
    InternalServerError,
    InvalidArgumentError,
    JupyterGraphError,
    MethodNotAllowedError,
    NotFoundError,
    NotImplementedServerError,
    PreconditionFailedError,
    RunError,
    ServiceUnavailableError,
    SpecError,
    StatusError,
    UnauthorizedError,
    UnprocessableError,
)
from jupyter_graph.steps.table import MLRUN, load_block

ERRORS: dict[str, type[BaseException]] = {
    "GraphError": SpecError,
    "MLRunAccessDeniedError": AccessDeniedError,
    "MLRunBadRequestError": BadRequestError,
    "MLRunBaseError": JupyterGraphError,
    "MLRunConflictError": ConflictError,
    "MLRunEmptySampleDFError": ValueError,
    "MLRunFatalFailureError": RunError,
    "MLRunHTTPError": JupyterGraphError,
    "MLRunHTTPStatusError": StatusError,
    "MLRunIncompatibleVersionError": BadRequestError,
    "MLRunInternalServerError": InternalServerError,
    "MLRunInvalidArgumentError": InvalidArgumentError,
    "MLRunInvalidArgumentTypeError": InvalidArgumentError,
    "MLRunInvalidMMStoreTypeError": BadRequestError,
    "MLRunMethodNotAllowedError": MethodNotAllowedError,
    "MLRunMissingDependencyError": InternalServerError,
    "MLRunMissingProjectError": BadRequestError,
    "MLRunModelLimitExceededError": BadRequestError,
    "MLRunNotFoundError": NotFoundError,
    "MLRunNotImplementedServerError": NotImplementedServerError,
    "MLRunPaginationEndOfResultsError": NotFoundError,
    "MLRunPreconditionFailedError": PreconditionFailedError,
    "MLRunRetryExhaustedError": RunError,
    "MLRunRuntimeError": InternalServerError,
    "MLRunServiceUnavailableError": ServiceUnavailableError,
    "MLRunStreamConnectionFailureError": BadRequestError,
    "MLRunTSDBConnectionFailureError": BadRequestError,
    "MLRunTaskCancelledError": RunError,
    "MLRunTaskNotReadyError": RunError,
    "MLRunTimeoutError": GatewayTimeoutError,
    "MLRunUnauthorizedError": UnauthorizedError,
    "MLRunUnprocessableEntityError": UnprocessableError,
    "MLRunValueError": ValueError,
}
"""MLRun's errors to ours, those with a status to ours of the same status."""


def __getattr__(name: str) -> Any:
    if name in ERRORS:
        return ERRORS[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def modules() -> dict[str, ModuleType]:
    """Give modules named as MLRun's, with our classes in them."""
    found: dict[str, ModuleType] = {}
    for path in MLRUN:
        module, _, name = path.rpartition(".")
        setattr(_module(module, found), name, load_block(path))
    errors = _module("mlrun.errors", found)
    for name, error in ERRORS.items():
        if name.startswith("MLRun"):
            setattr(errors, name, error)
    _module("mlrun.serving.states", found).GraphError = SpecError  # type: ignore[attr-defined]
    return found


def _module(name: str, found: dict[str, ModuleType]) -> ModuleType:
    """Give the module of a dotted name; its parents are packages that hold it."""
    if name not in found:
        found[name] = ModuleType(
            name, "MLRun's names for the classes of jupyter_graph."
        )
        found[name].__path__ = []
        parent, _, own = name.rpartition(".")
        if parent:
            setattr(_module(parent, found), own, found[name])
    return found[name]


def load_ipython_extension(ipython: Any) -> None:
    """Offer MLRun's names to the code of the whole notebook.

    Raises:
        ImportError: MLRun itself is installed, so its names are taken.
    """
    if "mlrun" not in sys.modules and find_spec("mlrun") is not None:
        raise ImportError("mlrun is installed here; its own names stand for themselves")
    for name, module in modules().items():
        sys.modules.setdefault(name, module)


def unload_ipython_extension(ipython: Any) -> None:
    """Take the names back."""
    for name, module in list(sys.modules.items()):
        is_ours = name == "mlrun" or name.startswith("mlrun.")
        if is_ours and module.__doc__ and "jupyter_graph" in module.__doc__:
            del sys.modules[name]
