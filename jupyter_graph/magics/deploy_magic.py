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
from jupyter_graph.errors import MagicError
from jupyter_graph.magics.argument_parser import plain_words, read_options, split_line
from jupyter_graph.magics.deploy_arguments import RAW, read_deployment
from jupyter_graph.magics.deploy_commands import COMMANDS, FOR_INVOKE
from jupyter_graph.magics.step_arguments import seconds, whole
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
    @argument("--to", metavar="TARGET", help=TARGETS_SHOWN)
    @argument("--graph", metavar="G", help="which graph (default: the current one)")
    @argument("--output", metavar="DIR", help="where the bundle goes; may be a .zip")
    @argument("--dry-run", action="store_true", help="show everything, send nothing")
    @argument("--workers", metavar="N", type=whole, help="processes (default: 1)")
    @argument("--port", metavar="P", type=whole, help="port (default: a free one)")
    @argument(
        "--wait", metavar="S", type=seconds, help="seconds until ready (default: 120)"
    )
    @argument(
        "--trigger",
        metavar="NAME=KIND[:k=v,…]",
        action="append",
        help="a Nuclio trigger (default: one of kind http)",
    )
    @argument("--trigger-file", metavar="F", help="triggers from a YAML or JSON file")
    @argument(
        "--config",
        metavar="FIELD=VALUE",
        action="append",
        help="a field of the function spec, dotted",
    )
    @argument("--config-file", metavar="F", help="fields from a YAML or JSON file")
    @argument("--env", metavar="K=V", action="append", help="environment variable")
    @argument(
        "--secret",
        metavar="K=NAME/KEY",
        action="append",
        help="environment variable from a secret",
    )
    @argument("--requirements", metavar="FILE", action="append", help="added to ours")
    @argument("--pip", metavar="NAME", action="append", help="one requirement more")
    @argument("--api", metavar="FILE", help="endpoints before the graph: YAML or JSON")
    @argument("--openai", action="store_true", help="OpenAI's, under /v1")
    @argument("--project", metavar="P", help="of Nuclio (default: default)")
    @argument(
        "--dashboard", metavar="URL", help="of Nuclio (default: $NUCLIO_DASHBOARD_URL)"
    )
    @argument("--runtime", metavar="R", help="bundled (default) or pip")
    @argument("--with-events", action="store_true", help="events into the archive")
    @argument("--fresh-env", action="store_true", help="check in a new environment")
    @argument("--no-parity", action="store_true", help="do not compare the answers")
    @argument("--replace", action="store_true", help="take a name that is in use")
    @argument(
        "--allow-pickle", metavar="VAR", action="append", help="may travel as pickle"
    )
    @argument("--path", metavar="P", default="/", help="invoke: path of the request")
    @argument("--method", metavar="M", default="POST", help="invoke: its method")
    @argument("--header", metavar="K=V", action="append", help="invoke: a header")
    @argument("--silent", action="store_true", help="invoke: do not raise")
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
        known = self.deploy.parser._option_string_actions
        words, loose, _ = read_options(
            self.deploy.parser,
            line,
            magic="%deploy",
            raw=RAW,
            allowed=frozenset(known) - FOR_INVOKE,
        )
        names = plain_words(loose, magic="%deploy")
        if len(names) > 1:
            raise MagicError(
                f"%deploy takes one NAME, got {' '.join(names)!r} "
                f"(subcommands: {', '.join(COMMANDS)})"
            )
        return read_deployment(names[0] if names else None, words, self.session)

    def read_command(self, name: str, line: str) -> tuple[Command, Request]:
        """Return a subcommand and what was typed after it."""
        command, magic = COMMANDS[name], f"%deploy {name}"
        typed = line.strip().removeprefix(name)
        words, loose, head = read_options(
            self.deploy.parser,
            typed,
            magic=magic,
            raw=frozenset({"--header"}),
            allowed=command.options,
        )
        expression = head.partition(" ")[2].strip()
        if command.takes_expression:
            loose = loose[:1]
        command.check_count(magic, plain_words(loose, magic=magic))
        return command, Request(
            magic=magic,
            words=loose,
            expression=expression,
            options=words,
            session=self.session,
        )
