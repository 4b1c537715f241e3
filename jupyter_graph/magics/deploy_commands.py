"""The subcommands of ``%deploy``, about what is deployed."""

from __future__ import annotations

from typing import Any

from jupyter_graph.deployment.index import find, list_deployments
from jupyter_graph.deployment.ownership import check_may_delete
from jupyter_graph.magics.display import Note
from jupyter_graph.magics.subcommand import Command, Request
from jupyter_graph.session.shown_table import Table, attributes

FOR_INVOKE = frozenset({"--path", "--method", "--header", "--silent"})

COLUMNS = attributes("name", "target", "state", "url")


def list_(request: Request) -> Table[Any]:
    return Table(list_deployments(), COLUMNS, empty="nothing is deployed")


def status(request: Request) -> Any:
    return find(request.words[0]).status()


def logs(request: Request) -> Note:
    return Note(find(request.words[0]).logs())


def invoke(request: Request) -> Any:
    body = request.body()
    return find(request.words[0]).invoke(body, **request.call)


def delete(request: Request) -> Note:
    found = find(request.words[0])
    if not request.options.replace:
        notebook = request.session.notebook_path
        check_may_delete(found.record, str(notebook.resolve()) if notebook else "")
    found.delete()
    return Note(f"{request.words[0]!r} is stopped and gone")


COMMANDS: dict[str, Command] = {
    "list": Command(list_),
    "status": Command(status, "NAME"),
    "logs": Command(logs, "NAME"),
    "invoke": Command(invoke, "NAME EXPR", FOR_INVOKE, takes_expression=True),
    "delete": Command(delete, "NAME", frozenset({"--replace"})),
}
