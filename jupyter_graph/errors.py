"""Every error the package raises.

JupyterGraphError
├── SpecError                 the graph is described wrongly (also a ValueError)
│   ├── UnknownStepError      a step or step class that nobody defined
│   └── DuplicateStepError    a name is taken twice
├── CellError                 a cell cannot become a step or a part of a function
│   └── ValueShipError        a value cannot travel into a function
├── MagicError                the words of a magic are wrong
├── EventFileError            a file of recorded events cannot be read or written
├── RunError                  an event or a runner failed
│   ├── StepError             a step raised; ``__cause__`` holds what it raised
│   ├── DeadlineError         an event or a step took longer than it may
│   │   └── StepDeadlineError    … and was in this step then (also a StepError)
│   ├── OverloadError         more events in flight than the graph allows
│   │   └── NoSeatError          … for all of an event's time (also a DeadlineError)
│   ├── ProcessEndedError     the process that a step works in ended
│   ├── ClosedError           the runner is closed
│   ├── StreamingError        a stream broke off after it had begun
│   ├── AnswerError           a value cannot become an answer
│   └── NotRecordedError      what a step gave before is not recorded
├── StatusError               a step says which HTTP status its caller gets
│   ├── BadRequestError … ServiceUnavailableError
└── DeployError               a function could not be built, checked or started
    ├── BundleError           the bundle cannot be built or does not import
    ├── ParityError           the bundle answers differently from the notebook
    ├── NameTakenError        the function's name belongs to somebody else
    ├── HostError             the embedded host did not start
    └── DashboardError        the Nuclio dashboard refused, failed or is down
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

LONGEST_WORD = 100
"""Characters of a word that others are compared with; longer ones take too long."""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return ``"; did you mean 'x'?"`` for a near miss, else an empty text.

    >>> did_you_mean("predcit", ["parse", "predict"])
    "; did you mean 'predict'?"
    >>> did_you_mean("zzz", ["parse"])
    ''
    """
    if not isinstance(word, str) or len(word) > LONGEST_WORD:
        return ""
    from difflib import get_close_matches

    by_lower = {
        name.lower(): name
        for name in known
        if isinstance(name, str) and len(name) <= LONGEST_WORD
    }
    near = get_close_matches(word.lower(), by_lower, n=1)
    return f"; did you mean {by_lower[near[0]]!r}?" if near else ""


def is_ours(code: Any) -> bool:
    """Return whether a class or function is one of this package."""
    return str(getattr(code, "__module__", "")).startswith("jupyter_graph.")


class JupyterGraphError(Exception):
    """Base of every error of this package.

    ``code`` is stable: pages and bug reports can name it. ``str(error)`` ends with it;
    a text that holds another error's is formatted, ``f"{error}"``, and then the code of
    the inner error does not stand in the middle of the outer one's text.

    >>> error = ClosedError("the runner is closed")
    >>> str(error), f"{error}"
    ('the runner is closed [JG250]', 'the runner is closed')
    """

    code: ClassVar[str] = "JG100"

    def __str__(self) -> str:
        text = self.text()
        if type(self) is JupyterGraphError or not is_ours(type(self)):
            return text  # raised by a step, in words of its own
        return f"{text} [{self.code}]" if text else f"[{self.code}]"

    def __format__(self, spec: str) -> str:
        has_code = is_ours(type(self).__str__)  # else a text of the user's own
        return format(self.text() if has_code else str(self), spec)

    def text(self) -> str:
        """Return what is wrong, without the code."""
        return super().__str__()


def listed(title: str, problems: Sequence[str]) -> str:
    """Return the text of an error about all these problems; a single one stands alone.

    >>> listed("a bad graph", ["no step 'a'"])
    "no step 'a'"
    """
    if len(problems) == 1:
        return problems[0]
    return f"{title}:\n  - " + "\n  - ".join(problems)


class SpecError(JupyterGraphError, ValueError):
    """A graph is described wrongly; ``problems`` holds one text per problem."""

    code = "JG110"

    def __init__(self, message: str, problems: Iterable[str] = ()) -> None:
        super().__init__(message)
        self.problems = tuple(problems) or (message,)

    @classmethod
    def raise_all(cls, title: str, problems: Iterable[str]) -> None:
        """Raise one error that lists every problem, or return quietly.

        A single problem stands alone; more stand below the title.
        """
        if texts := tuple(problems):
            raise cls(listed(title, texts), texts)


