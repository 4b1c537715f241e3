"""``python -m jupyter_graph``: see ``jupyter_graph.cli``."""

import sys

from jupyter_graph.cli import main

if __name__ == "__main__":
    sys.exit(main())
