"""What does a fresh process pay until its first answer, and what does it load?"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Sequence
from statistics import median
from typing import Any

from benchmarks import peers
from benchmarks.measure import Row, answers_are_equal, in_rounds, summarize
from benchmarks.report import parser, report

PACKAGES = ("jupyter_graph", "storey", "mlrun", "pandas", "numpy")
HEAVY = (
    "mlrun", "storey", "pandas", "pyarrow", "numpy", "sklearn", "aiohttp", "requests",
    "nuclio", "IPython", "ipywidgets", "anywidget", "graphviz", "uvicorn",
    "prometheus_client", "asyncio",
)  # fmt: skip

# ru_maxrss would count the parent's memory, which the child had before its exec.
FACTS = f"""
import json, os, sys, time
spent = time.process_time()
try:
    with open("/proc/self/status") as lines:
        [peak] = [int(line.split()[1]) for line in lines if line.startswith("VmHWM")]
except OSError:
    import resource
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    peak = peak / 1024 if sys.platform == "darwin" else peak
loaded = [name for name in {HEAVY!r} if name in sys.modules]
print("\\n" + json.dumps(
    {{"answer": answer, "cpu_us": spent * 1e6, "rss_mb": peak / 1024,
      "modules": len(sys.modules), "heavy": loaded}}
), flush=True)
os._exit(0)
"""

STEPS = """
def add(body):
    return {"x": body["x"] + 1}

def double(body):
    return {"x": body["x"] * 2}

def less(body):
    return {"x": body["x"] - 3}
"""

PLAIN = f"""{STEPS}
answer = less(double(add({{"x": 1}})))
"""

OURS = f"""{STEPS}
from jupyter_graph import Graph, Runner
graph = Graph("first")
graph.to(name="add", handler=add).to(name="double", handler=double).to(
    name="less", handler=less).respond()
with Runner(graph) as runner:
    answer = runner.run({{"x": 1}})
"""

STOREY = f"""{STEPS}
from storey import Complete, Map, SyncEmitSource, build_flow
flow = build_flow([
    SyncEmitSource(), Map(add, name="add"), Map(double, name="double"),
    Map(less, name="less"), Complete(),
]).run()
answer = flow.emit({{"x": 1}}).await_result()
flow.terminate()
flow.await_termination()
"""

MLRUN = f"""{STEPS}
import mlrun
function = mlrun.new_function("first", kind="serving", image="none")
graph = function.set_topology("flow", engine="sync")
graph.to(name="add", handler="add").to(name="double", handler="double").to(
    name="less", handler="less").respond()
answer = function.to_mock_server(namespace=globals()).test("/", body={{"x": 1}})
"""

NOTHING = "answer = None"


def programs() -> dict[str, dict[str, str]]:
    """Give each shape's variants, the limit first."""
    alone = {
        "Python alone": NOTHING,
        "jupyter_graph": f"import jupyter_graph\n{NOTHING}",
        "jupyter_graph, Runner": f"from jupyter_graph import Graph, Runner\n{NOTHING}",
        "storey": f"import storey\n{NOTHING}",
    }
    first = {"plain functions": PLAIN, "jupyter_graph": OURS, "storey SyncEmit": STOREY}
    if peers.has_mlrun():
        alone["mlrun"] = f"import mlrun\n{NOTHING}"
        first["MLRun sync engine"] = MLRUN
    return {"import": alone, "import, 3 steps, 1 event": first}


def start(program: str) -> dict[str, Any]:
    """Run a program in a fresh process; give what it says of itself."""
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", program + FACTS],
        capture_output=True,
        check=True,
        timeout=120,
        text=True,
    )
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return {**found, "wall_us": (time.perf_counter() - began) * 1e6}


def run(*, rounds: int) -> list[Row]:
    rows: list[Row] = []
    for shape, variants in programs().items():
        first = {name: start(program) for name, program in variants.items()}
        answers_are_equal(shape, {name: first[name]["answer"] for name in first})
        found = in_rounds(variants, rounds, start)
        cpu, wall = (
            {name: [one[key] for one in found[name]] for name in found}
            for key in ("cpu_us", "wall_us")
        )
        more = {name: _more(found[name]) for name in found}
        rows += summarize(shape, cpu, more, walls=wall)
    return rows


def _more(found: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "rss_mb": round(median(one["rss_mb"] for one in found), 1),
        "modules": found[-1]["modules"],
        "heavy": found[-1]["heavy"],
    }


def main(words: Sequence[str] | None = None) -> None:
    options = parser(__doc__, rounds=5).parse_args(words)
    report(run(rounds=options.rounds), PACKAGES, options.json)


if __name__ == "__main__":
    main()
