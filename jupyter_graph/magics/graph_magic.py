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
from jupyter_graph.magics.argument_parser import split_line
from jupyter_graph.magics.declared_options import option
from jupyter_graph.magics.graph_commands import COMMANDS, GraphRequest
from jupyter_graph.magics.step_arguments import step_arguments
from jupyter_graph.magics.subcommand import Command
from jupyter_graph.magics.tracebacks import reports_errors
from jupyter_graph.magics.views import Views
from jupyter_graph.session.session import Session


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
    @option("--max-in-flight N", "new: events", default=1024)
    @option("--order-by FIELD", "new: events of a key one after the other")
    @option("--allow-cyclic", "new: steps may lead back")
    @option("--class C", "model: its class", dest="class_name")
    @option("--model-path P", "model: its file or folder")
    @option("--path P", "run: path of the request (default: /); add: a queue's URL")
    @option("--method M", "run: its method", default="POST")
    @option("--header K=V", "run: a header", action="append")
    @option("--until STEP", "run: the step that answers")
    @option("--silent", "run, replay: do not raise")
    @option("--each", "run: one event for each item")
    @option("--from STEP", "replay: begin there", dest="from_step")
    @option("--with EXPR", "replay: this body", dest="with_body")
    @option("--effects", "replay: run it here, with what its steps change outside")
    @option("--save FILE", "events: write them to a file of JSON lines")
    @option("--load FILE", "events: add those of such a file")
    @option("--compiled", "code: what runs")
    @option("--format F", "plot: svg, png, mermaid or text")
    @option("--allow MODULE", "import: a module", action="append")
    @no_var_expand
    @output_can_be_silenced
    @line_magic
    @reports_errors
    def graph(self, line: str) -> Any:
        """Show, run, check or change a graph of this notebook.

        show · new NAME · use NAME · list · add CLASS_OR_KIND_OR_GRAPH [NAME]
        model NAME
        run EXPR · events · test [ID] · trace [ID] · replay ID · check · code [STEP]
        remove STEP · rename A B · undo · plot · export FILE · import FILE · reset
        """
        __tracebackhide__ = True
        command, request = self.read(line.rstrip().removesuffix(";"))
        return command.run(request)

    def read(self, line: str) -> tuple[Command, GraphRequest]:
        """Read the words after ``%graph``; MagicError says what is wrong with them."""
        name = split_line(line).head.partition(" ")[0] or "show"
        if name not in COMMANDS:
            raise MagicError(
                f"%graph has no subcommand {name!r}{did_you_mean(name, COMMANDS)} "
                f"(known: {', '.join(COMMANDS)})"
            )
        command, typed = COMMANDS[name], line.strip().removeprefix(name)
        given = command.read(self.graph.parser, typed, magic=f"%graph {name}")
        return command, GraphRequest(**given, session=self.session, views=self.views)
