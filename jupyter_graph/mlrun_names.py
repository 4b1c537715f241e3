"""MLRun's names for our things: ``%load_ext jupyter_graph.mlrun_names``.

In scripts call ``mlrun_names.install()`` before the imports, and run tests with
``pytest -p jupyter_graph.mlrun_names``. After that ``from mlrun.serving import
V2ModelServer`` and the like give our classes, and ``mlrun.new_function`` our builder of
graph documents, unless MLRun is installed. Code that imports them ships so.

Source: https://docs.mlrun.org/en/stable/api/mlrun.html
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from importlib.util import find_spec
from types import ModuleType
from typing import TYPE_CHECKING, Any

import jupyter_graph.errors as ours
from jupyter_graph.errors import SpecError
from jupyter_graph.spec.mlrun.serving_function import ServingFunction
from jupyter_graph.steps.block_table import MLRUN, load_block

if TYPE_CHECKING:
    from jupyter_graph.run.mock_server import MockServer


class _RaisedBySteps(ours.RunError):
    """An error of MLRun's without a status; its text is that of the step."""

    def __str__(self) -> str:
        return self.text()


ERRORS: dict[str, type[BaseException]] = {
    "GraphError": SpecError,
    "MLRunAccessDeniedError": ours.AccessDeniedError,
    "MLRunBadRequestError": ours.BadRequestError,
    "MLRunBaseError": ours.JupyterGraphError,
    "MLRunConflictError": ours.ConflictError,
    "MLRunEmptySampleDFError": ValueError,
    "MLRunFatalFailureError": _RaisedBySteps,
    "MLRunHTTPError": ours.JupyterGraphError,
    "MLRunHTTPStatusError": ours.StatusError,
    "MLRunIncompatibleVersionError": ours.BadRequestError,
    "MLRunInternalServerError": ours.InternalServerError,
    "MLRunInvalidArgumentError": ours.InvalidArgumentError,
    "MLRunInvalidArgumentTypeError": ours.InvalidArgumentError,
    "MLRunInvalidMMStoreTypeError": ours.BadRequestError,
    "MLRunMethodNotAllowedError": ours.MethodNotAllowedError,
    "MLRunMissingDependencyError": ours.InternalServerError,
    "MLRunMissingProjectError": ours.BadRequestError,
    "MLRunModelLimitExceededError": ours.BadRequestError,
    "MLRunNotFoundError": ours.NotFoundError,
    "MLRunNotImplementedServerError": ours.NotImplementedServerError,
    "MLRunPaginationEndOfResultsError": ours.NotFoundError,
    "MLRunPreconditionFailedError": ours.PreconditionFailedError,
    "MLRunRetryExhaustedError": _RaisedBySteps,
    "MLRunRuntimeError": ours.InternalServerError,
    "MLRunServiceUnavailableError": ours.ServiceUnavailableError,
    "MLRunStreamConnectionFailureError": ours.BadRequestError,
    "MLRunTSDBConnectionFailureError": ours.BadRequestError,
    "MLRunTaskCancelledError": _RaisedBySteps,
    "MLRunTaskNotReadyError": _RaisedBySteps,
    "MLRunTimeoutError": ours.GatewayTimeoutError,
    "MLRunUnauthorizedError": ours.UnauthorizedError,
    "MLRunUnprocessableEntityError": ours.UnprocessableError,
    "MLRunValueError": ValueError,
}
"""MLRun's errors to ours, those with a status to ours of the same status."""


