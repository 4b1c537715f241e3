"""A notebook's cells in a kernel of their own, and work on what they leave there."""

from __future__ import annotations

import json
import os
import re
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from jupyter_graph.errors import RunError, SpecError

_DEPLOYS = re.compile(
    r"^([ \t]*\w+[ \t]*=[ \t]*|[ \t]*)%(?:deploy|graph[ \t]+test)\b.*$", re.MULTILINE
)
"""A line that deploys, and may keep the deployment; or that makes an event a test."""

_MODULE = "__import__('jupyter_graph.cli.not_deployed', None, None, ('',))"
_STAND_IN = f"{_MODULE}.LeftOutDeployment()"

_LOAD = "%load_ext jupyter_graph"


def is_notebook(where: str) -> bool:
    """Tell whether a word names a notebook."""
    return Path(where).suffix == ".ipynb"


def work_in_notebook(path: Path, work: str, *arguments: Any) -> Any:
    """Run a notebook's cells, then a function of this package in their kernel.

    Lines of the notebook that deploy are left out; the extension is loaded first.

    Args:
        path: the notebook.
        work: the function, as ``module:name``; what it returns must be JSON.
        *arguments: what it is given, plain values.

    Raises:
        SpecError: the file is no notebook.
        RunError: a cell, or the function, failed; the text says which.
    """
    from jupyter_client.manager import start_new_kernel

    cells = _code_cells(path)
    module, _, name = work.partition(":")
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "report.json")
        # The notebook's session lives in its kernel, so its graph is there too.
        last = (
            "import json as _json, pathlib as _pathlib\n"
            f"from {module} import {name} as _work\n"
            f"_pathlib.Path({str(report)!r}).write_text("
            f"_json.dumps(_work(*{arguments!r})), encoding='utf-8')"
        )
        manager, client = start_new_kernel(
            cwd=str(path.resolve().parent),
            env={**os.environ, "JPY_SESSION_NAME": str(path.resolve())},
            stdout=subprocess.DEVNULL,  # of the kernel itself; cells write elsewhere
            stderr=subprocess.DEVNULL,
        )
        try:
            _execute(client, _LOAD, 0)
            for number, cell in enumerate(cells, start=1):
                _execute(client, cell, number)
            _execute(client, last, None)
        finally:
            client.stop_channels()
            manager.shutdown_kernel(now=True)
        return json.loads(report.read_text(encoding="utf-8"))


def _code_cells(path: Path) -> list[str]:
    """Return the code of a notebook's cells; what would deploy is left out."""
    try:
        notebook = json.loads(path.read_bytes())
        cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SpecError(f"{str(path)!r} is no notebook: {error}") from None
    return [_DEPLOYS.sub(_left_out, "".join(cell["source"])) for cell in cells]


def _left_out(line: re.Match[str]) -> str:
    """Return what a line that deploys becomes: nothing, or its name for a stand-in."""
    name = line[1]
    return f"{name}{_STAND_IN}" if name.strip() else ""


def _execute(client: Any, code: str, number: int | None) -> None:
    reply = client.execute_interactive(
        code, allow_stdin=False, output_hook=lambda _: None
    )["content"]
    if reply["status"] != "ok" and reply.get("ename") != "NotDeployedHere":
        what = reply.get("evalue") or reply["status"]
        what = re.sub(r" \[JG\d+\]$", "", what)  # the code of this error follows
        where = f"cell {number}: " if number is not None else ""
        raise RunError(f"{where}{reply.get('ename', 'stopped')}: {what}")
