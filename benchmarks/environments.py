"""Environments of peers, apart from ours and from each other; each is optional.

``python -m benchmarks.environments FOLDER`` makes one for each file
``peers-requirements-NAME.txt``. What cannot be installed is told and left out.
"""

from __future__ import annotations

import subprocess
import sys
import venv
from collections.abc import Sequence
from pathlib import Path

HERE = Path(__file__).parent
PREFIX = "peers-requirements-"
DONE = "installed.txt"


def requirements() -> dict[str, Path]:
    """Give the files by the names of their environments."""
    return {
        file.stem.removeprefix(PREFIX): file
        for file in sorted(HERE.glob(f"{PREFIX}*.txt"))
    }


def make(folder: Path, file: Path) -> None:
    """Make an environment unless it is there with these very requirements."""
    wanted, done = file.read_text(encoding="utf-8"), folder / DONE
    if done.exists() and done.read_text(encoding="utf-8") == wanted:
        return
    print(f"{folder.name}: installing", flush=True)
    python = folder / "bin" / "python"
    if not python.exists():
        venv.create(folder, with_pip=True)
    if refused := installed(python, ["-r", str(file)]):
        print(f"{folder.name}: not all at once ({refused})", flush=True)
        for line in lines_of(wanted):  # one that fails shall not keep the others out
            if refused := installed(python, [line]):
                print(f"{folder.name}: {line} is left out: {refused}", flush=True)
    done.write_text(wanted, encoding="utf-8")


def installed(python: Path, words: Sequence[str]) -> str:
    """Install; give what pip said last when it could not, else nothing."""
    done = subprocess.run(
        [python, "-m", "pip", "install", "-q", *words],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    said = done.stderr.strip().splitlines() or ["no reason given"]
    return said[-1] if done.returncode else ""


def lines_of(text: str) -> list[str]:
    r"""Give the requirements without comments.

    >>> lines_of("# both\nfastapi\n\nuvicorn\n")
    ['fastapi', 'uvicorn']
    """
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def main(words: Sequence[str]) -> None:
    [folder] = words
    for name, file in requirements().items():
        make(Path(folder) / name, file)


if __name__ == "__main__":
    main(sys.argv[1:])