class UnknownStepError(SpecError):
    """A name stands for no step, class or function that is known here."""

    code = "JG111"


class DuplicateStepError(SpecError):
    """A name is taken twice."""

    code = "JG112"


class CellError(JupyterGraphError, ValueError):
    """A cell cannot become a step, or cannot travel into a function.

    Args:
        message: what is wrong and what would be right.
        cell: number of the cell as the notebook shows it.
        line: line in that cell, the ``%%`` line is line 1.
    """

    code = "JG120"

    def __init__(
        self, message: str, *, cell: int | None = None, line: int | None = None
    ) -> None:
        super().__init__(message)
        self.cell = cell
        self.line = line


class ValueShipError(CellError):
    """A value has no safe format in which it could travel into a function."""

    code = "JG121"


class MagicError(JupyterGraphError, ValueError):
    """The words after a magic are wrong."""

    code = "JG130"


class EventFileError(JupyterGraphError, ValueError):
    """A file of recorded events cannot be read or written; the text names the line."""

    code = "JG140"


class RunError(JupyterGraphError):
    """An event or a runner failed."""

    code = "JG200"


class StepError(RunError):
    """A step raised; ``__cause__`` holds what it raised."""

    code = "JG210"

    def __init__(self, step: str, event_id: str | None, cause: BaseException) -> None:
        super().__init__(step, event_id, cause)
        self.step = step
        self.event_id = event_id
        self.cause = cause

    def __repr__(self) -> str:
        # not the cause's own: asyncio shows the errors of tasks, and must be able to
        name = type(self).__name__
        return f"{name}({self.step!r}, {self.event_id!r}, {said(self.cause)!r})"

    def text(self) -> str:
        event = f"event {self.event_id}" if self.event_id else "an event"
        return f"step {self.step!r} failed on {event}: {said(self.cause)}"


def blamed(error: BaseException) -> tuple[str, BaseException]:
    """Return the step that failed and what it raised; "" and the error without one.

    >>> blamed(StepError("parse", None, KeyError("user")))
    ('parse', KeyError('user'))
    """
    return (error.step, error.cause) if isinstance(error, StepError) else ("", error)


class DeadlineError(RunError, TimeoutError):
    """An event or a step took longer than it may."""

    code = "JG220"


class StepDeadlineError(StepError, DeadlineError):
    """An event's time was up while it was in this step."""

    code = "JG211"


class OverloadError(RunError):
    """More events are in flight than the graph allows."""

    code = "JG230"


class NoSeatError(OverloadError, DeadlineError):
    """The graph was full for as long as an event may take; the event never began."""

    code = "JG231"

    def __init__(self, limit_s: float) -> None:
        super().__init__(f"found no free event slot within {limit_s:g} s")
        self.limit_s = limit_s

    def __reduce__(self) -> Any:
        return (NoSeatError, (self.limit_s,))


class ProcessEndedError(RunError):
    """The process that a step works in ended under it."""

    code = "JG240"


class ClosedError(RunError):
    """The runner is closed, or was never opened."""

    code = "JG250"


class StreamingError(RunError):
    """A stream broke off after its first items had been sent."""

    code = "JG260"


class AnswerError(RunError, TypeError):
    """A value cannot become an answer; the text names the key that holds it."""

    code = "JG270"


class NotRecordedError(RunError):
    """What a step with effects outside gave for an event is not recorded."""

    code = "JG280"


