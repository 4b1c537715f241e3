"""Run the quickstart without a browser and show that notebook and function agree.

``make demo`` calls this. It leaves ``build/demo/quickstart.html`` and the bundle in
``build/demo/bundle``, and stops every process it started.
"""

from __future__ import annotations

import ast
import contextlib
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

import nbformat
import requests
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbconvert import HTMLExporter

HERE = Path(__file__).resolve().parent
OUT = HERE.parent / "build" / "demo"
NOTEBOOK = HERE / "01_quickstart.ipynb"


def main() -> int:
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir(parents=True)
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    client = NotebookClient(
        notebook,
        timeout=180,
        kernel_name="python3",
        resources={"metadata": {"path": str(HERE)}},
        store_widget_state=False,
        extra_arguments=["--IPKernelApp.log_level=ERROR"],
    )
    with tempfile.TemporaryDirectory(prefix="jupyter_graph-demo-") as state:
        os.environ["JUPYTER_GRAPH_STATE_DIR"] = state
        with client.setup_kernel():
            try:
                return show(client, notebook)
            except CellExecutionError as error:
                say(str(error))
                return 1
            finally:
                clean_up(client, notebook)


def show(client: NotebookClient, notebook: Any) -> int:
    """Run all cells but the clean-up, then tell what there is."""
    for index, cell in enumerate(notebook.cells):
        if "cleanup" not in cell.metadata.get("tags", ()):
            run(client, cell, index)
    say(ask(client, "%graph plot --format text"))
    row = ast.literal_eval(ask(client, "rows[0]"))
    told = ast.literal_eval(ask(client, "one.body"))
    say(f"\nin the notebook: {told}")
    url = ast.literal_eval(ask(client, "deployment.url"))
    say(f"url: {url}")
    served = requests.post(url, json=row, timeout=30).json()
    say(f"over HTTP:       {served}")
    parity = ask(client, "print(deployment.parity)")
    say(parity)
    ask(client, f"%deploy --to archive --output {OUT / 'bundle'} --replace")
    page, _ = HTMLExporter().from_notebook_node(notebook)
    (OUT / "quickstart.html").write_text(page, encoding="utf-8")
    say(f"written: {relative(OUT / 'quickstart.html')}, {relative(OUT / 'bundle')}")
    if served != told:
        say("the function answers differently from the notebook")
        return 1
    return 0


def clean_up(client: NotebookClient, notebook: Any) -> None:
    """Stop what was started; after a failure there may be nothing to stop."""
    for index, cell in enumerate(notebook.cells):
        if "cleanup" in cell.metadata.get("tags", ()):
            with contextlib.suppress(CellExecutionError):
                run(client, cell, index)


def run(client: NotebookClient, cell: Any, index: int) -> None:
    if cell.cell_type == "code":
        client.execute_cell(cell, index, store_history=True)


def ask(client: NotebookClient, source: str) -> str:
    """Run one more line in the kernel and give the text it shows."""
    cell = nbformat.v4.new_code_cell(source)
    client.nb.cells.append(cell)  # the client writes the cell back at its index
    try:
        client.execute_cell(cell, len(client.nb.cells) - 1)
    finally:
        client.nb.cells.remove(cell)
    shown = [output.get("text") or plain(output) for output in cell.outputs]
    return "".join(shown).strip("\n")


def plain(output: Any) -> str:
    return str(output.get("data", {}).get("text/plain", ""))


def relative(path: Path) -> Path:
    return path.relative_to(HERE.parent)


def say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
