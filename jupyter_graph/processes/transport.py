"""What travels between two processes, and what arrives there."""

from __future__ import annotations

import functools
import io
import pickle
import traceback
from collections import ChainMap
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from types import CodeType
from typing import Any, NamedTuple, TypeAlias

from jupyter_graph.errors import RunError, SpecError, said

Target = Callable[..., Any]
Place: TypeAlias = tuple[str, list[tuple[str, int, str]]]
"""An error's text, and file, line and function of each frame it went through."""

LONGEST_CHAIN = 10
PACKAGE = str(Path(__file__).parent.parent)


class Reply(NamedTuple):
    """What a target returned or raised."""

    value: Any = None
    error: BaseException | None = None

    @property
    def outcome(self) -> Any:
        """The value, or the error as one."""
        return self.value if self.error is None else self.error

    def result(self) -> Any:
        """Return the value, or raise the error."""
        if self.error is not None:
            raise self.error
        return self.value


def dumps(value: Any) -> bytes:
    """Pickle a value for the other side; code that no module holds goes by value."""
    try:
        pickler = _pickler()
    except ImportError:  # a function in production, whose code stands in modules
        return pickle.dumps(value)
    file = io.BytesIO()
    pickler(file).dump(value)
    return file.getvalue()


@functools.cache
def _pickler() -> Any:
    import cloudpickle

    known = cloudpickle.CloudPickler.dispatch_table

    def of_code(code: CodeType) -> Any:
        return _with_file, (code.co_filename, *known[CodeType](code))

    with_files = ChainMap({CodeType: of_code}, known)
    # code keeps the name of its file, so that the lines of a traceback can be found
    return type("Pickler", (cloudpickle.CloudPickler,), {"dispatch_table": with_files})


def _with_file(name: str, make: Callable[..., CodeType], args: Any) -> CodeType:
    return make(*args).replace(co_filename=name)


def packed(targets: Mapping[str, Target], what: str) -> bytes:
    """Pickle what can be called there.

    Raises:
        SpecError: one cannot travel; it is named.
    """
    try:
        return dumps(dict(targets))
    except Exception:
        for name, target in targets.items():
            try:
                dumps(target)
            except Exception as error:
                raise SpecError(
                    f"{what} {name!r} cannot go to another process: {said(error)}; "
                    "open what it holds in its constructor, or use threads"
                ) from error
        raise


class Deferred:
    """A target on its way, made in the other process by this call.

    Args:
        make: returns what is called there.
        *args: its arguments.
    """

    def __init__(self, make: Callable[..., Target], *args: Any) -> None:
        self._recipe = make, args

    def __call__(self, *_: Any) -> Any:
        raise AssertionError("it is called in the other process only")

    def __reduce__(self) -> Any:
        return self._recipe


def replied(value: Any, error: BaseException | None) -> tuple[bytes, list[Place]]:
    """Pickle what a target returned or raised; of an error also where."""
    try:
        portable = None if error is None else _portable(error)
        return dumps((value, portable)), [] if error is None else _places(error)
    except Exception as wrong:
        return dumps((None, _kept_there(wrong))), []


def arrived(data: bytes, places: list[Place]) -> Reply:
    """Return what came back; an error with a note of where it was raised."""
    try:
        value, error = pickle.loads(data)
    except Exception as wrong:
        value, error = None, _kept_there(wrong)
    if error is not None and places:
        with suppress(Exception):  # a class may refuse that
            error.add_note("".join(_formatted(places)).rstrip())
    return Reply(value, error)


def _kept_there(reason: Exception) -> TypeError:
    return TypeError(f"what it gave cannot leave another process: {said(reason)}")


def _portable(error: BaseException) -> Any:
    """Return what arrives as the error, or else one with the same text."""
    for portable in (error, _RemadeError(error)):
        try:
            if type(pickle.loads(dumps(portable))) is type(error):
                return portable
        except Exception:
            continue
    return RunError(said(error))


class _RemadeError:
    """An error of a class that cannot be made from what its errors keep of it."""

    def __init__(self, error: BaseException) -> None:
        self._error = error

    def __reduce__(self) -> Any:
        error = self._error
        return _remade, (type(error), error.args, dict(vars(error)))


def _remade(kind: type[BaseException], args: Any, state: dict[str, Any]) -> Any:
    error = kind.__new__(kind)
    error.args = args
    vars(error).update(state)
    return error


def _places(error: BaseException) -> list[Place]:
    places: list[Place] = []
    here: BaseException | None = error
    while here is not None and len(places) < LONGEST_CHAIN:
        rows = [
            (frame.filename, frame.lineno or 0, frame.name)
            for frame in traceback.extract_tb(here.__traceback__)
            if not frame.filename.startswith(PACKAGE)
        ]
        places.append((said(here), rows))
        here = here.__cause__ or (
            None if here.__suppress_context__ else here.__context__
        )
    return places


def _formatted(places: list[Place]) -> list[str]:
    """Return where an error was raised; the lines are read here, with the cells."""
    [(_, frames), *causes] = places
    lines = ["In its process:\n", *_shown(frames)]
    for text, frames in causes:
        lines += [f"after {text}\n", *_shown(frames)]
    return lines


def _shown(frames: list[tuple[str, int, str]]) -> list[str]:
    listed = [traceback.FrameSummary(*frame) for frame in frames]
    return traceback.StackSummary.from_list(listed).format()
