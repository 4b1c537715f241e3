"""What a deploy would do: shown by ``dry_run``, nothing is sent or started."""

from __future__ import annotations

import difflib
import html
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_graph.deployment.records import Record

if TYPE_CHECKING:
    from jupyter_graph.cells.lint import Finding
    from jupyter_graph.deployment.bundle.bundle_folder import Bundle
    from jupyter_graph.deployment.parity.parity_check import ParityReport

READ = ("steps.py", "graph.json", "function.yaml", "config.json", "requirements.txt")
RUNTIME = "jupyter_graph/"


@dataclass(frozen=True)
class Plan:
    """A deploy that was prepared and not made.

    Attributes:
        name: the function's name.
        target: where it would go.
        files: path → content of everything that would ship; text where it is text.
        changes: what differs from the last deploy, one line each.
        parity: the report of the check.
        findings: what there is to mend or to know in the graph's code.
        text: everything as text; ``str`` returns it.
    """

    name: str
    target: str
    files: Mapping[str, str | bytes]
    changes: tuple[str, ...]
    parity: ParityReport
    findings: tuple[Finding, ...]
    text: str

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"<Plan: {self.name!r} to {self.target}, {len(self.changes)} changes>"

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        return {
            "text/plain": self.text,
            "text/html": f"<pre>{html.escape(self.text)}</pre>",
        }


def make_plan(
    bundle: Bundle,
    report: ParityReport,
    before: Record | None,
    findings: tuple[Finding, ...] = (),
) -> Plan:
    """Describe what deploying this bundle would do."""
    plan = Plan(
        name=bundle.options.name,
        target=bundle.options.target,
        files={path: _content(bundle.folder / path) for path in sorted(bundle.files)},
        changes=tuple(_changes(bundle, before)),
        parity=report,
        findings=findings,
        text="",
    )
    return replace(plan, text="\n".join(_text(plan, bundle, before)) + "\n")


def _content(path: Path) -> str | bytes:
    data = path.read_bytes()
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data


def _text(plan: Plan, bundle: Bundle, before: Record | None) -> Iterator[str]:
    files = plan.files
    yield f"{plan.name} to {plan.target}: nothing was sent or started"
    for path in ("steps.py", "function.yaml"):
        yield f"\n--- {path}"
        yield str(files[path]).rstrip()
    yield "\n--- what ships"
    for path in files:
        if not path.startswith(RUNTIME):
            yield f"{len(files[path]):>10,}  {path}"
    runtime = [len(files[path]) for path in files if path.startswith(RUNTIME)]
    if runtime:
        yield f"{sum(runtime):>10,}  {RUNTIME} ({len(runtime)} files of the runtime)"
    if bundle.requirements:
        yield f"requires: {', '.join(bundle.requirements)}"
    yield "\n--- changes since the last deploy"
    yield from plan.changes or ["none"]
    yield from _diffs(bundle, before)
    if plan.findings:
        yield "\n--- to mend or to know"
        yield from map(str, plan.findings)
    yield f"\n{plan.parity}"


def _changes(bundle: Bundle, before: Record | None) -> Iterator[str]:
    """Yield one line for every file that differs from the last deploy."""
    if before is None:
        yield "new: nothing of this name was deployed from here"
        return
    for path in sorted({*bundle.files, *before.files}):
        old, new = before.files.get(path), bundle.files.get(path)
        if old != new:
            verb = "added" if old is None else "removed" if new is None else "changed"
            yield f"{verb}: {path}"


def _diffs(bundle: Bundle, before: Record | None) -> Iterator[str]:
    """Yield the lines that differ in the files a person reads."""
    if before is None or not Path(before.place).is_dir():
        return
    for path in READ:
        old = Path(before.place) / path
        if before.files.get(path) == bundle.files.get(path) or not old.is_file():
            continue
        yield from difflib.unified_diff(
            old.read_text(encoding="utf-8").splitlines(),
            bundle.read(path).splitlines(),
            f"deployed/{path}",
            f"new/{path}",
            lineterm="",
            n=2,
        )
