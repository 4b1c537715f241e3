"""A deployed function as the notebook holds it."""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from jupyter_graph.deployment.invoke import invoke
from jupyter_graph.deployment.records import Record
from jupyter_graph.deployment.targets.deploy_target import Status
from jupyter_graph.deployment.targets.target_registry import load_target
from jupyter_graph.errors import DeployError

if TYPE_CHECKING:
    from jupyter_graph.answer.answer import Answer
    from jupyter_graph.cells.lint import Finding
    from jupyter_graph.deployment.parity.parity_check import ParityReport

COLOURS = {"ready": "#1a7f37", "error": "#cf222e", "unhealthy": "#cf222e"}


class Deployment:
    """A function that was deployed; made by ``deploy`` or found in the index.

    Args:
        record: what the index knows.
        note: on this deploy, like ``unchanged``.
        parity: the report of the check before it.
        findings: what there is to mend or to know in the code that was deployed.
    """

    def __init__(
        self,
        record: Record,
        *,
        note: str = "",
        parity: ParityReport | None = None,
        findings: Sequence[Finding] = (),
    ) -> None:
        self.record = record
        self.note = note
        self.findings = tuple(findings)
        self._parity = parity

    @property
    def name(self) -> str:
        """The function's name."""
        return self.record.name

    @property
    def target(self) -> str:
        """The name of its deploy target, like ``local``."""
        return self.record.target

    @property
    def url(self) -> str:
        """Where it answers; an archive has none."""
        return self.record.url

    @property
    def path(self) -> str:
        """Where the bundle lies."""
        return self.record.place

    @property
    def state(self) -> str:
        """What it does now, in one word, like ``ready`` or ``stopped``.

        ``unknown`` where it cannot be asked; ``status()`` raises the cause.
        """
        try:
            return self.status().state
        except DeployError:
            return "unknown"

    @property
    def parity(self) -> ParityReport | str:
        """The report of the parity check; its text when another process deployed."""
        return self._parity if self._parity is not None else self.record.parity

    def invoke(
        self,
        body: Any = None,
        path: str = "/",
        method: str = "POST",
        headers: Mapping[str, str] | None = None,
        silent: bool = False,
    ) -> Answer:
        """Send one event and return its answer.

        Raises:
            StepError: a step failed, unless ``silent``.
            HostError: nothing answers.
        """
        return invoke(
            load_target(self.target).address(self.record),
            body,
            path=path,
            method=method,
            headers=headers,
            silent=silent,
            name=repr(self.name),
        )

    def status(self) -> Status:
        """Ask what it does now: ``.state``, ``.workers``, ``.url``."""
        return load_target(self.target).status(self.record)

    def logs(self, follow: bool = False) -> str | Iterator[str]:
        """Return what it wrote; with ``follow`` an iterator over lines to come too."""
        target = load_target(self.target)
        return target.follow(self.record) if follow else target.logs(self.record)

    def delete(self) -> None:
        """Stop it and forget it; an archive's files stay where they are."""
        load_target(self.target).delete(self.record)

    def __repr__(self) -> str:
        return f"<Deployment {self.name!r} ({self.target}) {self.url or self.path}>"

    def _rows(self) -> list[tuple[str, str]]:
        rows = [("state", self.state), ("target", self.target)]
        rows += [("url", self.url)] if self.url else [("bundle", self.path)]
        report = str(self.parity)
        rows += [("parity", report.partition(":")[2].strip())] if report else []
        rows += [("note", self.note)] if self.note else []
        return [*rows, *(("check", line) for line in self._warnings())]

    def _warnings(self) -> list[str]:
        """Return the findings that will likely surprise, and how many others there are.

        Whoever deploys may never have called ``%graph check``.
        """
        shown = [str(it) for it in self.findings if it.severity != "note"]
        notes = len(self.findings) - len(shown)
        if notes:
            plural = "" if notes == 1 else "s"
            shown.append(f"{notes} note{plural}: %graph check")
        return shown

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        rows = self._rows()
        text = [f"{self.name}", *(f"  {key:<7} {value}" for key, value in rows)]
        colour = COLOURS.get(rows[0][1], "#6e7781")
        lines = "".join(
            f"<tr><th style='text-align:left'>{html.escape(key)}</th>"
            f"<td style='text-align:left;white-space:pre-wrap'>{_cell(value)}</td></tr>"
            for key, value in rows
        )
        title = f"<b style='color:{colour}'>●</b> <b>{html.escape(self.name)}</b>"
        return {
            "text/plain": "\n".join(text),
            "text/html": f"<div>{title}<table>{lines}</table></div>",
        }


def _cell(value: str) -> str:
    shown = html.escape(value)
    if value.startswith(("http://", "https://")):
        return f'<a href="{shown}" target="_blank" rel="noopener">{shown}</a>'
    return shown
