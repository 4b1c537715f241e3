"""``%graph``: show, run, check and change the notebook's graphs."""

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

from jupyter_graph.errors import MagicError, did_you_mean
from jupyter_graph.magics.argument_parser import plain_words, read_options, split_line
from jupyter_graph.magics.graph_commands import COMMANDS, GraphRequest
from jupyter_graph.magics.step_arguments import step_arguments, whole
from jupyter_graph.magics.subcommand import Command
from jupyter_graph.magics.tracebacks import reports_errors
from jupyter_graph.magics.views import Views
from jupyter_graph.session.session import Session

RAW = frozenset({"--args", "--arg", "--with", "--header"})


@magics_class
class GraphMagics(Magics):
    """The line magic for everything about graphs but their steps' cells."""

    def __init__(self, shell: InteractiveShell, session: Session, views: Views) -> None:
        super().__init__(shell)
        self.session = session
        self.views = views

    @magic_arguments()
    @argument("command", nargs="?", help=f"{', '.join(COMMANDS)} (default: show)")
    @argument("words", nargs="*", help="what the command is about")
    @step_arguments
    @argument("--topology", choices=("flow", "router"), default="flow", help="new")
    @argument("--engine", choices=("async", "sync"), default="async", help="new")
    @argument(
        "--max-in-flight", metavar="N", type=whole, default=1024, help="new: events"
    )
    @argument(
        "--order-by", metavar="FIELD", help="new: events of a key one after the other"
    )
    @argument("--allow-cyclic", action="store_true", help="new: steps may lead back")
    @argument("--class", dest="class_name", metavar="C", help="model: its class")
    @argument("--model-path", metavar="P", help="model: its file or folder")
    @argument(
        "--path",
        metavar="P",
        help="run: path of the request (default: /); add: a queue's URL",
    )
    @argument("--method", metavar="M", default="POST", help="run: its method")
    @argument("--header", metavar="K=V", action="append", help="run: a header")
    @argument("--until", metavar="STEP", help="run: the step that answers")
    @argument("--silent", action="store_true", help="run, replay: do not raise")
    @argument("--each", action="store_true", help="run: one event for each item")
    @argument("--from", dest="from_step", metavar="STEP", help="replay: begin there")
    @argument("--with", dest="with_body", metavar="EXPR", help="replay: this body")
    @argument("--compiled", action="store_true", help="code: what runs")
    @argument("--format", metavar="F", help="plot: svg, png, mermaid or text")
    @argument("--allow", metavar="MODULE", action="append", help="import: a module")
    @no_var_expand
    @output_can_be_silenced
    @line_magic
    @reports_errors
    def graph(self, line: str) -> Any:
        """Show, run, check or change a graph of this notebook.

        show · new NAME · use NAME · list · add CLASS_OR_KIND_OR_GRAPH NAME
        model NAME
        run EXPR · events · trace [ID] · replay ID · check · code [STEP]
        remove STEP · rename A B · undo · plot · export FILE · import FILE · reset
        """
        __tracebackhide__ = True
        command, request = self.read(line.rstrip().removesuffix(";"))
        return command.run(request)

    def read(self, line: str) -> tuple[Command, GraphRequest]:
        """Read the words after ``%graph``; MagicError says what is wrong with them."""
        name, _, rest = split_line(line).head.partition(" ")
        name = name or "show"
        if name not in COMMANDS:
            raise MagicError(
                f"%graph has no subcommand {name!r}{did_you_mean(name, COMMANDS)} "
                f"(known: {', '.join(COMMANDS)})"
            )
        command = COMMANDS[name]
        magic = f"%graph {name}"
        typed = line.strip().removeprefix(name)
        words, loose, _ = read_options(
            self.graph.parser, typed, magic=magic, raw=RAW, allowed=command.options
        )
        expression = rest.strip()
        if not command.takes_expression:
            loose = plain_words(loose, magic=magic)
            command.check_count(magic, loose)
        elif not expression:
            expression = " ".join(loose)
        return command, GraphRequest(
            magic=magic,
            words=loose,
            expression=expression,
            options=words,
            session=self.session,
            views=self.views,
        )
