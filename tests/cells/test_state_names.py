"""Names that shipped code changes while it runs."""

import itertools
import random

import numpy as np
import pytest

from jupyter_graph.cells.slice.module_slice import slice_cells
from jupyter_graph.cells.source import Cell

NAMES = {"random": random, "np": np, "itertools": itertools}


@pytest.mark.parametrize(
    ("setup", "code", "state"),
    [
        ("n = 0", "global n; n += 1", ("n",)),
        ("seen = []", "seen.append(body)", ("seen",)),
        ("seen = {}", "seen[body] = 1", ("seen",)),
        ("seen = {}", "del seen[body]", ("seen",)),
        ("seen = {'a': {}}", "seen['a'].update(x=body)", ("seen",)),
        ("class Box: n = 0", "Box.n += 1", ("Box",)),
        ("limit = 3", "return body > limit", ()),
        ("names = ['a']", "return names[body]", ()),
        ("names = ['a']", "names = list(body); names.append(1)", ()),
    ],
)
def test_what_a_step_changes_is_known(setup, code, state):
    step = f"def step(body):\n    {code}"
    names = dict(NAMES)
    exec(f"{setup}\n{step}", names)
    cells = [Cell(setup, 1), Cell(step, 2)]

    assert slice_cells(cells, ["step"], names).state == state
