"""Let MLRun itself load graph documents; run by an interpreter that has mlrun.

usage: python mlrun_loads.py DOCUMENTS.json < /dev/null

DOCUMENTS.json is a list of {"name", "document", "namespace", "server"}; one JSON line
a document is printed: {"name", "loaded", "built"}, each null or what was raised.
``namespace`` names a module beside this file's documents, whose classes take their
bases from the environment; null = the graph is only loaded, not built.
"""

import importlib
import json
import os
import sys
import threading
from pathlib import Path

BASES = {
    "V2": "mlrun.serving.V2ModelServer",
    "PARALLEL": "mlrun.serving.routers.ParallelRun",
    "ROUTER": "mlrun.serving.ModelRouter",
    "VOTING": "mlrun.serving.routers.VotingEnsemble",
    "MODEL": "mlrun.serving.states.Model",
    "SELECTOR": "mlrun.serving.states.ModelSelector",
}


def within(seconds, work):
    """Give None or what ``work`` raised; a hang is said too."""
    said = [f"nothing came within {seconds} s"]

    def run():
        try:
            work()
        except BaseException as error:
            said[0] = f"{type(error).__name__}: {error}"
        else:
            said[0] = None

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    return said[0]


def load(case):
    """Load one document as MLRun's ``SERVING_SPEC_ENV`` does, and build its graph."""
    from mlrun.serving.server import GraphServer

    servers = []
    options = {key: value for key, value in case["server"].items() if value}
    current = options.pop("current_function", "*")
    options.pop("secrets", None)
    options.pop("streaming", None)
    options.pop("openai_frontend", None)
    options.pop("error_stream", None)

    def read():
        text = json.dumps({"graph": case["document"], "version": "v2", **options})
        server = GraphServer.from_dict(json.loads(text))
        if server.graph is None:
            raise ValueError("there is no graph")
        server.graph.to_dict()
        servers.append(server)

    def build():
        [server] = servers
        names = vars(importlib.import_module(case["namespace"]))
        server.set_current_function(current)
        server.init_states(None, names, is_mock=True)
        server.init_object(names)

    found = {"name": case["name"], "loaded": within(10, read), "built": "not tried"}
    if found["loaded"] is None and case["namespace"]:
        found["built"] = within(10, build)
    return found


def main(path):
    os.environ.update({f"CONFORMANCE_{key}_BASE": base for key, base in BASES.items()})
    os.environ["CONFORMANCE_ERRORS"] = "mlrun.errors"
    import mlrun

    mlrun.mlconf.dbpath = ""
    for case in json.loads(Path(path).read_text(encoding="utf-8")):
        sys.stdout.write(json.dumps(load(case)) + "\n")
    sys.stdout.flush()
    os._exit(0)  # storey's loops run on


if __name__ == "__main__":
    main(sys.argv[1])
