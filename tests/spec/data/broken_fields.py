"""Broken fields: wrong types, unknown fields, kinds and names."""

import math

from broken_table import case, flow, nested, router, task

# -- what is no object of fields ---------------------------------------------------

for name, source in {
    "null": None, "number": 5, "text": "steps", "list": [], "steps": [task()],
    "true": True, "nan": math.nan,
}.items():  # fmt: skip
    case(f"a-document-is-{name}", source, "a graph document is an object")
case("no-field", {}, "has no steps yet")
case("no-step", flow(), "has no steps yet")
case("steps-are-a-list", {"steps": ["a"]}, "field 'steps' of the graph")
case("steps-are-a-text", {"steps": "a"}, "field 'steps' of the graph")
case("steps-are-a-number", {"steps": 5}, "field 'steps' of the graph")
for name, source in {"null": None, "number": 5, "text": "f", "list": ["f"]}.items():
    case(f"a-step-is-{name}", flow(a=source), "step 'a' is an object of fields")
case("a-step-is-empty", flow(a={}), "step 'a'", "class_name", "handler")
case("an-integer-is-a-name", {"steps": {1: task()}}, "name of a step is a text", "1")
case("null-is-a-name", {"steps": {None: task()}}, "name of a step is a text", "None")

# -- wrong types at every field of a step ------------------------------------------

TEXTS = (
    "kind", "class_name", "handler", "on_error", "base_step", "input_path",
    "result_path", "comment", "shape", "function", "path",
)  # fmt: skip
FLAGS = (
    "full_event", "responder", "blocking", "vectorized", "side_effects", "reraise",
)  # fmt: skip
COUNTS = ("max_iterations", "concurrency", "processes", "batch")
SECONDS = ("timeout_s", "join_timeout_s")
WAITS = ("backoff_s", "batch_wait_ms")
NAMES = ("after", "before", "cycle_from")
OBJECTS = ("class_args", "routes", "steps")
WORDS = ("engine", "join", "missing")
WRONG = {"number": 5, "float": 1.5, "true": True, "list": ["x"], "object": {"x": 1}}
HUGE = 10**5000


def wrong(fields, values):
    for field in fields:
        for name, value in values.items():
            document = flow(a=task(**{field: value}))
            case(f"{field}-is-{name}", document, f"{field}", "'a'")


wrong(TEXTS, {**WRONG, "huge": HUGE})
wrong(FLAGS, {"text": "yes", "one": 1, "list": ["x"], "object": {"x": 1}})
wrong(COUNTS, {"zero": 0, "negative": -1, "float": 1.5, "text": "3", "true": True})
wrong(SECONDS, {"zero": 0, "negative": -1, "text": "3", "nan": math.nan, "huge": HUGE})
wrong(SECONDS, {"infinite": math.inf, "true": True, "list": [1]})
wrong(
    WAITS, {"negative": -0.1, "text": "3", "nan": math.nan, "true": True, "huge": HUGE}
)
wrong(("retries",), {"negative": -1, "float": 0.5, "text": "1", "true": True})
wrong(NAMES, {"number": 5, "object": {"x": 1}, "numbers": [1], "true": True})
wrong(OBJECTS, {"number": 5, "text": "x", "list": ["x"], "true": True})
wrong(WORDS, {"number": 5, "other": "sometimes", "list": ["all"], "true": True})
case("arguments-have-numbers-as-names", flow(a=task(class_args={1: 2})), "class_args")
for field, value in {
    "shards": 0, "retention_in_hours": "24", "trigger_args": [1], "options": "x",
}.items():  # fmt: skip
    document = flow(q={"kind": "queue", "path": "memory://t", field: value}, a=task())
    case(f"{field}-is-wrong", document, field, "'q'")
for field, value in {
    "raise_exception": "no", "max_processes": 0, "max_threads": 1.5,
    "pool_factor": "2", "_shared_proxy_mapping": [1],
}.items():  # fmt: skip
    case(f"{field}-is-wrong", flow(a={"kind": "model_runner", field: value}), field)

# -- wrong types at every field of a graph -----------------------------------------

for field, values in {
    "kind": [5, "task", "roter", ["flow"]],
    "name": [5, ["g"], "my graph", "2nd", "start", "$prev", "x" * 64, "a:b"],
    "engine": [5, "fast", ["sync"]],
    "on_error": [5, ["a"], "ghost"],
    "max_in_flight": [0, -1, 1.5, "8", True],
    "order_by": [0, True, {"a": 1}, ["a", 1]],
    "copy": [5, "some", ["deep"]],
    "allow_cyclic": ["yes", 1, [True]],
    "max_iterations": [0, 1.5, "3"],
    "final_step": [5, "ghost", ["a"]],
}.items():
    for number, value in enumerate(values):
        document = {**flow(a=task()), field: value}
        words = () if field in ("kind", "name", "on_error") else (field,)
        case(f"graph-{field}-{number}", document, "graph" if not words else "", *words)

# -- unknown fields and kinds ------------------------------------------------------

for typo, right in {
    "hander": "handler", "class_nam": "class_name", "classargs": "class_args",
    "resonder": "responder", "afer": "after", "onerror": "on_error",
    "timeout": "timeout_s", "retry": "retries", "input_paths": "input_path",
    "Handler": "handler",
}.items():  # fmt: skip
    case(f"unknown-field-{typo}", flow(a=task(**{typo: "x"})), "'a'", typo, right)
case("unknown-field-of-a-graph", {**flow(a=task()), "engin": "sync"}, "engin", "engine")
case("unknown-field-of-a-router", {"kind": "router", "rotes": {}}, "rotes", "routes")
case("unknown-field-of-a-route", router(routes={"m": task(hander=1)}), "'m'", "hander")
case("unknown-field-in-a-flow", nested(1, task(afer="b")), "'a'", "afer", "after")
case("a-number-is-a-field", flow(a={**task(), 5: 1}), "'a'", "unknown field 5")
case("another-name", flow(a=task(name="b")), "'a'", "'b'")
for kind in ("taks", "monitoring_application", "hub_task", "choice", "root", "Task"):
    case(f"kind-{kind}", flow(a=task(kind=kind)), "'a'", kind)

# -- names -------------------------------------------------------------------------

for number, bad in enumerate(
    ["", "2nd", "a b", "a:b", "a/b", "²a", "a\n", "graph", "$prev", "$start", "x" * 64,
     "-a", ".a", "a\x00", "../x", "<b>", "a'b", "x" * 100_000]
):  # fmt: skip
    case(f"step-name-{number}", flow(**{bad: task()}), "name" if bad != "graph" else "")
case("route-name", router(routes={"a b": task()}), "route's name", "a b")
case("router-name", {"kind": "router", "name": "a b", "routes": {"m": task()}}, "a b")
case("router-name-is-a-list", {"kind": "router", "name": ["a"], "routes": {}}, "name")
