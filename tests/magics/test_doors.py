"""The same words make the same document, wherever they are written."""

import pytest

from jupyter_graph import Graph, step
from jupyter_graph.errors import MagicError, SpecError
from jupyter_graph.spec.codec import from_dict, to_dict
from jupyter_graph.spec.mlrun.serving_function import ServingFunction
from jupyter_graph.spec.step_fields import WRITTEN_AS


def a(body):
    return body


def b(body):
    return body


def c(body):
    return body


def h(body):
    return body


class Add:
    def __init__(self, by=1):
        self.by = by

    def plus(self, body):
        return body + self.by


CODE = {"a": a, "b": b, "c": c, "h": h, "Add": Add}
SOURCES = {
    "Add": "class Add:\n    def __init__(self, by=1): self.by = by\n"
    "    def plus(self, body): return body + self.by"
}
SETTINGS = {
    "input_path": "x.y",
    "result_path": "r",
    "timeout": 2.0,
    "retries": 3,
    "backoff": 0.0,
    "blocking": True,
    "concurrency": 4,
    "batch": 5,
    "batch_wait": 6.0,
    "vectorized": True,
}
CASES = {
    "a chain": [("a", {}), ("b", {}), ("c", {})],
    "later steps stay in the function": [("a", {"function": "f1"}), ("b", {})],
    "branches have no one function": [
        ("a", {"function": "f1"}),
        ("b", {"after": "start", "function": "f2"}),
        ("c", {"after": "a,b"}),
    ],
    "a way back": [("a", {}), ("b", {"cycle_to": "a", "max_iterations": 7})],
    "two ways back": [("a", {}), ("b", {}), ("c", {"cycle_to": "a,b"})],
    "in front of a step": [("a", {}), ("c", {}), ("b", {"before": "c"})],
    "in front of a step that is led back to": [
        ("a", {}),
        ("c", {"cycle_to": "a"}),
        ("b", {"before": "a"}),
    ],
    "a handler of a step": [
        ("a", {"function": "f1"}),
        ("b", {}),
        ("h", {"on_error": "a", "before": "b"}),
    ],
    "a handler of the graph": [("a", {}), ("h", {"on_error": "graph"}), ("b", {})],
    "a queue": [
        ("a", {}),
        ("b", {"queue": "q", "path": "memory://q", "function": "w"}),
        ("c", {}),
    ],
    "a queue for two": [
        ("a", {}),
        ("b", {"queue": "q", "function": "w"}),
        ("c", {"queue": "q", "function": "v", "after": "a"}),
    ],
    "a queue in front of a step": [
        ("a", {}),
        ("c", {}),
        ("b", {"queue": "q", "function": "w", "before": "c"}),
    ],
    "every setting": [("a", SETTINGS)],
    "a join": [
        ("a", {}),
        ("b", {"after": "start"}),
        ("c", {"after": "a,b", "join": "all", "join_timeout": 1.5, "missing": "null"}),
    ],
    "a class and its method": [("Add", {"args": {"by": 3}, "handler": "plus"})],
    "a named responder": [("a", {"respond": True}), ("b", {})],
}


def by_magic(run, session, words):
    for name, options in words:
        line = "".join(
            f" --{word.replace('_', '-')}" + ("" if value is True else f" {value}")
            for word, value in options.items()
        )
        source = SOURCES.get(name, f"def {name}(body): return body")
        run(f"%%graph_step {name}{line}\n{source}")
    return session.graph().to_dict()


def several(options):
    return {
        word: value.split(",") if word in ("after", "cycle_to") else value
        for word, value in options.items()
    }


def by_decorator(words):
    graph = Graph("g")
    for name, options in words:
        step(graph, name, **several(options))(CODE[name])
    return graph.to_dict()


