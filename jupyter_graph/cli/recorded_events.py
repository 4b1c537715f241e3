"""``jupyter graph test``, and what the pytest that ``%graph test`` writes calls."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jupyter_graph.cli.notebook_kernel import work_in_notebook
from jupyter_graph.session.recorded.event_files import read_events


def recorded_events(path: str | Path) -> list[int]:
    """Return the lines of a file that hold an event.

    Raises:
        EventFileError: the file is missing or broken.
    """
    return [line for line, _ in read_events(Path(path))]


def differing_events(notebook: str | Path, graph: str) -> dict[int, list[str]]:
    """Run a notebook in a kernel of its own, then the recorded events of a graph.

    Returns:
        for the line of each event that is answered otherwise: what differs.
    """
    work = f"{__name__}:{differing_here.__name__}"
    found = work_in_notebook(Path(notebook), work, graph)
    return {line: texts for line, texts in found if texts}


def differing_here(graph: str) -> list[Any]:
    """Return line and differences of each event, for a graph of this kernel."""
    from jupyter_graph.session.active import notebook
    from jupyter_graph.session.recorded.event_tests import run_recorded

    found = run_recorded(notebook(), graph)[graph]
    return [[one.line, list(one.differing)] for one in found]


def work_in_session(
    session: Any, name: str | None, words: Sequence[str]
) -> tuple[int, str]:
    """Run the recorded events of a session's graphs; return exit code and text."""
    from jupyter_graph.session.recorded.event_tests import run_recorded, told

    results = run_recorded(session, name, effects="--effects" in words)
    is_wrong = any(one.differing for some in results.values() for one in some)
    return int(is_wrong), told(results)
