"""What does it cost to watch a graph, and how many messages does its view send?

In a real kernel, with a real widget; its messages go to this process, which stands for
the browser and draws nothing. The kernel measures itself: CPU time of all its threads.
"""

from __future__ import annotations

import ast
import json
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from jupyter_client.manager import KernelManager

from benchmarks import watched
from benchmarks.measure import Row
from benchmarks.report import report, timed_parser

PACKAGES = ("jupyter_graph", "ipykernel", "anywidget", "ipywidgets", "jupyter_client")
ROOT = Path(__file__).parents[1]
LIMIT_S = 120.0
LEAST_EVENTS = 20


class Kernel:
    """A kernel and its client; counts the messages of widgets."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self.messages = 0
        self.bytes = 0

    def run(self, source: str) -> str:
        """Run a cell and give the text of its result.

        Raises:
            RuntimeError: the cell failed.
        """
        asked, text = self.client.execute(source), ""
        while True:
            message = self.client.get_iopub_msg(timeout=LIMIT_S)
            kind, content = message["msg_type"], message["content"]
            if kind.startswith("comm_"):
                self.messages += 1
                self.bytes += len(json.dumps(content, default=repr))
            if message["parent_header"].get("msg_id") != asked:
                continue
            if kind == "error":
                raise RuntimeError("\n".join(content["traceback"]))
            if kind == "execute_result":
                text = content["data"]["text/plain"]
            if kind == "status" and content["execution_state"] == "idle":
                return text

    def told(self, call: str) -> Any:
        """Give the value of a call that gives JSON."""
        return json.loads(ast.literal_eval(self.run(call)))


@contextmanager
def started() -> Iterator[Kernel]:
    """Start a kernel with the notebook's cells run in it."""
    with tempfile.TemporaryDirectory() as folder:
        own = {
            "IPYTHONDIR": str(Path(folder) / "ipython"),
            "JUPYTER_GRAPH_STATE_DIR": str(Path(folder) / "state"),
        }
        transport = "ipc" if os.name == "posix" else "tcp"
        manager = KernelManager(kernel_name="python3", transport=transport)
        manager.start_kernel(cwd=str(ROOT), env={**os.environ, **own})
        client = manager.blocking_client()
        client.start_channels()
        try:
            client.wait_for_ready(timeout=60)
            kernel = Kernel(client)
            for cell in watched.cells():
                kernel.run(cell)
            kernel.run("from benchmarks import watched")
            yield kernel
        finally:
            client.stop_channels()
            manager.shutdown_kernel(now=True)


def run(*, rounds: int, turn_s: float) -> list[Row]:
    with started() as kernel:
        call = f"watched.measured(globals(), {rounds}, {turn_s})"
        rows = [Row(**found) for found in kernel.told(call)]
        return [with_messages(kernel, row, turn_s) for row in rows]


def with_messages(kernel: Kernel, row: Row, turn_s: float) -> Row:
    """Send events once more and count what the view tells the browser."""
    assert row.wall_us is not None
    count = max(LEAST_EVENTS, round(turn_s * 4e6 / row.wall_us["median"]))
    before, size = kernel.messages, kernel.bytes
    took_s = kernel.told(f"watched.sent(globals(), {row.variant!r}, {count})")
    messages = kernel.messages - before
    more = {
        "events_s": round(1e6 / row.wall_us["median"]),
        "messages_s": round(messages / took_s, 1),
        "messages_per_event": round(messages / count, 3),
        "bytes_per_message": round((kernel.bytes - size) / messages) if messages else 0,
    }
    return replace(row, more=more)


def main(words: Sequence[str] | None = None) -> None:
    options = timed_parser(__doc__, rounds=7).parse_args(words)
    rows = run(rounds=options.rounds, turn_s=options.turn_ms / 1000)
    report(rows, PACKAGES, options.json)


if __name__ == "__main__":
    main()
