"""What a step sees of its surroundings."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, NoReturn

from jupyter_graph.errors import SpecError

if TYPE_CHECKING:
    from jupyter_graph.answer.response import Response
    from jupyter_graph.run.recorded_outputs import RecordedOutputs


Pushed = Callable[[Any, str, str | None], None]

OF_AN_MLRUN_SERVER = {
    "get_store_resource": "open what the step needs in its constructor, or give it as "
    "an argument",
    "get_table": "give the table itself as the step's 'table' argument",
    "server": "what was set for the graph: context.get_param, context.get_secret",
    "root": "the graph is the 'spec' of the runner that runs it",
    "project_obj": "context.project is the project's name",
}
"""What MLRun's context has and ours has not: what to write instead."""


class Context:
    """The surroundings of a step, for an argument of it that is called ``context``.

    Attributes:
        logger: a logger with ``info``, ``warning``, ``error`` and the like.
        name: the name of the step that asked.
        parameters: what the runner was given as parameters.
        worker_id: the worker of a deployed function, "0" in a notebook.
        is_parity: this run only compares answers; leave the world as it is.
        is_mock: this is a mock server, not a deployed function.
        is_deployed: this is a deployed function, not a notebook.
        current_function: the function that runs here; ``*`` = all of them.
        load_mode: how models are loaded, ``sync`` or ``async``.
        project: the project of a deployed function.
        timeout_s: seconds an event may take.
        verbose: whoever runs it wants to know more.
        recorded: where ``is_parity``, what steps with effects outside gave before.
        stream: MLRun's tracking stream; its ``enabled`` is False, nothing is tracked.

    >>> Context(parameters={"limit": 3}).get_param("limit")
    3
    """

    def __init__(
        self,
        *,
        logger: Any = None,
        parameters: Mapping[str, Any] | None = None,
        secrets: Mapping[str, str] | None = None,
        worker_id: str = "0",
        is_parity: bool = False,
        is_mock: bool = False,
        is_deployed: bool = False,
        current_function: str = "*",
        load_mode: str = "sync",
        project: str = "default",
        timeout_s: float = 30.0,
        verbose: bool = False,
        name: str = "",
        push: Pushed | None = None,
        recorded: RecordedOutputs | None = None,
    ) -> None:
        self.logger = logger or logging.getLogger("jupyter_graph.steps")
        self.parameters: Mapping[str, Any] = dict(parameters or {})
        self._secrets = dict(secrets or {})
        self.worker_id = worker_id
        self.is_parity = is_parity
        self.recorded = recorded
        self.is_mock = is_mock
        self.is_deployed = is_deployed
        self.current_function = current_function
        self.load_mode = load_mode
        self.project = project
        self.timeout_s = timeout_s
        self.verbose = verbose
        self.name = name
        self.stream = SimpleNamespace(enabled=False)
        self._push = push

    # Only for names that are not there: MLRun's code gets told what to write instead.
    def __getattr__(self, name: str) -> NoReturn:
        if name in OF_AN_MLRUN_SERVER:
            raise AttributeError(
                f"context.{name} needs an MLRun server; {OF_AN_MLRUN_SERVER[name]}"
            )
        raise AttributeError(f"'Context' object has no attribute {name!r}")

    def __repr__(self) -> str:
        return f"<Context of step {self.name!r}>"

    @property
    def Response(self) -> type[Response]:
        """The class of answers with a status of their own."""
        from jupyter_graph.answer.response import Response

        return Response

    def named(self, name: str) -> Context:
        """Return the same context as a step sees it, by its own name."""
        return _SeenByStep(self, name=name)

    def reporting(self, push: Pushed) -> Context:
        """Return the same context, with errors reported to ``push``."""
        return _SeenByStep(self, name=self.name, _push=push)

    @property
    def reports(self) -> bool:
        """Whether somebody takes the errors that ``push_error`` reports."""
        return self._push is not None

    def elsewhere(self) -> Context:
        """Return a copy of the context for another process, where the runner is not.

        What steps have set is there only where it can be sent.
        """
        other = Context()
        vars(other).update({key: getattr(self, key) for key in vars(other)})
        other._push, other.logger = None, logging.getLogger("jupyter_graph.steps")
        return other

    def get_param(self, key: str, default: Any = None) -> Any:
        """Return a parameter of the graph."""
        return self.parameters.get(key, default)

    def get_secret(self, key: str, default: str | None = None) -> str | None:
        """Return a secret; it is never logged and never part of a bundle."""
        return self._secrets.get(key, default)

    def get_remote_endpoint(self, name: str, external: bool = True) -> str:
        """Return the address of a function, which here must be one already.

        Raises:
            SpecError: it is the name of a function on an MLRun server.

        >>> Context().get_remote_endpoint("http://models:8080")
        'http://models:8080'
        """
        if "://" in name:
            return name
        raise SpecError(
            f"an MLRun server would know where function {name!r} is; give its address, "
            "'http://…'"
        )

    def push_error(
        self, event: Any, message: str, source: str | None = None, **_: Any
    ) -> None:
        """Report an error that does not fail the event."""
        if self._push is not None:
            self._push(event, message, source or self.name)
        else:
            self.logger.error("%s: %s", source or self.name, message)


class _SeenByStep(Context):
    """The runner's context as one step sees it: all but its name is shared.

    What a step sets stands in the runner's one context, where the next step sees it.

    Args:
        whole: the context, or a view of it.
        **own: what is this view's own.
    """

    def __init__(self, whole: Context, **own: Any) -> None:
        known = vars(whole) if isinstance(whole, _SeenByStep) else {"_whole": whole}
        vars(self).update({**known, **own})

    def __getattr__(self, name: str) -> Any:
        if name == "_whole":  # it is being made anew
            raise AttributeError(name)
        return getattr(self._whole, name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name in vars(self):
            vars(self)[name] = value
        else:
            setattr(self._whole, name, value)

    def __delattr__(self, name: str) -> None:
        delattr(self._whole, name)

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *dir(self._whole)})
