"""A session of a notebook that is no notebook: cells are executed by hand."""

import pytest

from jupyter_graph.cells.source import Cell
from jupyter_graph.session.session import Session
from jupyter_graph.session.step_options import StepOptions
from jupyter_graph.spec.step_fields import OPTIONS


def options_of(words):
    """Read the words of a step: fields of it, and where it goes."""
    settings = {key: words.pop(key) for key in OPTIONS if key in words}
    return StepOptions(**words, settings=settings)


@pytest.fixture
def session():
    """A session without a kernel; its runners are closed at the end."""
    session = Session({"__name__": "__main__"})
    yield session
    session.close()


@pytest.fixture
def define(session):
    """Run a cell and put its function or class into the graph."""
    cells = []
    session.cells = lambda: list(cells)

    def define(source, cell_id=None, **options):
        cell = Cell(source, len(cells) + 1, cell_id)
        plan = session.plan_step(options_of(options), cell)
        exec(source, session.user_ns)
        cells.append(cell)
        return session.put_step(plan)

    return define
