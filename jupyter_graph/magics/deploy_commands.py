"""The subcommands of ``%deploy``, about what is deployed."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from jupyter_graph.deployment.index import find, list_deployments
from jupyter_graph.errors import MagicError
from jupyter_graph.magics.display import Note
from jupyter_graph.magics.notebook_expressions import evaluate, pair
from jupyter_graph.session.session import Session
from jupyter_graph.session.shown_table import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What was typed after ``%deploy SUBCOMMAND``."""

    words: list[str]
    expression: str
    options: argparse.Namespace
    session: Session


@dataclass(frozen=True, slots=True)
class Command:
    """One subcommand.

    Attributes:
        run: does it.
        form: the words it takes, for messages.
        takes_expression: an EXPR follows its first word.
    """

    run: Callable[[Request], Any]
    form: str = "NAME"
    takes_expression: bool = False

    def check_count(self, name: str, words: list[str]) -> None:
        """Raise a MagicError when there are too few or too many words."""
        wanted = 1 if self.form else 0
        if len(words) != wanted:
            usage = f"%deploy {name} {self.form}".strip()
            raise MagicError(f"usage: {usage}, got {' '.join(words) or 'nothing'}")


COLUMNS: dict[str, Callable[[Any], Any]] = {
    "name": lambda deployment: deployment.name,
    "target": lambda deployment: deployment.target,
    "state": lambda deployment: deployment.state,
    "url": lambda deployment: deployment.url,
}


def list_(request: Request) -> Table[Any]:
    return Table(list_deployments(), COLUMNS, empty="nothing is deployed")


def status(request: Request) -> Any:
    return find(request.words[0]).status()


def logs(request: Request) -> Note:
    return Note(find(request.words[0]).logs())


def invoke(request: Request) -> Any:
    options = request.options
    body = evaluate(
        request.expression, request.session.user_ns, what="EXPR of %deploy invoke"
    )
    return find(request.words[0]).invoke(
        body,
        path=options.path,
        method=options.method.upper(),
        headers=dict(pair(text, what="--header") for text in options.header or ()),
        silent=options.silent,
    )


def delete(request: Request) -> Note:
    find(request.words[0]).delete()
    return Note(f"{request.words[0]!r} is stopped and gone")


COMMANDS: dict[str, Command] = {
    "list": Command(list_, ""),
    "status": Command(status),
    "logs": Command(logs),
    "invoke": Command(invoke, "NAME EXPR", takes_expression=True),
    "delete": Command(delete),
}
