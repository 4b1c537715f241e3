"""Broken graphs: references, cycles, routers, queues, flows, runners."""

from broken_table import block, built, case, flow, nested, router, task

# -- references --------------------------------------------------------------------

case("after-nobody", flow(a=task(after="ghost")), "'a'", "ghost")
case("after-near", flow(first=task(), b=task(after="frist")), "'b'", "did you mean")
case("after-twice", flow(a=task(), b=task(after=["a", "a"])), "'b'", "2 times")
case("before-nobody", flow(a=task(before=["b"])), "'a'", "before")
case("before-of-a-step", flow(a=task(before="b"), b=task()), "'a'", "before")
case("on-error-nobody", flow(a=task(on_error="ghost")), "'a'", "ghost")
case("on-error-itself", flow(a=task(on_error="a")), "'a'", "its own error handler")
case("unused-handler", flow(a=task(), h=task(kind="error_step")), "'h'", "no step")
handler = task(kind="error_step", after="a")
case("handler-after", flow(a=task(on_error="h"), h=handler), "'h'", "after")
handler = task(kind="error_step", base_step="ghost")
case("handler-of-nobody", flow(a=task(on_error="h"), h=handler), "'h'", "ghost")
handler = task(kind="error_step", before=["a"])
document = {**flow(a=task(), h=handler), "on_error": "h"}
case("graph-handler-before", document, "'h'", "answer")
reraising = task(kind="error_step", reraise=True, before="b")
case("reraise-of-a-step", flow(a=task(reraise=True)), "'a'", "only an error handler")
document = flow(a=task(on_error="h"), b=task(after="a"), h=reraising)
case("reraise-and-go-on", document, "'h'", "nothing comes after it", "b")
responders = flow(a=task(responder=True), b=task(responder=True))
case("two-responders", responders, "only one step may respond", "a, b")
case("join-of-one", flow(a=task(), b=task(after="a", join="all")), "'b'", "join")
case("join-timeout-alone", flow(a=task(join_timeout_s=1)), "'a'", "join_timeout_s")
case("batch-of-events", flow(a=task(batch=2, full_event=True)), "'a'", "batch")
case("cycle-from-nobody", flow(a=task(cycle_from="b")), "'a'", "cycle_from")
case("function-of-nobody", flow(a=task(), b=task(after="b2", function="x")), "b2")

# -- cycles ------------------------------------------------------------------------

case("cycle-of-one", flow(a=task(after="a")), "cycle", "a → a")
case("cycle-of-two", flow(a=task(after="b"), b=task(after="a")), "cycle: a → b → a")
steps = {f"s{i}": task(after=f"s{(i - 1) % 300}") for i in range(300)}
case("cycle-of-300", flow(**steps), "cycle")
loop = flow(a=task(on_error="h"), h=task(kind="error_step", before="a"))
case("cycle-of-a-handler", loop, "cycle", "h")
case(
    "cycle-in-sync", {**flow(a=task()), "allow_cyclic": True, "engine": "sync"}, "sync"
)
lost = flow(a=task(), b=task(after="c"), c=task(after="b"))
case("cycle-without-a-way-in", {**lost, "allow_cyclic": True}, "'b'", "cycle_from")
case("cycle-in-a-flow", nested(1, task(after="a")), "flow 'a'", "cycle")

# -- routers, queues, flows, runners -----------------------------------------------

case("router-without-routes", flow(a={"kind": "router"}), "'a'", "no routes")
case("root-router-without-routes", {"kind": "router"}, "'router'", "no routes")
case(
    "root-router-with-steps", {"kind": "router", **flow(a=task())}, "'router'", "steps"
)
case("root-router-after", {"kind": "router", "routes": {"m": task()}, "after": ["x"]},
     "'router'", "after")  # fmt: skip
case("routes-of-a-task", flow(a=task(routes={"m": task()})), "'a'", "only a router")
for field, value in {
    "after": "x", "before": "x", "on_error": "x", "responder": True,
}.items():  # fmt: skip
    case(
        f"a-route-has-{field}",
        router(routes={"m": task(**{field: value})}),
        "'m'",
        field,
    )
