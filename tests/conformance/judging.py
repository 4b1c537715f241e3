"""Runs the own cases and says where an answer is not MLRun's.

A case is a document (or calls of MLRun's builder), events, and what MLRun 1.12.1 was
observed to answer (``expect``). Where ``stance`` is ``better``, MLRun hangs, has a bug
or a limit, and ``ours`` outlines what is answered here instead.
"""

from __future__ import annotations

import importlib
import inspect
import json
import os
import re
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ANY = "<any>"
PEER = "127.0.0.1:18765"
"""Where cases look for the peer; a test puts its own address there."""

NOT_COMPARED = (
    "allow_cyclic", "endpoint_type", "model_endpoint_creation_strategy",
    "model_endpoints_routes_names", "track_models",
)  # fmt: skip
WORD = re.compile(r"[A-Za-z_]\w*")
CHANGING = (
    (re.compile(r"0x[0-9a-fA-F]{6,}"), "0xADDR"),
    (re.compile(r"\b[0-9a-f]{32}(-\d{4})?\b"), "<hex32>"),
    (re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d+)?(\+00:00)?"), "<time>"),
)


# -- what was answered --------------------------------------------------------------


def plain(value: Any, inside: tuple[int, ...] = ()) -> Any:
    """Give a value as JSON has it, without what changes from run to run."""
    if isinstance(value, str):
        return _lasting(value)
    if value is None or isinstance(value, bool | int | float):
        return value
    if id(value) in inside:
        return "<cycle>"
    inside = (*inside, id(value))
    if isinstance(value, bytes):
        return {"__bytes__": _lasting(value.decode("utf-8", "replace"))}
    if isinstance(value, dict):
        return {
            str(key): ANY if key == "timestamp" else plain(item, inside)
            for key, item in value.items()
        }
    if isinstance(value, list | tuple):
        return [plain(item, inside) for item in value]
    if inspect.isgenerator(value):
        return _stream(value)
    for convert in ("tolist", "item"):
        if callable(getattr(value, convert, None)):
            return plain(getattr(value, convert)(), inside)
    if hasattr(value, "body") and hasattr(value, "path"):
        return {"__event__": plain(value.body, inside)}
    return {"__repr__": _lasting(repr(value))}


def _lasting(text: str) -> str:
    for pattern, word in CHANGING:
        text = pattern.sub(word, text)
    return text


def _stream(items: Any) -> dict[str, Any]:
    found: list[Any] = []
    try:
        found.extend(plain(item) for item in items)
    except Exception as error:
        broken = f"{type(error).__name__}: {error}"
        return {"__stream__": found, "stream_error": broken}
    return {"__stream__": found}


def _refusal(error: BaseException) -> dict[str, str]:
    return {"class": type(error).__name__, "message": _lasting(str(error))}


@contextmanager
def _environment(values: dict[str, str]) -> Any:
    old = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in old.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value


def observed(case: dict[str, Any], adapter: Any) -> dict[str, Any]:
    """Run a case and give what came of it."""
    module = importlib.import_module(case["namespace"])
    module.reset()
    if case["kind"] == "build":
        return _built(case, adapter.serve.builder())
    found: dict[str, Any] = {"init": None, "responses": []}
    try:
        with _environment(case.get("env", {})):
            graph = json.loads(json.dumps(case["graph"]))
            call = adapter.serve(graph, module, **case.get("server", {}))
    except Exception as error:
        return {**found, "init": _refusal(error)}
    found["responses"] = [_answer(call, event) for event in case["events"]]
    found["termination"] = plain(call.close())
    found["sink"] = plain(list(module.SINK))
    for name in case.get("files", ()):
        path = Path(name)
        text = path.read_text("utf-8") if path.exists() else None
        found.setdefault("files", {})[name] = text
        path.unlink(missing_ok=True)
    return found


def _answer(call: Any, event: dict[str, Any]) -> dict[str, Any]:
    body = event.get("body")
    if isinstance(body, dict) and set(body) == {"__bytes__"}:
        body = body["__bytes__"].encode()
    status, found, *_ = call(
        event["path"],
        event["method"],
        json.loads(json.dumps(body)) if not isinstance(body, bytes) else body,
        dict(event.get("headers") or {}),
        event.get("content_type"),
    )
    return {"status": status, "body": plain(found)}