def __getattr__(name: str) -> Any:
    if name in ERRORS:
        return ERRORS[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


class Function(ServingFunction):
    """A serving function of MLRun's, as far as graphs go: build one and try it."""

    def to_mock_server(
        self,
        namespace: Mapping[str, Any] | ModuleType | None = None,
        current_function: str = "*",
        **options: Any,
    ) -> MockServer:
        """Open the graph in this process.

        Args:
            namespace: what its names stand for: names to objects, or a module.
            current_function: the function whose steps run; ``*`` = all of them.
            **options: as of ``MockServer``.

        Raises:
            SpecError: there is no graph, or something is wrong with it.
        """
        from jupyter_graph.run.mock_server import MockServer
        from jupyter_graph.spec.builder import Graph
        from jupyter_graph.spec.codec import from_dict

        if (document := self.to_dict()) is None:
            raise SpecError(f"function {self.name!r} has no graph, use set_topology()")
        spec = from_dict(document, name=self.name)
        given = vars(namespace) if isinstance(namespace, ModuleType) else namespace
        names = {**(given or {}), **self.namespace}
        graph = Graph.from_spec(spec, names, literal=True)
        return MockServer(graph, current_function=current_function, **options)


def new_function(name: str = "graph", kind: str = "serving", **_: Any) -> Function:
    """Return a serving function with MLRun's builder: ``set_topology``, ``add_model``.

    Args:
        name: the function's name.
        kind: only ``serving`` functions have a graph.
        **_: what MLRun wants for a deployment: project, image, tag …; ignored.

    >>> function = new_function("math", kind="serving")
    >>> _ = function.set_topology("flow").to(name="a", handler="(event + 1)").respond()
    >>> with function.to_mock_server() as server:
    ...     server.test(body=1)
    2
    """
    if kind != "serving":
        raise SpecError(f"only functions of kind 'serving' have a graph, got {kind!r}")
    return Function(name)


def modules() -> dict[str, ModuleType]:
    """Return modules named as MLRun's, with our classes in them."""
    made: dict[str, ModuleType] = {}
    for path in MLRUN:
        module, _, name = path.rpartition(".")
        setattr(_module(module, made), name, load_block(path))
    errors = _module("mlrun.errors", made)
    for name, error in ERRORS.items():
        if name.startswith("MLRun"):
            setattr(errors, name, error)
    _module("mlrun", made).new_function = new_function  # type: ignore[attr-defined]
    _module("mlrun.serving.states", made).GraphError = SpecError  # type: ignore[attr-defined]
    return made


def _module(name: str, made: dict[str, ModuleType]) -> ModuleType:
    """Return the module of a dotted name; its parents are packages that hold it."""
    if name not in made:
        made[name] = ModuleType(name, "MLRun's names for the classes of jupyter_graph.")
        made[name].__path__ = []
        parent, _, own = name.rpartition(".")
        if parent:
            setattr(_module(parent, made), own, made[name])
    return made[name]


def install() -> None:
    """Offer MLRun's names to all code of this process.

    Raises:
        ImportError: MLRun itself is installed, so its names are taken.
    """
    if "mlrun" not in sys.modules and find_spec("mlrun") is not None:
        raise ImportError("mlrun is installed here; its own names stand for themselves")
    put_in_place()


def put_in_place() -> None:
    """Offer the names, also where MLRun is installed and was not imported."""
    for name, module in modules().items():
        sys.modules.setdefault(name, module)


def are_in_place() -> bool:
    """Return whether code that imports mlrun gets our classes."""
    return _is_ours(sys.modules.get("mlrun"))


def _is_ours(module: ModuleType | None) -> bool:
    return module is not None and "jupyter_graph" in (module.__doc__ or "")


def load_ipython_extension(ipython: Any) -> None:
    """Offer MLRun's names to the code of the whole notebook.

    Raises:
        ImportError: MLRun itself is installed, so its names are taken.
    """
    install()


def unload_ipython_extension(ipython: Any) -> None:
    """Take the names back."""
    for name, module in list(sys.modules.items()):
        if (name == "mlrun" or name.startswith("mlrun.")) and _is_ours(module):
            del sys.modules[name]


def pytest_load_initial_conftests() -> None:
    """Offer MLRun's names to tests, before their files are imported."""
    install()
