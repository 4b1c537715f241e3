"""What the ready-made model servers share: files, pickles and packages."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any, ClassVar, Final

from jupyter_graph.errors import SpecError
from jupyter_graph.steps.models.model_files import ModelFile, check_sha256, find_model
from jupyter_graph.steps.models.model_server import V2ModelServer

PICKLES: Final = (".pkl", ".pickle", ".joblib")


class FrameworkServer(V2ModelServer):
    """Serve a model of a framework.

    Args:
        context: the surroundings; None outside a graph.
        name: the model's name, ``name:version`` where it has a version.
        model_path: a path or a URL that fsspec knows: of the file, or of a folder that
            holds one such file.
        model: the model itself, loaded or fitted already.
        protocol: see ``V2ModelServer``.
        sha256: what the file's SHA-256 must be, 64 hexadecimal digits.
        trust_pickle: open a pickle too; it runs whatever code is in it, so ``sha256``
            must say which file is meant.
        **class_args: those of ``V2ModelServer``.

    Raises:
        SpecError: neither ``model`` nor ``model_path`` is given, or ``sha256`` is none.

    Attributes:
        suffixes: how a model's file may end.
        package: what has to be installed.
        extra: the extra of this package that installs it.
        opens_pickles: ``trust_pickle`` means something to this server.
    """

    takes_arrays = True
    suffixes: ClassVar[tuple[str, ...]] = ()
    package: ClassVar[str] = ""
    extra: ClassVar[str] = ""
    opens_pickles: ClassVar[bool] = True

    def __init__(
        self,
        context: Any = None,
        name: str | None = "model",
        model_path: str | None = None,
        model: Any = None,
        protocol: str | None = None,
        *,
        sha256: str | None = None,
        trust_pickle: bool = False,
        **class_args: Any,
    ) -> None:
        if model is None and not model_path:
            raise SpecError(
                f"{type(self).__name__} {name!r} needs a model: give model=, or "
                "model_path="
            )
        check_sha256(sha256)
        _check_trust(trust_pickle, sha256)
        if trust_pickle and not self.opens_pickles:
            raise SpecError(
                f"trust_pickle=True means nothing here: {type(self).__name__} opens no "
                "pickles"
            )
        super().__init__(
            context, name, model_path, model, protocol, sha256=sha256, **class_args
        )
        self.sha256 = sha256
        self.trust_pickle = trust_pickle

    def load(self) -> Any:
        """Load the model of ``model_path``."""
        file = self.file()
        is_pickle = self.trust_pickle and file.path.suffix in PICKLES
        self.model = _unpickled(file) if is_pickle else self.read(file)

    def read(self, file: ModelFile) -> Any:
        """Return the model in a file that is no pickle."""
        raise NotImplementedError

    def explain(self, request: dict[str, Any]) -> Any:
        """Return a description of what serves here."""
        return f"{type(self).__name__} {self.name!r} serves a {type(self.model)}"

    def file(self) -> ModelFile:
        """Find the file of ``model_path``; its ending must be one that is known."""
        assert self.model_path is not None  # or model= is given, and no file is read
        wanted = (*self.suffixes, *PICKLES) if self.trust_pickle else self.suffixes
        file = find_model(self.model_path, wanted, sha256=self.sha256)
        self._take_spec(file.spec)
        if not file.path.name.endswith(wanted):
            raise SpecError(self._refusal(file.path.name))
        return file

    def _refusal(self, file: str) -> str:
        known = " or ".join(self.suffixes)
        if not file.endswith(PICKLES):
            return f"{type(self).__name__} reads {known} files, got {file!r}"
        if not self.opens_pickles:
            return (
                f"{file!r} is a pickle, which {type(self).__name__} does not open; "
                f"save the model as {known}"
            )
        return (
            f"{file!r} is a pickle, which runs whatever code is in it when opened; "
            f"save the model as {known}, or say trust_pickle=True and sha256= of the "
            "file you know"
        )

    @staticmethod
    @contextmanager
    def opening(problem: str, *errors: type[Exception]) -> Iterator[None]:
        """Say in one line what the framework has against a model that it shall open.

        Raises:
            SpecError: one of the errors; the text begins with ``problem``.
        """
        try:
            yield
        except errors as error:
            message = str(error).strip().partition("\n")[0]
            raise SpecError(f"{problem}: {message}") from error

    def imported(self, module: str | None = None, extra: str | None = None) -> Any:
        """Import the framework, or another module it needs.

        Raises:
            SpecError: it is not installed; says how it would be.
        """
        name = module or self.package
        try:
            return import_module(name)
        except ImportError as error:
            raise SpecError(
                f"{type(self).__name__} needs {name}, which cannot be imported "
                f'({error}); pip install "jupyter_graph[{extra or self.extra}]"'
            ) from error


def _check_trust(trust_pickle: Any, sha256: str | None) -> None:
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


def _unpickled(file: ModelFile) -> Any:
    """Return the object of a pickle whose SHA-256 is the one that was named."""
    if file.sha256 is None:
        raise SpecError(f"{file.path.name!r} is a pickle; it needs sha256=")
    data = file.read()
    if file.path.suffix == ".joblib":
        import joblib

        return joblib.load(io.BytesIO(data))
    import pickle

    return pickle.loads(data)