def _built(case: dict[str, Any], builder: Any) -> dict[str, Any]:
    names, error = {"fn": builder}, None
    for target, method, args, options, save in case["program"]:
        try:
            found = getattr(names[target], method)(*args, **options)
        except Exception as raised:
            error = _refusal(raised)
            break
        if save:
            names[save] = found
    return {"error": error, "graph": builder.graph_dict()}


# -- whether it is right ------------------------------------------------------------


def problem(case: dict[str, Any], found: dict[str, Any]) -> str | None:
    """Say what is wrong with what came of a case, None when nothing is."""
    if case["stance"] == "better":
        wanted, got = case["ours"], outline(found)
        return None if _same(wanted, got) else f"wanted {wanted}, got {got}"
    wanted = case["expect"]
    if case["kind"] == "build":
        return _wrong_build(case, wanted, found)
    if wanted.get("init") or found["init"]:
        return _wrong_refusal(case, wanted.get("init"), found["init"])
    for at, (told, got) in enumerate(
        zip(wanted["responses"], found["responses"], strict=True)
    ):
        if said := _wrong_answer(told, got):
            return f"event {at}: {said}"
    return _wrong_effects(case, wanted, found)


def outline(found: dict[str, Any]) -> dict[str, Any]:
    """Give what matters of our own answers: not the words of a failure."""
    refused = found.get("init") or found.get("error")
    if refused or "graph" in found:
        return {"refused": bool(refused), "graph": _compared(found.get("graph"))}
    answers = [
        one if one["status"] < 400 else {"status": one["status"]}
        for one in found["responses"]
    ]
    return {"responses": answers, "sink": found["sink"]}


def _wrong_build(case: dict[str, Any], wanted: Any, found: Any) -> str | None:
    if wanted["error"] or found["error"]:
        return _wrong_refusal(case, wanted["error"], found["error"])
    told, got = _compared(wanted["graph"]), _compared(found["graph"])
    return None if told == got else f"wanted {told}, got {got}"


def _compared(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_compared(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        key: _compared(item)
        for key, item in value.items()
        if key not in NOT_COMPARED and item not in (None, [], {})
    }


def _wrong_refusal(case: dict[str, Any], wanted: Any, found: Any) -> str | None:
    """A refusal must name a step or another word of the case that MLRun's names."""
    if not wanted or not found:
        return f"wanted {wanted}, got {found}"
    text = json.dumps(case.get("graph") or case.get("program"))
    known = set(re.findall(r'"([A-Za-z_]\w*)"', text)) & set(case.get("names", ()))
    said = set(WORD.findall(found["message"]))
    if known and not known & said:
        return f"the refusal names none of {sorted(known)}: {found['message']}"
    return None


def _wrong_answer(wanted: dict[str, Any], found: dict[str, Any]) -> str | None:
    if wanted["status"] < 400:
        return None if _same(wanted, found) else f"wanted {wanted}, got {found}"
    is_status = wanted["status"] in (400, found["status"])
    if found["status"] < 400 or not is_status:
        return f"wanted a failure {wanted}, got {found}"
    cause = set(WORD.findall(_cause(wanted["body"])))
    said = set(WORD.findall(json.dumps(found["body"])))
    if len(cause & said) * 2 < len(cause):
        return f"wanted the words of {wanted['body']!r}, got {found['body']!r}"
    return None


def _cause(body: Any) -> str:
    text = body if isinstance(body, str) else json.dumps(body)
    first = text.partition("\n")[0].partition(", caused by")[0]
    return re.sub(r"^[A-Za-z]+: ", "", first)[:60]


def _wrong_effects(case: dict[str, Any], wanted: Any, found: Any) -> str | None:
    for key in ("sink", "files", "termination"):
        told, got = wanted.get(key), found.get(key)
        if told is None:
            continue
        if key == "sink" and case.get("sink_unordered"):
            told, got = sorted(told, key=json.dumps), sorted(got, key=json.dumps)
        if not _same(told, got):
            return f"{key}: wanted {told}, got {got}"
    return None


def _same(wanted: Any, found: Any) -> bool:
    if wanted == ANY:
        return True
    if isinstance(wanted, dict) and isinstance(found, dict):
        # MLRun's routers write a word of their own into what models get
        keys = wanted.keys() - {"background_task_state"}
        return keys == found.keys() and all(_same(wanted[k], found[k]) for k in keys)
    if isinstance(wanted, list) and isinstance(found, list):
        return len(wanted) == len(found) and all(map(_same, wanted, found))
    if isinstance(wanted, float) and isinstance(found, int | float):
        return abs(wanted - found) < 1e-9
    return bool(wanted == found)