def said(error: BaseException) -> str:
    """Return ``Class: message``, or the class alone when there is no message.

    >>> said(KeyError("user")), said(RuntimeError())
    ("KeyError: 'user'", 'RuntimeError')

    An error whose text raises, even to exit, has one all the same.
    """
    try:
        text = f"{error}"  # of an error of ours, the text without its code
    except BaseException as broken:
        if _comes_from_a_signal(broken):
            raise
        text = f"(its text could not be made: {type(broken).__name__})"
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _comes_from_a_signal(error: BaseException) -> bool:
    """Tell whether an error is a signal's, which came just while a text was made.

    A handler in Python stands in the traceback; that of Ctrl-C is none, and raises
    between two instructions, of which the last one is no ``raise``.
    """
    import dis
    import signal

    if isinstance(error, Exception):
        return False
    codes = set()
    for number in signal.valid_signals():
        handler: Any = signal.getsignal(number)
        handler = getattr(handler, "func", handler)  # asyncio's is a partial
        codes.add(getattr(getattr(handler, "__func__", handler), "__code__", None))
    last = traceback = error.__traceback__
    while traceback is not None:
        if traceback.tb_frame.f_code in codes:
            return True
        last, traceback = traceback, traceback.tb_next
    if not isinstance(error, KeyboardInterrupt) or last is None:
        return False
    code, at = last.tb_frame.f_code.co_code, last.tb_lasti
    return dis.opname[code[at]] not in ("RAISE_VARARGS", "RERAISE")


def short(value: Any, longest: int = 80) -> str:
    """Return a value's repr, cut to what a message can hold.

    >>> short([1, 2, 3], 5)
    '[1, …'
    """
    text = repr(value)
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


class StatusError(JupyterGraphError):
    """A step raises this to choose the HTTP status its caller gets.

    >>> StatusError("try later", status_code=503).status_code
    503
    """

    code = "JG300"

    status_code = 500

    def __init__(self, message: str = "", *, status_code: int | None = None) -> None:
        super().__init__(message)
        if status_code is not None:
            self.status_code = status_code

    def __str__(self) -> str:
        # steps raise these with words of their own, and put str(error) into answers
        return self.text()

    def __reduce__(self) -> Any:
        return (_status_error, (type(self), self.text(), self.status_code))


def _status_error(kind: type[StatusError], message: str, status: int) -> StatusError:
    return kind(message, status_code=status)


class BadRequestError(StatusError, ValueError):
    """400: the caller sent something wrong."""

    code = "JG400"
    status_code = 400


class InvalidArgumentError(BadRequestError):
    """400: an argument has a wrong value."""

    code = "JG450"


class UnauthorizedError(StatusError):
    """401: the caller did not say who he is."""

    code = "JG401"
    status_code = 401


class AccessDeniedError(StatusError):
    """403: the caller may not do this."""

    code = "JG403"
    status_code = 403


class NotFoundError(StatusError):
    """404: there is no such thing."""

    code = "JG404"
    status_code = 404


class MethodNotAllowedError(StatusError):
    """405: the path does not take this method."""

    code = "JG405"
    status_code = 405


class ConflictError(StatusError):
    """409: the state of things does not allow it."""

    code = "JG409"
    status_code = 409


class PreconditionFailedError(StatusError):
    """412: a condition the caller named does not hold."""

    code = "JG412"
    status_code = 412


class TooLargeError(StatusError):
    """413: the body is larger than the function takes."""

    code = "JG413"
    status_code = 413


class UnsupportedMediaTypeError(StatusError):
    """415: the content type is not one the function takes."""

    code = "JG415"
    status_code = 415


class UnprocessableError(StatusError, ValueError):
    """422: the body can be read, but a field of it is wrong."""

    code = "JG422"
    status_code = 422


class TooManyRequestsError(StatusError):
    """429: the caller asks too often."""

    code = "JG429"
    status_code = 429


class InternalServerError(StatusError):
    """500: the step failed."""

    code = "JG500"


class NotImplementedServerError(StatusError):
    """501: the function does not do this."""

    code = "JG501"
    status_code = 501


class ServiceUnavailableError(StatusError):
    """503: what the step needs is not there now."""

    code = "JG503"
    status_code = 503


class GatewayTimeoutError(StatusError):
    """504: what the step asked did not answer in time."""

    code = "JG504"
    status_code = 504


class DeployError(JupyterGraphError):
    """A function could not be built, checked or started."""

    code = "JG600"


class BundleError(DeployError):
    """The bundle cannot be built, or what was built does not import."""

    code = "JG610"


class ParityError(DeployError):
    """The bundle answers differently from the notebook."""

    code = "JG620"


class NameTakenError(DeployError):
    """The function's name belongs to another notebook or graph, or was made by hand."""

    code = "JG630"


class HostError(DeployError):
    """The embedded host did not start or does not answer."""

    code = "JG640"


class DashboardError(DeployError):
    """The Nuclio dashboard refused, failed, or cannot be reached."""

    code = "JG650"
