"""The options of the embedded host, as its command line takes them."""

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
        """Return these options when they can be served.

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
        """Return the options that ``to_json`` wrote.

        >>> options = HostOptions("b", "f", allow_hosts=("a.example",))
        >>> HostOptions.from_json(options.to_json()) == options
        True
        """
        values = json.loads(text)
        return cls(**{**values, "allow_hosts": tuple(values["allow_hosts"])})


def read_options(words: Sequence[str] | None = None) -> HostOptions:
    """Return the options typed after ``python -m jupyter_graph.host``, or exit 2.

    >>> read_options(["fraud", "--port", "8080"]).name
    'fraud'
    """
    parser = argparse.ArgumentParser(
        prog="python -m jupyter_graph.host",
        description="Serve a bundle over HTTP.",
        argument_default=argparse.SUPPRESS,  # what is not typed is as HostOptions says
    )
    add = parser.add_argument  # each dest is a field of HostOptions
    add("bundle", help="the bundle's folder")
    add("--name", help="the function's name")
    add("--host", help="address to listen on")
    add("--port", type=int, help="0 = any free one")
    add("--workers", type=int, help="processes")
    add("--log-file", help="append JSON lines here")
    add("--state-file", help="write pid, port and URL here")
    add(
        "--allow-host", action="append", metavar="NAME",
        dest="allow_hosts", help="a proxy's name that Host and Origin may hold",
    )  # fmt: skip
    add("--max-in-flight", type=int)
    add("--start-seconds", type=float, dest="start_s", metavar="START_SECONDS")
    add("--open", action="store_true", dest="is_open", help="ask for no token")
    typed = vars(parser.parse_args(words))
    bundle = Path(typed["bundle"]).resolve()
    own = {
        "bundle": str(bundle),
        "name": typed.get("name") or bundle.name,
        "allow_hosts": tuple(name.lower() for name in typed.get("allow_hosts", ())),
    }
    return HostOptions(**{**typed, **own})
