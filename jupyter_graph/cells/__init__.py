"""Which code a step needs: static reading of notebook cells.

May import ``errors``, ``types`` and ``spec``. IPython is imported inside the functions
that read a cell, so that the room itself loads without it.
"""

from jupyter_graph.cells.lint import Finding, lint
from jupyter_graph.cells.notebook_files import cells_from_notebook, cells_from_script
from jupyter_graph.cells.shipping.captured_values import CapturedValue
from jupyter_graph.cells.slice.module_slice import Slice, slice_cells
from jupyter_graph.cells.slice.requirements import requirements
from jupyter_graph.cells.source import (
    Cell,
    Definition,
    ParsedCell,
    parse_cell,
    step_definition,
)

__all__ = [
    "CapturedValue",
    "Cell",
    "Definition",
    "Finding",
    "ParsedCell",
    "Slice",
    "cells_from_notebook",
    "cells_from_script",
    "lint",
    "parse_cell",
    "requirements",
    "slice_cells",
    "step_definition",
]
