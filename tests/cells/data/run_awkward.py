"""Run a notebook's cells in a real IPython shell, slice them, and call the steps.

Usage: run_awkward.py NOTEBOOK FOLDER: writes steps.py, artifacts/ and answers.json.
"""

import sys
from pathlib import Path

from run_awkward_answers import answers
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from jupyter_graph.cells import cells_from_notebook, slice_cells
from jupyter_graph.cells.source import Cell
from jupyter_graph.host.artifacts import save_value

ROOTS = ("validate", "enrich", "Predict", "on_error")


def run(cells):
    config = Config()
    config.HistoryManager.enabled = False
    shell = InteractiveShell.instance(config=config)

    def graph_step(line, body):
        shell.run_cell("\n" + body, store_history=False).raise_error()

    shell.register_magic_function(graph_step, "cell")
    done = []
    for cell in cells:
        number = shell.execution_count
        shell.run_cell(cell.source, store_history=True).raise_error()
        done.append(Cell(cell.source, number, cell.id))
    return shell.user_ns, done


def main(notebook, folder):
    namespace, cells = run(cells_from_notebook(notebook))
    part = slice_cells(cells, ROOTS, namespace, folder=folder)
    (folder / "steps.py").write_text(part.source)
    (folder / "artifacts").mkdir()
    for value in part.values:
        save_value(value.name, value.value, folder / "artifacts")
    (folder / "answers.json").write_text(answers(namespace))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
