"""A real IPython shell with the extension loaded, and cells typed into it."""

import atexit
import sys
from pathlib import Path

import pytest
from IPython.core.async_helpers import get_asyncio_loop
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from jupyter_graph.deployment.index import list_deployments

get_asyncio_loop()  # all shells share it, and it stays


@pytest.fixture
def bare_shell(tmp_path, monkeypatch):
    """A fresh IPython shell in a folder of its own; nothing is loaded."""
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.setenv("JUPYTER_GRAPH_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    monkeypatch.chdir(tmp_path)
    main = sys.modules["__main__"]
    InteractiveShell.clear_instance()
    config = Config()
    config.HistoryManager.hist_file = ":memory:"
    shell = InteractiveShell.instance(config=config)
    yield shell
    for deployment in list_deployments():
        deployment.delete()
    atexit.unregister(shell.atexit_operations)
    shell.run_cell("%unload_ext jupyter_graph", silent=True)
    shell.history_manager.end_session()
    InteractiveShell.clear_instance()
    sys.modules["__main__"] = main


@pytest.fixture
def shell(bare_shell):
    """A shell that has loaded the extension."""
    bare_shell.run_cell("%load_ext jupyter_graph", store_history=True).raise_error()
    return bare_shell


@pytest.fixture
def run(shell):
    """Run a cell and give its value; what it raises is raised here."""

    def run(source, cell_id=None):
        result = shell.run_cell(source, store_history=True, cell_id=cell_id)
        result.raise_error()
        return result.result

    return run


@pytest.fixture
def session(shell):
    """The session behind the magics."""
    from jupyter_graph import notebook

    return notebook()


@pytest.fixture
def folder():
    """The folder the shell works in."""
    return Path.cwd()
