"""Recorded events, sent through a bundle in a clean process."""

from __future__ import annotations

import base64
import sys
import tempfile
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jupyter_graph.answer.raw_response import RawResponse
from jupyter_graph.deployment.bundle.bundle_folder import Bundle, place_of
from jupyter_graph.deployment.bundle.requirement_closure import closure, modules_of
from jupyter_graph.deployment.parity.clean_process import CleanProcess, make_environment
from jupyter_graph.deployment.parity.wire_form import SentEvent
from jupyter_graph.errors import BundleError
from jupyter_graph.host.bundle_loader import read_secrets

PATIENCE_S = 10.0  # over the event's own deadline, which the bundle keeps itself
BUDGET_S = 60.0
"""Seconds that all events of one run may take together."""

Row = Mapping[str, Any]


@dataclass(frozen=True)
class BundleAnswer:
    """What a bundle made of one event.

    Attributes:
        raw: the answer.
        effects: what was refused on the way; ``effect_guard`` says what a note holds.
        rows: what each step took and gave, where that was asked for.
        error: what a step raised, where that was asked for.
    """

    raw: RawResponse
    effects: tuple[Row, ...] = ()
    rows: tuple[Row, ...] = ()
    error: Row | None = None


def answers_of(
    process: CleanProcess,
    events: Sequence[SentEvent],
    bundle: Bundle,
    *,
    traced: Collection[int] = (),
) -> dict[int, BundleAnswer]:
    """Send events, in order; return the answers by the events' numbers.

    Args:
        process: an open process with the bundle.
        events: the events; those that cannot be sent are passed over.
        bundle: the bundle.
        traced: the numbers of events whose steps are looked at.

    Raises:
        BundleError: its handler failed, which it never should, or its process died.
    """
    found: dict[int, BundleAnswer] = {}
    end = time.monotonic() + BUDGET_S
    for event in events:
        if event.message is None:
            continue
        if time.monotonic() > end:
            break
        message = {**event.message, "traced": event.number in traced}
        found[event.number] = bundle_answer(process, message, bundle)
    return found


def bundle_answer(
    process: CleanProcess, message: Mapping[str, Any], bundle: Bundle
) -> BundleAnswer:
    """Send one event to the bundle.

    Raises:
        BundleError: its handler failed, which it never should, or its process died.
    """
    reply = process.ask(message, bundle.options.timeout_s + PATIENCE_S)
    if "failed" in reply:
        failed = reply["failed"]
        raise BundleError(
            f"{_where(failed, bundle)}the bundle's handler failed on event "
            f"{message['id']}: {failed['kind']}: {failed['text']}"
        )
    payload = base64.b64decode(reply["payload"])
    facts = reply["status_code"], reply["content_type"], reply.get("headers", {})
    effects, rows = reply.get("effects", ()), reply.get("rows", ())
    raw = RawResponse(payload, *facts)
    return BundleAnswer(raw, tuple(effects), tuple(rows), reply.get("error"))


def secrets_of(bundle: Bundle) -> dict[str, str]:
    """Return the secrets' values, or stand-ins where only the target has them."""
    return {key: _secret(key, at) for key, at in bundle.options.secrets.items()}


def _secret(key: str, at: str) -> str:
    try:
        return read_secrets({key: at})[key]
    except BundleError:
        return "(this secret has no value here)"


@contextmanager
def clean_processes(bundle: Bundle) -> Iterator[Callable[[], CleanProcess]]:
    """Yield what starts clean processes for a bundle; their environment goes after."""
    options = bundle.options
    with tempfile.TemporaryDirectory(prefix="jupyter-graph-") as folder:
        if options.fresh_env:
            requirements = bundle.folder / "requirements.txt"
            python = make_environment(Path(folder) / "env", requirements)
            admitted = None  # what is not installed there cannot be imported anyway
        else:
            python, admitted = sys.executable, admitted_modules(bundle)
        yield lambda: CleanProcess(
            bundle.folder,
            admitted,
            python=python,
            cwd=bundle.cwd,
            env={**options.env, **secrets_of(bundle)},
        )


def admitted_modules(bundle: Bundle) -> list[str]:
    """Return the modules that the bundle's requirements bring.

    Raises:
        BundleError: a requirement is not installed here, so it cannot be checked.
    """
    distributions, missing = closure(bundle.requirements)
    missing = [n for n in missing if n not in ("jupyter-graph", "jupyter_graph")]
    if missing:
        raise BundleError(
            f"required but not installed here: {', '.join(missing)}; "
            f"pip install {' '.join(missing)}, or check with fresh_env"
        )
    extra = ["jupyter_graph"] if bundle.options.runtime == "pip" else []
    return [*modules_of(distributions), *extra]  # top-level names, as they are imported


def raise_when_failed(failed: Mapping[str, Any] | None, bundle: Bundle) -> None:
    """Raise a BundleError that names cell, line and what to do."""
    if failed is None:
        return
    where = _where(failed, bundle)
    module = (failed.get("module") or "").partition(".")[0]
    if module:
        raise BundleError(
            f"{where}the function cannot import {module!r}: it is not among its "
            f"requirements; import it in a cell that a step uses, or add it with "
            f"pip={module!r}"
        )
    raise BundleError(
        f"{where}the bundle does not open in a clean process: "
        f"{failed['kind']}: {failed['text']}"
    )


def _where(failed: Mapping[str, Any], bundle: Bundle) -> str:
    lines = [line for file, line in failed.get("lines", ()) if file == "steps.py"]
    return f"{place_of(bundle.slice, lines[-1])}: " if lines else ""
