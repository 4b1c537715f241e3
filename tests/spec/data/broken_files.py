"""Broken files, serving specs, functions and API handlers."""

import base64
import gzip
import json

from broken_table import case, flow, task

# -- what a file holds -------------------------------------------------------------

GOOD = {"steps": {"a": {"handler": "f"}}}
TEXT = json.dumps(GOOD)
for name, text, *words in [
    ("empty", "", "no JSON"),
    ("blank", " \n", "no JSON"),
    ("cut", TEXT[:-3], "no JSON"),
    ("more", TEXT + "}", "no JSON"),
    ("single-quotes", "{'steps': {}}", "no JSON"),
    ("comment", "// graph\n" + TEXT, "no JSON"),
    ("comma", '{"steps": {},}', "no JSON"),
    ("list", "[1]", "an object of fields"),
    ("number", "5", "an object of fields"),
    ("null", "null", "an object of fields"),
    ("nan", '{"steps": {"a": {"handler": "f", "timeout_s": NaN}}}', "nan", "$float"),
    ("infinity", '{"steps": {"a": {"class_args": {"x": -Infinity}}}}', "-inf"),
    ("deep-list", "[" * 100_000, "too deep"),
    ("deep-object", '{"a":' * 100_000, "too deep"),
    ("twice", '{"steps": {"a": {}, "a": {}}}', "'a' twice"),
    ("steps-twice", '{"steps": {}, "steps": {}}', "'steps' twice"),
    ("long-number", '{"steps": {"a": {"retries": ' + "9" * 5000 + "}}}", "no JSON"),
    ("yaml", "steps: {a: {handler: f}}", "no JSON"),
    ("python", "import os", "no JSON"),
    ("html", "<html></html>", "no JSON"),
]:
    case(f"json-{name}", text, *words, kind="json")
case("json-latin-1", '{"steps": {"é": 1}}'.encode("latin-1"), "g.json", kind="json")
case("json-utf-16", TEXT.encode("utf-16"), "g.json", kind="json")
case("json-zeros", b"\x00" * 64, "g.json", kind="json")
case("json-pickle", b"\x80\x04\x95\x05\x00\x00\x00\x00\x00\x00\x00\x8c\x01f\x94.",
     "g.json", kind="json")  # fmt: skip
case("json-gzip", gzip.compress(TEXT.encode()), "g.json", kind="json")

LAUGHS = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{new}: &{new} [{','.join([f'*{old}'] * 9)}]\n"
    for old, new in zip("abcdefghi", "bcdefghij", strict=True)
)
for name, text, *words in [
    ("empty", "", "an object of fields"),
    ("text", "just a text", "an object of fields"),
    ("list", "- a\n- b\n", "an object of fields"),
    ("open", "a: [", "no YAML"),
    ("tab", "steps:\n\ta: 1\n", "no YAML"),
    ("two", "steps: {}\n---\nsteps: {}\n", "no YAML"),
    ("anchor", "steps: *nobody\n", "no YAML"),
    ("twice", "steps:\n  a: {}\n  a: {}\n", "'a' twice"),
    ("list-as-key", "steps:\n  ? [a]\n  : {handler: f}\n", "no YAML"),
    ("no", "steps: {a: {handler: f, responder: nope}}\n", "responder", "'a'"),
    ("norway", "steps: {no: {handler: f}}\n", "name of a step is a text", "False"),
    ("number-key", "steps: {1: {handler: f}}\n", "name of a step is a text"),
    (
        "date",
        "steps: {a: {class_name: C, class_args: {limit: 2024-01-01}}}\n",
        "date",
        "steps.a.class_args.limit",
    ),
    ("set", "steps: {a: {class_name: C, class_args: {limit: !!set {x}}}}\n", "set"),
    ("binary", "steps: {a: {class_args: {x: !!binary aGk=}}}\n", "bytes"),
    ("nan", "steps: {a: {class_args: {x: .nan}}}\n", "nan", "$float"),
    ("inf", "steps: {a: {timeout_s: .inf}}\n", "inf"),
    ("laughs", LAUGHS + "steps: *j\n", "1,000,000 values"),
    ("itself", "steps: {a: {class_name: C, class_args: &x {y: *x}}}\n", "holds itself"),
    ("flow-itself", "steps: &s {a: {kind: flow, steps: *s}}\n", "holds itself"),
    ("deep", "[" * 50_000, "g.yaml"),
    ("deep-block", "- " * 50_000 + "a", "g.yaml"),
    ("new", "steps: {a: !!python/object/new:os.system [true]}\n", "no YAML"),
    ("apply", "x: !!python/object/apply:os.system ['true']\n", "no YAML"),
    ("module", "x: !!python/module:antigravity ''\n", "no YAML"),
    ("name", "x: !!python/name:os.system ''\n", "no YAML"),
    ("tuple", "x: !!python/tuple [1]\n", "no YAML"),
    ("tag", "x: !mine {a: 1}\n", "no YAML"),
    ("directive", "%YAML 9.9\n---\nx: 1\n", "g.yaml"),
    ("control", "steps: \x01\n", "no YAML"),
]:
    case(f"yaml-{name}", text, *words, kind="yaml")
