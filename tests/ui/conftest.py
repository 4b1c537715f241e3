"""A private JupyterLab with the built extension, and a browser to look at it."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
BUILT = ROOT / "jupyter_graph" / "labextension"
PICTURES = ROOT / "build" / "ui"
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
START_LIMIT_S = 60.0
SETTINGS = {
    "@jupyterlab/apputils-extension/notification": {
        "fetchNews": "false",
        "checkForUpdates": False,
    },
}


def need(condition: object, reason: str) -> None:
    """Skip where something is missing; in CI nothing may be missing."""
    if not condition and os.environ.get("CI") == "true":
        pytest.fail(reason)
    if not condition:
        pytest.skip(reason)


@dataclass(frozen=True)
class Lab:
    """A running JupyterLab; ``folder`` is the root of its file browser."""

    url: str
    token: str
    folder: Path

    def page_of(self, notebook: str) -> str:
        """Return the address of a notebook, in a fresh workspace."""
        return f"{self.url}/lab/tree/{notebook}?token={self.token}&reset"


def private_environment(home: Path) -> dict[str, str]:
    """Return an environment in which Jupyter reads and writes below ``home`` only."""
    data, settings = home / "data", home / "settings"
    (data / "labextensions").mkdir(parents=True)
    shutil.copytree(BUILT, data / "labextensions" / "jupyter-graph")
    for name, values in SETTINGS.items():
        path = settings / f"{name}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(values))
    return {
        **os.environ,
        "HOME": str(home),
        "IPYTHONDIR": str(home / "ipython"),
        "JUPYTERLAB_SETTINGS_DIR": str(settings),
        "JUPYTERLAB_WORKSPACES_DIR": str(home / "workspaces"),
        "JUPYTER_CONFIG_DIR": str(home / "config"),
        "JUPYTER_DATA_DIR": str(data),
        "JUPYTER_GRAPH_STATE_DIR": str(home / "state"),
        "JUPYTER_PREFER_ENV_PATH": "0",
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
    }


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def wait_until_up(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    """Return when the server answers; fail with its log when it does not."""
    end = time.monotonic() + START_LIMIT_S
    while time.monotonic() < end and server.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    pytest.fail(f"JupyterLab did not start:\n{log.read_text()}")


def stop(server: subprocess.Popen[bytes]) -> None:
    """End the server, which ends its kernels."""
    server.terminate()
    try:
        server.wait(timeout=20)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


def delete_deployments(environment: dict[str, str]) -> None:
    """End the functions that a notebook which failed half-way has left running."""
    code = (
        "from jupyter_graph.deployment.index import list_deployments\n"
        "for deployment in list_deployments(): deployment.delete()"
    )
    subprocess.run([sys.executable, "-c", code], env=environment, timeout=60)


@pytest.fixture(scope="session")
def need_built_extension() -> None:
    need((BUILT / "package.json").exists(), "no built extension: `make labextension`")


@pytest.fixture(scope="session")
def need_wheel_builder() -> None:
    found = find_spec("build")  # without it our own folder of that name is found
    need(found and found.origin, "no build: dependency group `build`")


@pytest.fixture(scope="session")
def chromium() -> str:
    """Return the path of the browser."""
    need(find_spec("playwright"), "no playwright: dependency group `ui`")
    program = next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)
    need(program, "no Chromium on the path")
    return str(program)


@pytest.fixture(scope="session")
def lab(
    need_built_extension: None,
    chromium: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Lab]:
    """Start JupyterLab in private folders, with the built extension in it."""
    need(find_spec("jupyterlab"), "no JupyterLab: dependency group `lab`")
    home = tmp_path_factory.mktemp("lab")
    folder = home / "notebooks"
    folder.mkdir()
    environment = private_environment(home)
    port, token, log = free_port(), secrets.token_hex(16), home / "lab.log"
    command = [
        *(sys.executable, "-m", "jupyterlab", "--no-browser", "--ip=127.0.0.1"),
        *(f"--port={port}", "--ServerApp.port_retries=0", "--expose-app-in-browser"),
        *(f"--ServerApp.root_dir={folder}", f"--IdentityProvider.token={token}"),
        *(["--allow-root"] if os.name == "posix" and os.geteuid() == 0 else []),
    ]
    with log.open("wb") as out:
        server = subprocess.Popen(
            command, env=environment, cwd=home, stdout=out, stderr=out
        )
    url = f"http://127.0.0.1:{port}"
    try:
        wait_until_up(f"{url}/api/status?token={token}", server, log)
        yield Lab(url, token, folder)
    finally:
        stop(server)
        delete_deployments(environment)


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Any]:
    """Start Chromium; not longer than a module, for it owns the running event loop."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium,
            args=["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"],
        )
        yield browser
        browser.close()


