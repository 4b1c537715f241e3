import json
import os
import subprocess
import sys

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(60)]
SCRIPT = """
import json
from jupyter_graph import Graph, deploy

FACTOR = 3


def triple(body):
    return json.loads(json.dumps(body)) * FACTOR


class Shift:
    def __init__(self, by):
        self.by = by

    def do(self, body):
        return body + self.by


if __name__ == "__main__":
    graph = Graph("script")
    graph.to(name="triple", handler=triple).to(Shift, "shift", by=1).respond()
    deployment = deploy(graph)
    print(json.dumps([deployment.invoke(4).body, deployment.record.notebook]))
    deployment.delete()
"""


def test_a_script_deploys_its_own_functions(tmp_path):
    script = tmp_path / "serve_it.py"
    script.write_text(SCRIPT)
    env = {**os.environ, "JUPYTER_GRAPH_STATE_DIR": str(tmp_path / "state")}
    done = subprocess.run(
        [sys.executable, str(script)],
        capture_output=True,
        text=True,
        check=False,
        env=env,
    )

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [13, str(script)]
