"""What the embedded host is told on its command line."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from jupyter_graph.errors import HostError

LOOPBACK = frozenset(("127.0.0.1", "::1", "localhost"))
TOKEN = "JUPYTER_GRAPH_TOKEN"


@dataclass(frozen=True, slots=True)
class HostOptions:
    """Where the host listens, what it serves and what it takes.

    Attributes:
        bundle: the bundle's folder.
        name: the function's name, by default the folder's.
        host: address to listen on; others than the loopback's need a token.
        port: 0 takes a free one.
        workers: processes; each accepts connections itself.
        log_file: where the log goes, by default standard error.
        state_file: where pid, port and URL are written once all workers are ready.
        allow_hosts: further names that Host and Origin may hold; ``*`` for all.
        max_in_flight: requests at a time and worker.
        start_s: seconds until all workers must be ready.
        is_open: serve other addresses without a token.
    """

    bundle: str
    name: str
    host: str = "127.0.0.1"
    port: int = 0
    workers: int = 1
    log_file: str | None = None
    state_file: str | None = None
    allow_hosts: tuple[str, ...] = ()
    max_in_flight: int = 1024
    start_s: float = 120.0
    is_open: bool = False

    def check(self) -> HostOptions:
        """Return the options back when they can be served.

        Raises:
            HostError: the bundle is none, a number is out of range, a token is missing.
        """
        if not Path(self.bundle, "main.py").is_file():
            raise HostError(f"{self.bundle} is no bundle: it has no main.py")
        if not 0 <= self.port <= 65535:
            raise HostError(f"--port must be 0 to 65535, got {self.port}")
        if self.workers < 1:
            raise HostError(f"--workers must be at least 1, got {self.workers}")
        if self.max_in_flight < 1:
            raise HostError(
                f"--max-in-flight must be above 0, got {self.max_in_flight}"
            )
        if self.host not in LOOPBACK and not self.is_open and not os.environ.get(TOKEN):
            raise HostError(
                f"others can reach {self.host}: set the variable {TOKEN} to a token "
                "that callers must send, or say --open when a proxy asks for one"
            )
        return self

    def to_json(self) -> str:
        """Return the options as one word of a worker's command line."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> HostOptions:
        """Read what ``to_json`` gave.

        >>> options = HostOptions("b", "f", allow_hosts=("a.example",))
        >>> HostOptions.from_json(options.to_json()) == options
        True
        """
        found = json.loads(text)
        return cls(**{**found, "allow_hosts": tuple(found["allow_hosts"])})


def read_options(words: Sequence[str] | None = None) -> HostOptions:
    """Read the words after ``python -m jupyter_graph.host``; exits 2 on wrong ones.

    >>> read_options(["fraud", "--port", "8080"]).name
    'fraud'
    """
    parser = argparse.ArgumentParser(
        prog="python -m jupyter_graph.host", description="Serve a bundle over HTTP."
    )
    parser.add_argument("bundle", help="the bundle's folder")
    parser.add_argument("--name", help="the function's name")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=0, help="0 = any free one")
    parser.add_argument("--workers", type=int, default=1, help="processes")
    parser.add_argument("--log-file", help="append JSON lines here")
    parser.add_argument("--state-file", help="write pid, port and URL here")
    parser.add_argument(
        "--allow-host", action="append", default=[], metavar="NAME",
        help="a proxy's name that Host and Origin may hold",
    )  # fmt: skip
    parser.add_argument("--max-in-flight", type=int, default=1024)
    parser.add_argument("--start-seconds", type=float, default=120.0)
    parser.add_argument("--open", action="store_true", help="ask for no token")
    found = parser.parse_args(words)
    bundle = Path(found.bundle).resolve()
    return HostOptions(
        bundle=str(bundle),
        name=found.name or bundle.name,
        host=found.host,
        port=found.port,
        workers=found.workers,
        log_file=found.log_file,
        state_file=found.state_file,
        allow_hosts=tuple(name.lower() for name in found.allow_host),
        max_in_flight=found.max_in_flight,
        start_s=found.start_seconds,
        is_open=found.open,
    )
