"""``%%graph_step``: this cell defines a step."""

from __future__ import annotations

from typing import Any

from IPython.core.interactiveshell import InteractiveShell
from IPython.core.magic import (
    Magics,
    line_cell_magic,
    line_magic,
    magics_class,
    no_var_expand,
)
from IPython.core.magic_arguments import argument, magic_arguments

from jupyter_graph.cells.source import Cell
from jupyter_graph.errors import MagicError
from jupyter_graph.magics.argument_parser import one_name, read_options
from jupyter_graph.magics.cell_body import CellBody, run_now
from jupyter_graph.magics.declared_options import option
from jupyter_graph.magics.kernel_cells import KernelCells, is_step_cell
from jupyter_graph.magics.notebook_expressions import evaluate
from jupyter_graph.magics.step_arguments import read_step, step_arguments
from jupyter_graph.magics.tracebacks import reports_errors
from jupyter_graph.session.session import Session
from jupyter_graph.session.step_cells import StepPlaced, StepPlan
from jupyter_graph.session.step_options import StepOptions


@magics_class
class StepMagics(Magics):
    """The cell magic that makes a cell a step of the current graph."""

    def __init__(
        self, shell: InteractiveShell, session: Session, kernel_cells: KernelCells
    ) -> None:
        super().__init__(shell)
        self.shell: InteractiveShell = shell
        self.session = session
        self.kernel_cells = kernel_cells

    @magic_arguments()
    @argument("name", nargs="?", help="the step's name (default: its function's)")
    @step_arguments
    @option("--path URL", "with --queue: its stream's URL (default: in process)")
    @option("--keep", "under another name: keep the step this cell defined before")
    @option(
        "--example EXPR", "run the graph up to and with this step on this body, now"
    )
    @no_var_expand
    @line_cell_magic
    @reports_errors
    def graph_step(self, line: str, cell: str | None = None) -> Any:
        """Run this cell and put its function or class into a graph as a step."""
        __tracebackhide__ = True
        if cell is None:
            raise MagicError("write %%graph_step, with two %, in a cell's first line")
        options, example = self.read(line)
        source = self._cell(line, cell)
        try:
            body = CellBody(self.shell, source, cell)
        except SyntaxError as error:
            raise error.with_traceback(None) from None
        plan = self.session.plan_step(options, source)
        if body.awaits:
            return run_now(self.shell, lambda: self._later(body, plan, example))
        body.run()
        return self._placed(plan, example)

    async def _later(
        self, body: CellBody, plan: StepPlan, example: str | None
    ) -> StepPlaced:
        __tracebackhide__ = True
        await body.run_async()
        return self._placed(plan, example)

    @line_magic("%graph_step")  # type: ignore[arg-type]
    @reports_errors
    def below_code(self, line: str) -> None:
        """Say where the magic must stand: IPython takes it for a line magic here."""
        raise MagicError(
            "%%graph_step must be the first line of its cell; only comments and blank "
            "lines may stand above it"
        )

    def read(self, line: str) -> tuple[StepOptions, str | None]:
        """Read the words after ``%%graph_step``; MagicError says what is wrong."""
        magic = "%%graph_step"
        words, loose, _ = read_options(self.graph_step.parser, line, magic=magic)
        name = one_name(loose, magic=magic, hint="; options begin with --")
        options = read_step(name, words, self.session.user_ns, magic=magic)
        if options.path is not None and options.queue is None:
            raise MagicError(f"{magic}: --path is the URL of a queue: say --queue NAME")
        if words.example is not None and (options.on_error or options.is_route):
            raise MagicError(
                f"{magic}: --example runs the flow up to the step; an error handler "
                "or a route is not on that way, use %graph run"
            )
        return options, words.example

    def _cell(self, line: str, cell: str) -> Cell:
        running = self.kernel_cells.running
        if running is not None and is_step_cell(running.source):
            return running
        number, cell_id = (running.number, None) if running else (None, None)
        return Cell(f"%%graph_step {line}".rstrip() + f"\n{cell}", number, cell_id)

    def _placed(self, plan: StepPlan, example: str | None) -> StepPlaced:
        if example is None:
            return self.session.put_step(plan)
        body = evaluate(example, self.session.user_ns, what="--example")
        return self.session.with_example(self.session.put_step(plan), body)