class NotebookPage:
    """A browser page with one notebook in JupyterLab; ``.page`` is playwright's."""

    def __init__(self, page: Any) -> None:
        self.page = page

    def open(self, address: str) -> None:
        """Open the notebook; its kernel is up when this returns."""
        self.page.goto(address, wait_until="domcontentloaded")
        self.page.wait_for_selector(".jp-Notebook .jp-Cell")
        # Without this, "run all" silently does nothing.
        self.page.evaluate(
            """async () => {
                const panel = window.jupyterapp.shell.currentWidget;
                window.notebookPanel = panel;
                await panel.context.ready;
                await panel.sessionContext.ready;
                await panel.sessionContext.session.kernel.info;
            }"""
        )

    def command(self, name: str, **arguments: Any) -> None:
        """Run a command of JupyterLab and wait until it is done."""
        self.page.evaluate(
            """async ([name, args]) => {
                await window.jupyterapp.commands.execute(name, args);
            }""",
            [name, arguments],
        )

    def run_all(self) -> None:
        """Run all cells; returns when the last one is done or one has failed."""
        self.page.evaluate(
            "window.jupyterapp.shell.activateById(window.notebookPanel.id)"
        )
        self.command("notebook:run-all-cells")

    def errors(self) -> list[str]:
        """Return the errors among the outputs of all cells."""
        found: list[str] = self.page.evaluate(
            """() => window.notebookPanel.content.model.sharedModel.cells
                .filter(cell => cell.cell_type === 'code')
                .flatMap(cell => cell.getOutputs())
                .filter(output => output.output_type === 'error')
                .map(output => `${output.ename}: ${output.evalue}`)"""
        )
        return found

    def set_source(self, index: int, source: str) -> None:
        """Replace the text of a cell, as typing would."""
        self.page.evaluate(
            """([index, source]) => window.notebookPanel.content.model
                .cells.get(index).sharedModel.setSource(source)""",
            [index, source],
        )

    def show_cell(self, index: int) -> None:
        """Bring a cell into view, so that JupyterLab draws it."""
        self.page.evaluate(
            """async index => {
                const notebook = window.notebookPanel.content;
                notebook.activeCellIndex = index;
                await notebook.scrollToItem(index, 'smart');
                await notebook.widgets[index].ready;
            }""",
            index,
        )

    def show_output(self, selector: str) -> None:
        """Bring the first output with such an element into view."""
        self.show_every_cell()
        found = self.page.locator(f".jp-Notebook .jp-OutputArea {selector}").first
        found.wait_for()
        found.scroll_into_view_if_needed()

    def show_every_cell(self) -> None:
        """Pass all cells by, so that each has been drawn once."""
        count = self.page.evaluate("window.notebookPanel.content.widgets.length")
        for index in range(count):
            self.show_cell(index)

    def badges(self) -> list[str]:
        """Return what the badges say to those who cannot see them."""
        self.show_every_cell()
        labels: list[str] = self.page.locator(".jg-step-badge:visible").evaluate_all(
            "badges => badges.map(badge => badge.getAttribute('aria-label'))"
        )
        return labels

    def show_graph(self) -> None:
        """Press the button of the notebook's toolbar."""
        self.page.locator(".jg-show-graph").locator("visible=true").click()

    def restart(self) -> None:
        """Restart the kernel; it is up again when this returns."""
        self.page.evaluate(
            "async () => { await window.notebookPanel.sessionContext.restartKernel(); }"
        )

    def shut_down(self) -> None:
        """End the kernel, if the notebook came as far as having one."""
        self.page.evaluate(
            "async () => { await window.notebookPanel?.sessionContext.shutdown(); }"
        )

    def set_theme(self, theme: str) -> None:
        """Change to ``JupyterLab Light`` or ``JupyterLab Dark``."""
        self.command("apputils:change-theme", theme=theme)
        self.page.wait_for_function(
            "theme => document.body.dataset.jpThemeName === theme", arg=theme
        )

    def keep_picture(self, name: str) -> None:
        """Keep a screenshot under ``build/ui/``."""
        PICTURES.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=str(PICTURES / f"{name}.png"))


@pytest.fixture
def open_notebook(lab: Lab, browser: Any) -> Iterator[Callable[[str], NotebookPage]]:
    """Open notebooks of the lab's folder; their pages close with the test."""
    context = browser.new_context(viewport={"width": 1500, "height": 1000})
    context.set_default_timeout(60_000)

    opened: list[NotebookPage] = []

    def open_(name: str) -> NotebookPage:
        opened.append(NotebookPage(context.new_page()))
        opened[-1].open(lab.page_of(name))
        return opened[-1]

    yield open_
    for notebook in opened:
        notebook.shut_down()
    context.close()


@pytest.fixture
def new_notebook(
    lab: Lab, open_notebook: Callable[[str], NotebookPage]
) -> Callable[..., NotebookPage]:
    """Write a notebook with these code cells and open it."""
    nbformat = pytest.importorskip("nbformat")

    def new(name: str, *sources: str) -> NotebookPage:
        written = nbformat.v4.new_notebook(
            cells=[nbformat.v4.new_code_cell(source) for source in sources],
            metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}},
        )
        nbformat.write(written, lab.folder / f"{name}.ipynb")
        return open_notebook(f"{name}.ipynb")

    return new