case("yaml-no-text", b"\xff\xfe\x00\x01", "g.yaml", kind="yaml")

# -- serving specs and functions ---------------------------------------------------


def serving(**fields):
    return {"graph": GOOD, **fields}


def function(**fields):
    return {"kind": "serving", "spec": {"graph": GOOD}, **fields}


for name, source, *words in [
    ("number", 5, "object of fields"),
    ("list", [], "object of fields"),
    ("empty", {}, "no graph"),
    ("graph-empty", {"graph": {}}, "no graph"),
    ("graph-number", {"graph": 5}, "a graph document is an object"),
    ("graph-broken", {"graph": flow(a=task(hander=1))}, "'a'", "hander"),
    ("text", "what", "no JSON"),
    ("text-cut", '{"graph": ', "no JSON"),
    ("packed-bad", base64.b64encode(b"\x1f\x8bnothing").decode(), "no JSON"),
    ("packed-bomb", base64.b64encode(gzip.compress(b" " * 40_000_000)).decode(),
     "characters"),
    ("bytes", b"\xff", "UTF-8"),
    ("typo", serving(paramters={}), "paramters", "parameters"),
    ("parameters", serving(parameters=[1]), "parameters"),
    ("parameter-name", serving(parameters={1: 2}), "parameters"),
    ("load-mode", serving(load_mode="asinc"), "load_mode", "async"),
    ("load-mode-type", serving(load_mode=5), "load_mode"),
    ("error-stream", serving(error_stream=["x"]), "error_stream"),
    ("content-type", serving(default_content_type=5), "default_content_type"),
    ("streaming", serving(streaming="yes"), "streaming"),
    ("track-models", serving(track_models="yes"), "track_models"),
    ("initializer", serving(graph_initializer=5), "graph_initializer"),
    ("functions", serving(functions=["child"]), "functions"),
    ("functions-value", serving(functions={"child": 5}), "child"),
    ("api", serving(api_handler_config=[1]), "api_handler_config"),
    ("secrets", serving(secret_sources={"kind": "inline"}), "secret_sources"),
    ("secret-kind", serving(secret_sources=[{"kind": "inlin"}]), "inlin", "inline"),
    ("secret-field", serving(secret_sources=[{"kind": "env", "sorce": "A"}]), "sorce"),
    ("secret-source", serving(secret_sources=[{"kind": "inline", "source": 5}]), "1"),
    ("secret-code", serving(
        secret_sources=[{"kind": "inline", "source": "__import__('os').system('true')"}]
    ), "source"),
    ("environment", {"SERVING_SPEC_ENV": ""}, "SERVING_SPEC_ENV"),
    ("function-name", serving(function_name=5), "function_name"),
]:  # fmt: skip
    case(f"serving-{name}", source, *words, kind="serving")
for name, source, *words in [
    ("kind", {"kind": "job", "spec": {"graph": GOOD}}, "'job'", "serving"),
    ("no-kind", {"metadata": {}, "spec": {"graph": GOOD}}, "serving"),
    ("no-graph", {"kind": "serving", "spec": {}}, "no graph"),
    ("spec", {"kind": "serving", "spec": [1]}, "spec"),
    ("metadata", function(metadata=5), "metadata"),
    ("name", function(metadata={"name": 5}), "name"),
    ("field", function(specs={}), "specs"),
    ("typo", function(spec={"graph": GOOD, "paramters": {}}), "parameters"),
    ("graph", {"kind": "serving", "spec": {"graph": flow(a=task(after=5))}}, "'a'"),
    ("only-metadata", {"metadata": {"name": "x"}}, "kind"),
]:  # fmt: skip
    case(f"function-{name}", source, *words, kind="function")

# -- API handlers ------------------------------------------------------------------


def api(key="GET:/a", **fields):
    return {"endpoints": {key: {"path": "/a", "http_method": "GET", **fields}}}


for name, source, *words in [
    ("number", 5, "object"),
    ("typo", {"endpoint": {}}, "endpoint", "endpoints"),
    ("endpoints", {"endpoints": [1]}, "endpoints"),
    ("endpoint", {"endpoints": {"GET:/a": 5}}, "GET:/a"),
    ("no-path", {"endpoints": {"GET:/a": {"http_method": "GET"}}}, "path"),
    ("key", api("POST:/b"), "POST:/b"),
    ("method", api("FLY:/a", http_method="FLY"), "FLY"),
    ("path", api("GET:a", path=5), "path"),
    ("action", api(action="perhaps"), "action"),
    ("field", api(actoin="allow"), "actoin", "action"),
    ("enabled", {"enabled": "yes", "endpoints": {}}, "enabled"),
    ("mapping", api(input_body_mappings={"mapping": []}), "mapping"),
    ("mapping-row", api(input_body_mappings={"mappings": [5]}), "mapping 1"),
    ("mapping-path", api(input_body_mappings={"mappings": [
        {"source_path": "a..[", "destination_path": "x"}
    ]}), "source_path"),
]:  # fmt: skip
    case(f"api-{name}", source, *words, kind="api")
