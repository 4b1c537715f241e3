"""What does the embedded host cost beside a bare application on the same server?

All servers have one worker and one core; those of a block are up at the same time and
get their loads in turn. The load comes from this process, on another core where there
is one: where sending a request (``caller_us``) takes longer than answering it, the
caller is what is measured, and the CPU time of the servers says more.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from benchmarks.http_load import Load, send_load
from benchmarks.http_servers import (
    Server,
    start_bare,
    start_host,
    start_peer,
)
from benchmarks.measure import Row, answers_are_equal, one_core, summarize, turned
from benchmarks.report import parser, report

PACKAGES = ("jupyter_graph", "uvicorn", "httptools", "uvloop")
BODY = {"user": "ann", "amount": 42.5, "tags": ["new", "paid"]}
LOAD_S = 60.0

Start = Callable[[ExitStack], Server]

OWN: dict[str, Start] = {
    "bare ASGI, JSON": lambda stack: start_bare(stack, "json"),
    "bare ASGI, bytes": lambda stack: start_bare(stack, "bytes"),
    "embedded host": start_host,
}
PEERS = {  # name: environment, script, path
    "FastAPI on uvicorn": ("http", "fastapi_echo", "/"),
    "granian, RSGI": ("http", "granian_echo", "/"),
    "LitServe": ("http", "litserve_echo", "/"),
    "BentoML": ("bentoml", "bentoml_echo", "/"),
    "MLServer": ("mlserver", "mlserver_echo", "/echo"),
}
APART = {"Ray Serve": ("ray", "ray_echo", "/")}
"""Has so many processes that it would disturb the others."""


def blocks(peers: Path | None) -> dict[str, dict[str, Start]]:
    """Give the servers that are measured side by side, by the name of the block."""
    if peers is None:
        return {"echo": OWN}
    beside = {name: OWN[name] for name in ("bare ASGI, JSON", "embedded host")}
    return {
        "echo": {**OWN, **_of(peers, PEERS)},
        "echo, beside Ray Serve": {**beside, **_of(peers, APART)},
    }


def _of(peers: Path, known: Mapping[str, tuple[str, str, str]]) -> dict[str, Start]:
    found: dict[str, Start] = {}
    for name, (environment, script, path) in known.items():
        python = peers.resolve() / environment / "bin" / "python"
        if python.exists():
            found[name] = _starter(python, script, path)
        else:
            print(f"{name} is left out: there is no {python}")
    return found


def _starter(python: Path, script: str, path: str) -> Start:
    body = json.dumps(BODY).encode()
    return lambda stack: start_peer(stack, python, script, path, body)


# -- loads ----------------------------------------------------------------------


def run(
    *, rounds: int, requests: int, connections: int, peers: Path | None = None
) -> list[Row]:
    rows: list[Row] = []
    for block, starts in blocks(peers).items():
        shape = f"{block}, {connections} connections"
        if len(starts) > 1:
            rows += _block(shape, starts, rounds, requests, connections)
    return rows


def _block(
    shape: str,
    starts: Mapping[str, Start],
    rounds: int,
    requests: int,
    connections: int,
) -> list[Row]:
    with ExitStack() as stack:
        servers: dict[str, Server] = {}
        with one_core(min):  # the caller takes the last one
            for name, start in starts.items():
                try:
                    servers[name] = start(stack)
                except RuntimeError as error:
                    if name in OWN:
                        raise
                    print(f"{name} is left out: {error}")
        with one_core():
            answers: dict[str, Any] = {"what was sent": BODY}
            for name, server in servers.items():
                load = _load(server, max(1, requests // 4), connections)
                answers[name] = json.loads(load.answer)
            answers_are_equal(shape, answers)
            return _rounds(shape, servers, rounds, requests, connections)


def _rounds(
    shape: str,
    servers: Mapping[str, Server],
    rounds: int,
    requests: int,
    connections: int,
) -> list[Row]:
    samples: dict[str, list[float]] = {name: [] for name in servers}
    loads: dict[str, list[Load]] = {name: [] for name in servers}
    for number in range(rounds):
        for name in turned(list(servers), number):
            before = servers[name].cpu_s()
            loads[name].append(_load(servers[name], requests, connections))
            spent = servers[name].cpu_s() - before
            samples[name].append(spent * 1e6 / requests)
    walls = {
        name: [load.wall_s * 1e6 / requests for load in loads[name]] for name in loads
    }
    limit = next(iter(walls.values()))
    more = {name: _more(loads[name], servers[name]) for name in servers}
    for name, wall in walls.items():
        share = median(a / b for a, b in zip(limit, wall, strict=True))
        more[name]["share"] = round(share, 3)
    return summarize(shape, samples, more, walls=walls)


def _load(server: Server, requests: int, connections: int) -> Load:
    load = Load(server.port, json.dumps(BODY).encode(), requests, server.path)
    return send_load(load, connections=connections, limit_s=LOAD_S)


def _more(loads: Sequence[Load], server: Server) -> dict[str, Any]:
    centiles = [
        quantiles([*load.took_s, *load.took_s], n=100, method="inclusive")
        for load in loads
    ]
    sent = [load.cpu_s * 1e6 / len(load.took_s) for load in loads]
    return {
        "req_s": round(median(len(load.took_s) / load.wall_s for load in loads)),
        "p50_ms": round(median(each[49] for each in centiles) * 1000, 3),
        "p99_ms": round(median(each[98] for each in centiles) * 1000, 3),
        "caller_us": round(median(sent), 1),
        "pss_mb": server.memory_mb()["pss_mb"],
    }


def main(words: Sequence[str] | None = None) -> None:
    options = parser(__doc__, rounds=7)
    options.add_argument("--requests", type=int, default=4000, help="a turn")
    options.add_argument("--connections", type=int, default=16)
    options.add_argument("--peers", type=Path, help="the folder of their environments")
    found = options.parse_args(words)
    rows = run(
        rounds=found.rounds,
        requests=found.requests,
        connections=found.connections,
        peers=found.peers,
    )
    report(rows, PACKAGES, found.json)


if __name__ == "__main__":
    main()
