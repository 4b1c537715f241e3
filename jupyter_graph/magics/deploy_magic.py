"""``%deploy``: put a graph into production, and look after what is there."""

from __future__ import annotations

from typing import Any

from IPython.core.interactiveshell import InteractiveShell
from IPython.core.magic import (
    Magics,
    line_magic,
    magics_class,
    no_var_expand,
    output_can_be_silenced,
)
from IPython.core.magic_arguments import argument, magic_arguments

from jupyter_graph.deployment.targets.target_registry import TARGETS
from jupyter_graph.magics.argument_parser import one_name, read_options, split_line
from jupyter_graph.magics.declared_options import option, whole
from jupyter_graph.magics.deploy_arguments import read_deployment
from jupyter_graph.magics.deploy_commands import COMMANDS, FOR_INVOKE
from jupyter_graph.magics.subcommand import Command, Request
from jupyter_graph.magics.tracebacks import reports_errors
from jupyter_graph.session.session import Session

_FIRST, *_MORE, _LAST = TARGETS
TARGETS_SHOWN = f"{_FIRST} (default), {', '.join(_MORE)} or {_LAST}"


@magics_class
class DeployMagics(Magics):
    """The line magic that puts graphs into production."""

    def __init__(self, shell: InteractiveShell, session: Session) -> None:
        super().__init__(shell)
        self.session = session

    @magic_arguments()
    @argument(
        "name",
        nargs="?",
        help="the function's name (default: the graph's), "
        f"or one of: {', '.join(COMMANDS)}",
    )
    @argument("words", nargs="*", help="what the subcommand is about")
    @option("--to TARGET", TARGETS_SHOWN)
    @option("--graph G", "which graph (default: the current one)")
    @option("--output DIR", "where the bundle goes; may be a .zip")
    @option("--dry-run", "show everything, send nothing")
    @option("--workers N", "processes (default: 1)")
    @option("--port P", "port (default: a free one)", type=whole)
    @option("--wait S", "seconds until ready (default: 120)")
    @option(
        "--trigger NAME=KIND[:k=v,…]",
        "a Nuclio trigger (default: one of kind http)",
        action="append",
    )
    @option("--trigger-file F", "triggers from a YAML or JSON file")
    @option(
        "--config FIELD=VALUE", "a field of the function spec, dotted", action="append"
    )
    @option("--config-file F", "fields from a YAML or JSON file")
    @option(
        "--env K[=V]",
        "environment variable (K alone: its value here, now)",
        action="append",
    )
    @option(
        "--secret K=NAME/KEY", "environment variable from a secret", action="append"
    )
    @option("--requirements FILE", "added to ours", action="append")
    @option("--pip NAME", "one requirement more", action="append")
    @option("--api FILE", "endpoints before the graph: YAML or JSON")
    @option("--openai", "OpenAI's, under /v1")
    @option("--project P", "of Nuclio (default: default)")
    @option("--dashboard URL", "of Nuclio (default: $NUCLIO_DASHBOARD_URL)")
    @option("--runtime R", "bundled (default) or pip")
    @option("--with-events", "events into the archive")
    @option("--fresh-env", "check in a new environment")
    @option("--no-parity", "do not compare the answers")
    @option("--replace", "take a name that is another's; delete: what is")
    @option("--allow-pickle VAR", "may travel as pickle", action="append")
    @option("--path P", "invoke: path of the request", default="/")
    @option("--method M", "invoke: its method", default="POST")
    @option("--header K=V", "invoke: a header", action="append")
    @option("--silent", "invoke: do not raise")
    @no_var_expand
    @output_can_be_silenced
    @line_magic
    @reports_errors
    def deploy(self, line: str) -> Any:
        """Package a graph, check it, and start it as a function."""
        __tracebackhide__ = True
        line = line.rstrip().removesuffix(";")
        first, _, _ = split_line(line).head.partition(" ")
        if first in COMMANDS:
            command, request = self.read_command(first, line)
            return command.run(request)
        return self.session.deploy(**self.read(line))

    def read(self, line: str) -> dict[str, Any]:
        """Return the options of a deployment; MagicError when a word is wrong."""
        return options_of(line, self.session)

    def read_command(self, name: str, line: str) -> tuple[Command, Request]:
        """Return a subcommand and what was typed after it."""
        command, typed = COMMANDS[name], line.strip().removeprefix(name)
        given = command.read(self.deploy.parser, typed, magic=f"%deploy {name}")
        return command, Request(**given, session=self.session)


def options_of(line: str, session: Session) -> dict[str, Any]:
    """Return the options of a deployment that are typed after ``%deploy``.

    Raises:
        MagicError: a word is wrong.
    """
    parser, magic = DeployMagics.deploy.parser, "%deploy"
    allowed = frozenset(parser._option_string_actions) - FOR_INVOKE
    words, loose, _ = read_options(parser, line, magic=magic, allowed=allowed)
    hint = f" (subcommands: {', '.join(COMMANDS)})"
    name = one_name(loose, magic=magic, hint=hint)
    return read_deployment(name, words, session)
