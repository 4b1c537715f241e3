"""The cells of a saved notebook or of a script with ``# %%`` lines."""

from __future__ import annotations

import io
import json
import tokenize
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from jupyter_graph.cells.source import Cell
from jupyter_graph.errors import CellError


def cells_from_notebook(path: str | Path) -> list[Cell]:
    """Read the code cells of an .ipynb file; nothing in it is run.

    ``number`` is the 1-based place among the code cells.

    Raises:
        CellError: the file is missing, no notebook, or in another language.
    """
    document = _read_json(Path(path))
    language = _language(document)
    if language not in ("python", "ipython"):
        raise CellError(f"{str(path)!r} is a notebook in {language}, not in Python")
    sources = [cell for cell in _cells(document) if cell.get("cell_type") == "code"]
    return [
        Cell(
            source=_text(cell.get("source", cell.get("input", ""))),
            number=number,
            id=cell.get("id"),
            tags=tuple(map(str, cell.get("metadata", {}).get("tags", ()))),
        )
        for number, cell in enumerate(sources, 1)
    ]


def cells_from_script(path: str | Path) -> list[Cell]:
    """Read the code cells of a .py file, which begin at lines like ``# %% title``.

    Cells marked ``[markdown]`` or ``[raw]`` are left out. A first line such as
    ``# %%graph_step predict`` is taken as the cell magic it stands for. ``number`` is
    the 1-based place among the code cells, line 1 the line after the marker.

    Raises:
        CellError: the file is missing or is no text.
    """
    lines = _read_text(Path(path)).splitlines()
    titles = {n: _marker(lines[n]) for n in _marker_lines(lines)}
    starts = [n for n, title in titles.items() if title is not None]
    bounds = zip([-1, *starts], [*starts, len(lines)], strict=True)
    bodies = [
        _script_body(lines[start + 1 : end])
        for start, end in bounds
        if not _is_prose(titles.get(start) or "")
    ]
    sources = [
        body
        for at, body in enumerate(bodies)
        if body.strip() and (at or not _only_comments(body))
    ]
    return [Cell(source=body, number=n) for n, body in enumerate(sources, 1)]


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise CellError(f"cannot read {str(path)!r}: {error}") from None


def _read_json(path: Path) -> dict[str, Any]:
    text = _read_text(path)
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise CellError(f"{str(path)!r} is no notebook: {error}") from None
    if not isinstance(document, dict) or not isinstance(_cells(document), list):
        raise CellError(f"{str(path)!r} is no notebook: it has no list of cells")
    if not all(isinstance(cell, dict) for cell in _cells(document)):
        raise CellError(f"{str(path)!r} is no notebook: a cell in it is no object")
    return document


def _cells(document: dict[str, Any]) -> Any:
    sheets = document.get("worksheets")  # notebooks of format 3 and older
    if isinstance(sheets, list) and sheets and isinstance(sheets[0], dict):
        return sheets[0].get("cells")
    return document.get("cells")


def _language(document: dict[str, Any]) -> str:
    metadata = document.get("metadata") or {}
    info, kernel = metadata.get("language_info"), metadata.get("kernelspec")
    name = (info or {}).get("name") or (kernel or {}).get("language") or "python"
    return str(name).lower()


def _text(source: Any) -> str:
    return "".join(source) if isinstance(source, list) else str(source)


def _marker_lines(lines: list[str]) -> Iterator[int]:
    """Yield the lines that begin with ``# %%`` and lie in no string."""
    text = "\n".join(lines) + "\n"
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(text).readline))
    except (tokenize.TokenError, SyntaxError):  # raw magics in it: trust the lines
        yield from range(len(lines))
        return
    for token in tokens:
        if token.type == tokenize.COMMENT and token.start[1] == 0:
            yield token.start[0] - 1


def _marker(line: str) -> str | None:
    """Return the title of a cell marker, None for any other line.

    >>> _marker("# %% [markdown] Intro"), _marker("#%%"), _marker("# %%time")
    ('[markdown] Intro', '', None)
    """
    comment = line.removeprefix("#").lstrip(" ") if line.startswith("#") else ""
    if not comment.startswith("%%"):
        return None
    title = comment.lstrip("%")
    return title.strip() if not title or title[0].isspace() else None


def _is_prose(title: str) -> bool:
    return any(word in title for word in ("[markdown]", "[md]", "[raw]"))


def _only_comments(body: str) -> bool:
    return all(not line.strip() or line.startswith("#") for line in body.splitlines())


def _script_body(lines: list[str]) -> str:
    filled = [number for number, line in enumerate(lines) if line.strip()]
    if filled:
        first = lines[filled[0]]
        magic = first.removeprefix("#").lstrip(" ")
        if first.startswith("#") and magic.startswith("%%"):
            lines = [*lines[: filled[0]], magic, *lines[filled[0] + 1 :]]
    return "\n".join(lines).rstrip() + "\n"
