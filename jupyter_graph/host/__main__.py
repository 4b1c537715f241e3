"""``python -m jupyter_graph.host BUNDLE``: serve a bundle until SIGTERM."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence

from jupyter_graph.errors import HostError
from jupyter_graph.host.host_options import read_options
from jupyter_graph.host.supervisor import Supervisor


def main(words: Sequence[str] | None = None) -> int:
    """Serve; return 0 when stopped, 1 with one line of JSON when it cannot serve."""
    options = read_options(words)
    try:
        Supervisor(options).run()
    except HostError as error:
        sys.stderr.write(json.dumps({"error": f"{error}"}) + "\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
