"""Broken names of code, expressions, arguments and tags."""

from broken_table import block, built, case, flow, router

# -- names of code: hostile and unknown --------------------------------------------

HOSTILE = [
    "os.system", "os.popen", "posix.system", "subprocess.run", "subprocess.Popen",
    "builtins.eval", "builtins.exec", "builtins.open", "builtins.__import__", "eval",
    "exec", "open", "compile", "__import__", "getattr", "print", "os", "sys",
    "subprocess", "builtins", "importlib", "importlib.import_module", "sys.exit",
    "system", "popen", "run_program", "shutil.rmtree", "socket.socket", "ctypes.CDLL",
    "pickle.loads", "jupyter_graph.steps.block_table.load_block", "jupyter_graph.Graph",
    "jupyter_graph.steps.models.frameworks.pickles", "storey.sources.os", "storey.utils.os.system",
    "storey", "storey.", "storey.Flow.__init__", "storey.flow.copy", "f.__globals__",
    "C.__init__", "C.__class__", "C.__subclasses__", "f.__code__", "names.f",
    "__main__.f", "__builtins__", "__loader__", "__spec__", "__name__", "..f", ".f",
    "f.", "f()", "lambda x: x", "f; import os", "antigravity.fly", "this.s", "a.b.c",
    "os:system", "hub://echo", "hub://echo:v1", "http://127.0.0.1/x.py", "../x.py",
    "mlrun.serving.Ghost", "mlrun.run.function_to_module", "mlrun.serving.server",
    "mlrun.model_monitoring.applications.EvidentlyApplication", "clf", "Ghost", "ff",
]  # fmt: skip
for name in HOSTILE:
    case(f"handler-{name}", flow(a={"handler": name}), "'a'")
    case(f"class-{name}", flow(a={"class_name": name}), "'a'")
for name in (
    "os",
    "subprocess",
    "builtins",
    "popen",
    "__builtins__",
    "__loader__",
    "f2",
):
    case(f"variable-{name}", block("C", limit={"$value": name}), "'a'", name)
for name in ("os.system", "eval", "subprocess.run", "(__import__('os'))"):
    case(f"function-argument-{name}", block("storey.Map", _fn=name), "'a'")
for method in ("__init__", "__class__", "__getattribute__", "__subclasshook__", "nope"):
    case(f"method-{method}", flow(a={"class_name": "C", "handler": method}), "'a'")
case("a-class-that-does-nothing", flow(a={"class_name": "Nothing"}), "'a'", "do")
case("a-function-of-nothing", flow(a={"handler": "takes_nothing"}), "'a'")
case("a-function-of-much", flow(a={"handler": "takes_much"}), "'a'", "more")
case("a-handler-that-is-a-class-argument", block("C", limt=1), "'a'", "limt", "limit")

# -- expressions -------------------------------------------------------------------

EXPRESSIONS = [
    "(event +)", "(__import__('os').system('true'))", "(open('/etc/passwd'))",
    "(event.__class__)", "(event.__class__.__mro__[1].__subclasses__())",
    "(event['a'].__globals__)", "(lambda: 1)", "([x.__class__ for x in event])", "(yield event)",
    "(await event)", "(evnt + 1)", "(event := 1)", "(exec('1'))", "(eval('1'))",
    "(getattr(event, 'x'))", "(event.format(1))", "(f'{event!r:>{event}}')",
    "(print(event))", "(event.body.mro())", "((event)(1))", "(*event)", "(event; 1)",
    "(" + "(" * 300 + "event" + ")" * 300 + ")", "(" + "-" * 1900 + "1)",
    "(" + "event + " * 1000 + "1)", "(event[__import__('os')])", "(\x00)", "(1\n2)",
]  # fmt: skip
for number, text in enumerate(EXPRESSIONS):
    case(f"expression-{number}", flow(a={"handler": text}), "'a'", "expression")
case("expression-is-a-class", flow(a={"class_name": "(event)"}), "'a'", "expression")
case("expression-in-an-argument", block("storey.Map", _fn="(x + 1)"), "'a'", "'x'")

# -- arguments of blocks -----------------------------------------------------------

case("storey-typo", block("storey.Map", _fnn="f"), "'a'", "fn")
case("storey-missing", block("storey.Map"), "'a'", "fn")
case("storey-batch-typo", block("storey.Batch", max_event=3), "max_event", "max_events")
case("storey-unknown", block("storey.Mapp"), "'a'", "storey.Mapp")
built("router-typo", router("ModelRouter", protocoll="v2"), "'a'", "protocoll")
built("ensemble-typo", router("VotingEnsemble", vote_typ="x"), "'a'", "vote_typ")
built("parallel-typo", router("ParallelRun", extend_evnt=1), "'a'", "extend_evnt")
case("split-typo", router("Split", weigths={"m": 1}), "'a'", "weigths", "weights")
built("split-weights", router("Split", weights={"ghost": 1}), "'a'", "ghost")
built("batch-without-limits", block("Batch"), "'a'")
built("filter-of-a-number", block("Filter", fn=5), "'a'")
built("remote-without-url", block("$remote"), "'a'", "url")
case("merge-typo", block("mlrun.serving.merger.Merge", max_behnd=1), "max_behnd")
case("choice-typo", block("mlrun.serving.steps.ChoiceByField", field="x"), "field_name")
built("queue-of-no-scheme", flow(q={"kind": "queue", "path": "nowhere"}), "'q'")
built(
    "queue-of-another-scheme",
    flow(q={"kind": "queue", "path": "gopher://h/t"}),
    "'q'",
    "gopher",
)
case("vectorized-expression", flow(a={"handler": "slow", "blocking": True}), "'a'")
case("retries-of-a-generator", flow(a={"handler": "many", "retries": 1}), "'a'")
case("timeout-of-storey", flow(a={"class_name": "storey.Map", "timeout_s": 1,
                                  "class_args": {"_fn": "f"}}), "'a'")  # fmt: skip

# -- tags --------------------------------------------------------------------------

for number, tag in enumerate([
    {"$tuple": 5}, {"$tuple": {"a": 1}}, {"$items": [1]}, {"$items": [[1]]},
    {"$items": [[[1], 2]]}, {"$items": ["ab"]}, {"$items": [[1, 2], [1, 3]]},
    {"$items": {"a": 1}}, {"$float": 5}, {"$float": "1e3"}, {"$float": "infinity"},
    [{"x": {"$tuple": None}}],
]):  # fmt: skip
    case(f"tag-{number}", block("C", limit=tag), "'a'", "tagged wrongly")