def by_methods(words):
    graph = Graph("g")
    for name, options in words:
        said = several(options)
        is_class = isinstance(CODE[name], type)
        call = {"class_name" if is_class else "handler": CODE[name], "name": name}
        call |= {"full_event": False, "class_args": said.pop("args", None)}
        if "handler" in said:
            call["handler"] = said.pop("handler")
        responds, base = said.pop("respond", False), said.pop("on_error", None)
        queue, path = said.pop("queue", None), said.pop("path", None)
        call |= {WRITTEN_AS.get(word, word): value for word, value in said.items()}
        if base:
            graph.error_handler(step=None if base == "graph" else base, **call)
            continue
        if queue and queue not in graph.spec:
            before = graph.spec.step(call["before"]).after if "before" in call else None
            after = call.get("after") or before or "$prev"
            graph.add_step(">>", queue, after=after, path=path)
        elif queue:
            known = graph.spec.step(queue).after
            after = tuple(dict.fromkeys((*known, *call.get("after", ()))))
            graph.change_step(queue, after=after)
        if queue:
            call["after"] = queue
        if queue and "before" in call:
            passed = graph.spec.step(queue).after
            follower = graph.spec.step(call["before"])
            rest = tuple(name for name in follower.after if name not in passed)
            graph.change_step(follower.name, after=rest)
        handle = graph.add_step(**call)
        if responds:
            handle.respond()
    return graph.to_dict()


@pytest.mark.parametrize("words", CASES.values(), ids=CASES)
def test_a_cell_a_decorator_and_the_builder_make_one_document(run, session, words):
    document = by_magic(run, session, words)

    assert by_decorator(words) == document
    assert by_methods(words) == document


@pytest.mark.parametrize(
    "name",
    [
        "a chain",
        "a way back",
        "two ways back",
        "in front of a step",
        "a named responder",
        "a class and its method",
    ],
)
def test_the_dialect_of_mlrun_makes_the_same_document(run, session, name):
    words = [(step, {**options}) for step, options in CASES[name]]
    document = by_magic(run, session, words)
    is_cyclic = any("cycle_to" in options for _, options in words)
    flow = ServingFunction("g").set_topology("flow", allow_cyclic=is_cyclic)
    for step_name, options in words:
        said = several(options)
        is_class = isinstance(CODE[step_name], type)
        code = {"class_name" if is_class else "handler": CODE[step_name].__name__}
        responds, args = said.pop("respond", False), said.pop("args", {})
        said.setdefault("after", "$prev" if "before" not in said else None)
        added = flow.add_step(
            name=step_name, full_event=False, **{**code, **said, **args}
        )
        if responds:
            added.respond()
    written = to_dict(from_dict(flow.to_dict()))
    if name != "a named responder":  # MLRun lets no step answer that is not told to
        for fields in document["steps"].values():
            fields.pop("responder", None)

    assert written["steps"] == document["steps"]
    assert bool(written.get("allow_cyclic")) is is_cyclic


def test_a_step_of_a_router_is_its_route_with_all_its_options(run, session):
    run("%graph new pick --topology router")
    run("%%graph_step one --timeout 2 --retries 3\ndef one(body): return body")

    graph = Graph("pick", topology="router")
    step(graph, "one", timeout=2.0, retries=3)(a)
    fields = graph.to_dict()["routes"]["one"]
    assert {**fields, "handler": "one"} == session.graph().to_dict()["routes"]["one"]


def test_a_document_that_allows_no_cycles_is_refused_at_every_door(run, session):
    run("%%graph_step a\ndef a(body): return body")
    document = session.graph().to_dict()
    run("%graph export g.json")
    run("%graph import g.json")
    refused = r"cannot lead back to 'a': cyclic graphs are not allowed"

    with pytest.raises(MagicError, match="allows no cycles"):
        run("%%graph_step b --cycle-to a\ndef b(body): return body")
    with pytest.raises(SpecError, match=refused):
        step(Graph.from_dict(document), "b", cycle_to="a")(b)
    with pytest.raises(SpecError, match=refused):
        Graph.from_dict(document).add_step(name="b", handler=b, cycle_to="a")
    with pytest.raises(SpecError, match=refused):
        Graph.from_dict(document).cycle_to("a", "a")


def test_a_sync_graph_knows_no_cycles_at_any_door(run):
    run("%graph new g --engine sync")
    run("%%graph_step a\ndef a(body): return body")
    graph = Graph("g", engine="sync")
    graph.to(name="a", handler=a)

    with pytest.raises(MagicError, match="knows no cycles"):
        run("%%graph_step b --cycle-to a\ndef b(body): return body")
    with pytest.raises(SpecError, match="knows no cycles"):
        step(graph, "b", cycle_to="a")(b)
    with pytest.raises(SpecError, match="knows no cycles"):
        graph.cycle_to("a", "a")
    assert graph.spec.names() == ("a",)
