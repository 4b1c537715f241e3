"""Granian with its own interface, RSGI: one worker, JSON in and out."""

import json
import sys
from pathlib import Path
from typing import Any

from granian import Granian

HEADERS = [("content-type", "application/json")]


async def echo(scope: Any, protocol: Any) -> None:
    found = json.loads(await protocol())
    protocol.response_str(200, HEADERS, json.dumps(found))


if __name__ == "__main__":
    Granian(
        "granian_echo:echo",
        port=int(sys.argv[1]),
        interface="rsgi",
        workers=1,
        working_dir=Path(__file__).parent,
        log_enabled=False,
    ).serve()
