"""``%load_ext jupyter_graph``: what is registered, and how it is taken back."""

from __future__ import annotations

from typing import Any

from IPython.core.interactiveshell import InteractiveShell

from jupyter_graph.magics.cell_body import await_step_cells, header_first
from jupyter_graph.magics.completion import Completions
from jupyter_graph.magics.deploy_magic import DeployMagics
from jupyter_graph.magics.graph_magic import GraphMagics
from jupyter_graph.magics.kernel_cells import KernelCells, notebook_path
from jupyter_graph.magics.step_magic import StepMagics
from jupyter_graph.magics.views import Views
from jupyter_graph.session.active import activate, deactivate
from jupyter_graph.session.session import Session
from jupyter_graph.spec.builder import Graph
from jupyter_graph.threads.process_ends import AtExit

LINE_MAGICS = ("graph", "deploy", "graph_step", "%graph_step")
CELL_MAGICS = ("graph_step",)
_loaded: dict[int, Extension] = {}


class Extension:
    """What one shell was given."""

    def __init__(self, shell: InteractiveShell) -> None:
        self.shell = shell
        self.cells = KernelCells(shell)
        names = shell.user_ns
        self.session = Session(names, self.cells.cells, notebook_path(names))
        self.views = Views(self.session)
        self.completions = Completions(self.session)

    def register(self) -> None:
        shell = self.shell
        shell.register_magics(
            StepMagics(shell, self.session, self.cells),
            GraphMagics(shell, self.session, self.views),
            DeployMagics(shell, self.session),
        )
        self.cells.register()
        shell.input_transformers_cleanup.append(header_first)
        shell.input_transformers_post.append(await_step_cells)
        shell.Completer.custom_matchers.append(self.completions.matcher)
        if shell.display_formatter is not None:
            formatter = shell.display_formatter.mimebundle_formatter
            formatter.for_type(Graph, show_graph)
        self.session.watchers.append(self.views.changed)
        activate(self.session)
        self.at_exit = AtExit(self.session.close)

    def unregister(self) -> None:
        shell = self.shell
        # IPython has no public way to take magics back.
        for kind, names in (("line", LINE_MAGICS), ("cell", CELL_MAGICS)):
            for name in names:
                shell.magics_manager.magics[kind].pop(name, None)
        for made in (StepMagics, GraphMagics, DeployMagics):
            shell.magics_manager.registry.pop(made.__name__, None)
        self.cells.unregister()
        shell.input_transformers_cleanup.remove(header_first)
        shell.input_transformers_post.remove(await_step_cells)
        shell.Completer.custom_matchers.remove(self.completions.matcher)
        if shell.display_formatter is not None:
            shell.display_formatter.mimebundle_formatter.pop(Graph, None)
        self.session.watchers.clear()
        self.views.close()
        deactivate(self.session)
        self.session.close()
        self.at_exit.cancel()


def show_graph(graph: Graph, **_: Any) -> dict[str, Any]:
    """Return what a graph looks like when it is the value of a cell."""
    from jupyter_graph.picture.forms.mimebundle import mimebundle

    return dict(mimebundle(graph.spec))


def load(shell: InteractiveShell) -> None:
    """Register everything; a second time changes nothing."""
    if id(shell) not in _loaded:
        extension = Extension(shell)
        extension.register()
        _loaded[id(shell)] = extension


def unload(shell: InteractiveShell) -> None:
    """Take everything back and close what is open."""
    extension = _loaded.pop(id(shell), None)
    if extension is not None:
        extension.unregister()
