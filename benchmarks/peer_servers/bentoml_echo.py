"""BentoML: one worker; the argument before the slash is the whole body."""

import os
import sys
from pathlib import Path
from typing import Any

import bentoml


@bentoml.service(workers=1, traffic={"timeout": 30})
class Echo:
    @bentoml.api(route="/")
    async def echo(self, body: dict[str, Any], /) -> dict[str, Any]:
        return body


if __name__ == "__main__":
    command = Path(sys.executable).with_name("bentoml")
    options = ["--working-dir", str(Path(__file__).parent), "--port", sys.argv[1]]
    os.execv(command, ["bentoml", "serve", "bentoml_echo:Echo", *options])