inner = {"kind": "router", "routes": {"n": task()}}
case("a-route-has-routes", router(routes={"m": inner}), "'m'", "routes")
case("a-route-is-a-number", router(routes={"m": 5}), "'m'", "5")
case("a-route-without-code", router(routes={"m": {}}), "'m'", "class_name")
case(
    "queue-to-nowhere", flow(a=task(), q={"kind": "queue", "after": "a"}), "'q'", "path"
)
for field, value in {
    "class_name": "C", "handler": "f", "full_event": True, "class_args": {"x": 1},
    "responder": True,
}.items():  # fmt: skip
    queue = {"kind": "queue", "path": "memory://t", field: value}
    case(f"a-queue-has-{field}", flow(q=queue), "'q'", field)
for field in ("path", "shards", "trigger_args"):
    value = {"path": "memory://t", "shards": 2, "trigger_args": {"a": 1}}[field]
    case(f"a-task-has-{field}", flow(a=task(**{field: value})), "'a'", field)
case("a-task-has-raise-exception", flow(a=task(raise_exception=True)), "'a'")
case("flow-without-steps", flow(a={"kind": "flow"}), "'a'", "no steps")
case("steps-of-a-task", flow(a=task(steps={"b": task()})), "'a'", "only a flow")
case("flow-broken-inside", nested(1, task(after="ghost")), "flow 'a'", "ghost")
case("flow-broken-deeper", nested(3, task(retries=-1)), "flow 'a'", "retries")
case("flow-with-a-name-inside", nested(1, {"handler": "ghost"}), "'a'", "ghost")
ends = {"kind": "flow", "steps": {"x": task(), "y": task()}}
case("flow-with-two-ends", flow(a=ends), "'a'", "several last steps")
case("runner-model-unknown", flow(a={
    "kind": "model_runner", "class_args": {"models": {"m": ["Ghost", {"name": "m"}]}}
}), "'a'", "Ghost")  # fmt: skip
case("runner-model-hostile", flow(a={
    "kind": "model_runner",
    "class_args": {"models": {"m": ["subprocess.Popen", {"args": "true"}]}},
}), "'a'", "subprocess.Popen")  # fmt: skip
built(
    "runner-models-are-a-list",
    flow(a={"kind": "model_runner", "class_args": {"models": ["LM"]}}),
    "'a'",
    "models",
)
built(
    "runner-mechanism-unknown",
    flow(
        a={
            "kind": "model_runner",
            "class_args": {
                "models": {"m": ["LM", {"name": "m"}]},
                "execution_mechanism_by_model_name": {"m": "magic"},
            },
        }
    ),
    "'a'",
    "magic",
)
built("runner-without-models", flow(a={"kind": "model_runner"}), "'a'", "model")

# -- too deep, too much, itself ----------------------------------------------------

itself = {"class_name": "C", "class_args": {}}
itself["class_args"]["more"] = itself
case("a-step-that-holds-itself", flow(a=itself), "holds itself")
deep = []
for _ in range(200):
    deep = [deep]
case("arguments-of-200-levels", block("C", more=deep), "levels")
case("flows-of-60-levels", nested(60, task()), "levels")
endless = {"kind": "flow", "steps": {}}
endless["steps"]["a"] = endless
case("a-flow-that-holds-itself", flow(a=endless), "holds itself")
wide = [1]
for _ in range(30):
    wide = [wide, wide]
case("more-values-than-there-are", block("C", more=wide), "1,000,000 values")

# -- all at once -------------------------------------------------------------------

case(
    "everything-at-once",
    {
        "engin": "sync",
        **flow(
            a=task(hander=1, retries=-1),
            b=task(after="ghost"),
            c=5,
            d={"kind": "flow", "steps": {"x": task(after=5), "y": task(after="z")}},
        ),
    },
    "engin", "hander", "ghost", "step 'c'", "'x'",
)  # fmt: skip
case(
    "all-names-at-once",
    flow(a={"handler": "ghost1"}, b={"class_name": "ghost2", "after": "a"}, c=task()),
    "ghost1",
    "ghost2",
)

# -- much at once ------------------------------------------------------------------

steps = {f"step_{i}": task(after=f"stap_{i}") for i in range(500)}
case("500-steps-after-nobody", flow(**steps), "stap_499", "did you mean 'step_")
steps = {f"step_{i}": task(afer="a", on_error=f"ghost_{i}") for i in range(500)}
case("500-unknown-fields", flow(**steps), "step_499", "did you mean 'after'")
steps = {"x" * 100_000 + str(i): task(after="y" * 100_000) for i in range(20)}
case("names-of-100000-characters", flow(**steps), "at most 63 characters")
case("a-word-of-a-million", {"kind": "x" * 1_000_000}, "a graph is of kind 'flow'")
