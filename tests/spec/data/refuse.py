"""Read every broken document in one process, and note what was done meanwhile.

usage: python refuse.py FOLDER

One JSON line a case is printed: {"name", "error", "is_ours", "text", "problems",
"seconds", "done"}. ``done`` lists the imports, executed code, processes, files written
and connections that Python's audit hook saw between reading and refusal.
"""

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import broken
import names
from broken_table import block, flow

import jupyter_graph
from jupyter_graph.compile.compiled_graph import compile_graph
from jupyter_graph.errors import SpecError
from jupyter_graph.frontend.handler_config import api_handler_config
from jupyter_graph.spec.mlrun.serving_spec import read_serving_spec
from jupyter_graph.steps.block_table import BLOCKS, load_block

FOLDER = Path(sys.argv[1])
CODE = (
    "compile",
    "exec",
    "import",
    "code.__new__",
    "marshal.loads",
    "pickle.find_class",
)
PROCESSES = ("subprocess.Popen", "os.", "pty.", "shutil.", "ctypes.", "signal.")
OUTSIDE = ("socket.connect", "socket.bind", "socket.getaddrinfo", "urllib.", "ftplib.")
WATCHED = (*CODE, *PROCESSES, *OUTSIDE, "open", "builtins.input", "sys._getframe")
HARMLESS = ("os.listdir", "os.scandir", "os.stat", "sys._getframe", "os.getxattr")
OWN = ("<unknown>", "<graph ")
"""Texts that ast.parse reads, and the code that is made for a graph."""

done: list[str] = []
watches = False


def watch(event, args):
    """Note what a document that is only refused has no reason to do."""
    if not watches or event in HARMLESS or not event.startswith(WATCHED):
        return
    if event == "open" and not _is_write(args):
        return
    if event == "compile" and str(args[1]).startswith(OWN):
        return
    if event in ("compile", "exec") and _is_of_a_parser(args[0]):
        return
    done.append(f"{event} {args!r}"[:200])


def _is_of_a_parser(code):
    """Tell whether ply, under our JSONPath library, asks for its tables."""
    names = getattr(code, "co_names", ()) or [str(code)]
    return any("jsonpath_ng._ply_tables" in name for name in names)


def _is_write(args):
    mode, flags = args[1], args[2]
    writes = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
    return bool(mode and set(str(mode)) & set("wax+")) or bool(flags and flags & writes)


def hostile_namespace():
    """Return a notebook's names: its own functions, and much that was imported."""
    import builtins
    import importlib

    more = {"os": os, "sys": sys, "subprocess": subprocess, "builtins": builtins}
    more |= {"importlib": importlib, "system": os.system, "popen": subprocess.Popen}
    return {**vars(names), **more, "run_program": subprocess.run}


def read(kind, source, file):
    namespace = hostile_namespace()
    if kind == "serving":
        read_serving_spec(source)
    elif kind == "api":
        api_handler_config(source)
    elif kind in ("document", "built"):
        graph = jupyter_graph.Graph.from_dict(source, namespace)
        compile_graph(graph)
        if kind == "built":
            jupyter_graph.Runner(graph, timeout_s=5).open().close()
    else:
        compile_graph(jupyter_graph.load_graph(file, namespace))


def written(name, kind, source):
    """Write what a case reads from a file, before anybody watches."""
    suffix = "yaml" if kind == "yaml" else "json"
    folder = FOLDER / name.replace("/", "_").replace(":", "_")[:100]
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"g.{suffix}"
    if kind == "function":
        source = json.dumps(source)
    if kind in ("json", "yaml", "function"):
        content = source if isinstance(source, bytes) else source.encode()
        file.write_bytes(content)
    return file


def refused(name, kind, source, file):
    global watches
    done.clear()
    started = time.thread_time()
    watches = True
    try:
        read(kind, source, file)
    except BaseException as error:
        watches = False
        found = error
    else:
        watches = False
        found = None
    return {
        "name": name,
        "error": type(found).__name__,
        "is_ours": isinstance(found, SpecError),
        "text": str(found),
        "problems": list(getattr(found, "problems", ())),
        "seconds": time.thread_time() - started,
        "done": list(done),
    }


def warm_up():
    """Import what blocks and documents of every kind need, so that no case does."""
    import storey  # noqa: F401

    for name in BLOCKS:
        load_block(name)
    for kind, source in [
        ("document", {"steps": {"a": {"class_name": "storey.Mapp"}}}),
        ("document", {"steps": {"a": {"handler": "(event + 1)"}}}),
        ("document", {"steps": {"a": {"handler": "no_name"}}}),
        ("json", None),
        ("yaml", None),
        ("built", block("storey.Map", _fn="f")),
        ("built", flow(a={"handler": "slow", "responder": True})),
        ("built", {"kind": "router", "routes": {"m": {"handler": "slow"}}}),
        ("serving", "what"),
        ("serving", broken.CASES["serving-secret-code"][1]),
        ("api", broken.CASES["api-mapping-path"][1]),
    ]:  # fmt: skip
        file = written("warm", kind, "steps: [" if source is None else "")
        refused("warm", kind, source, file)


def misdeeds():
    """Do what no document may, so that the watcher is seen to see it."""
    exec(compile("import antigravity_of_nobody", "<text>", "exec"))


def more_misdeeds(folder):
    """Do the rest of it."""
    (folder / "written.txt").write_text("x")
    subprocess.run([sys.executable, "-c", ""], check=True)
    os.system("true")
    with socket.socket() as one:
        one.connect_ex(("127.0.0.1", 9))


def watched_misdeeds():
    global watches
    done.clear()
    watches = True
    try:
        more_misdeeds(FOLDER)
        misdeeds()
    except ImportError:
        watches = False
    return {"name": "misdeeds", "done": [text.split()[0] for text in done]}


def main():
    files = {
        name: written(name, kind, source)
        for name, (kind, source, *_) in broken.CASES.items()
    }
    warm_up()
    sys.addaudithook(watch)
    for name, (kind, source, *_) in broken.CASES.items():
        row = refused(name, kind, source, files[name])
        sys.stdout.write(json.dumps(row) + "\n")
    sys.stdout.write(json.dumps(watched_misdeeds()) + "\n")
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
