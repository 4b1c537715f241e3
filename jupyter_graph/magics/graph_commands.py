"""The subcommands of ``%graph``: words → options → one call → a value."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from jupyter_graph.errors import MagicError, did_you_mean
from jupyter_graph.magics.display import FORMATS, Code, Note, Picture
from jupyter_graph.magics.step_arguments import ARGUMENTS_OF_STEPS, read_step
from jupyter_graph.magics.subcommand import Command, Request
from jupyter_graph.magics.views import Views
from jupyter_graph.session.adding import QUEUE, ROUTER, add_block, add_model
from jupyter_graph.session.findings.stale_steps import stale_steps
from jupyter_graph.session.session import AS_RECORDED
from jupyter_graph.session.shown_table import Table
from jupyter_graph.session.step_cells import remove_step, rename_step
from jupyter_graph.session.step_options import StepOptions
from jupyter_graph.spec.builder import Graph

OF_NEW = (
    "topology", "engine", "max_in_flight", "order_by", "allow_cyclic", "max_iterations"
)  # fmt: skip
"""What ``%graph new`` takes: options of ``Graph``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphRequest(Request):
    """What was typed after ``%graph``, and the live pictures."""

    views: Views

    @property
    def graph(self) -> Graph:
        return self.session.graph(self.options.graph)

    def step(self, name: str) -> StepOptions:
        """Return what is typed about a step."""
        names = self.session.user_ns
        return read_step(name, self.options, names, magic=self.magic)


def show(request: GraphRequest) -> Any:
    return request.views.show(request.graph)


def new(request: GraphRequest) -> Note:
    [name], options, graphs = request.words, request.options, request.session.graphs
    old = len(graphs.named(name).spec.every_step()) if name in graphs else 0
    with graphs.change(f"%graph new {name}"):
        graphs.new(name, **{word: getattr(options, word) for word in OF_NEW})
    request.session.changed(name)
    gone = f"; {old} steps of the one before are gone (%graph undo)" if old else ""
    return Note(f"graph {name!r} is new and the current one{gone}")


def use(request: GraphRequest) -> Note:
    graph = request.session.graphs.use(request.words[0])
    return Note(f"the current graph is {graph.name!r}")


def list_graphs(request: GraphRequest) -> Table[Graph]:
    graphs = request.session.graphs
    columns: dict[str, Callable[[Graph], Any]] = {
        "current": lambda graph: "*" if graph.name == graphs.current_name else "",
        "graph": lambda graph: graph.name,
        "topology": lambda graph: graph.spec.topology,
        "steps": lambda graph: ", ".join(graph.spec.names()),
        "events": lambda graph: len(request.session.events(graph.name)),
    }
    return Table(graphs, columns, empty="no graph yet: %graph new NAME")


def add(request: GraphRequest) -> Any:
    kind, *name = request.words
    if not name and (
        kind in (ROUTER, QUEUE) or not kind.replace(".", "_").isidentifier()
    ):
        raise MagicError(f"usage: {request.magic} {kind} NAME; say the step's name")
    own = kind.rpartition(".")[2]
    return add_block(request.session, kind, request.step(*name or [own]))


def model(request: GraphRequest) -> Any:
    [name], options = request.words, request.options
    if not options.class_name:
        raise MagicError("%graph model needs --class C: the model's class")
    step = request.step(name)
    return add_model(request.session, options.class_name, options.model_path, step)


def run(request: GraphRequest) -> Any:
    options = request.options
    body = request.body()
    call = {**request.call, "graph": options.graph, "until": options.until}
    if not options.each:
        return request.session.run(body, **call)
    if isinstance(body, str | bytes | dict) or not isinstance(body, Iterable):
        raise MagicError(
            f"--each sends each item of a list, got {type(body).__name__}: "
            f"{request.expression}"
        )
    return request.session.run_each(body, **call)


def events(request: GraphRequest) -> Any:
    session, options = request.session, request.options
    if options.save is None and options.load is None:
        return session.events(options.graph)
    if options.save is not None and options.load is not None:
        raise MagicError("%graph events takes --save or --load, not both")
    ring, graph = session.event_ring, session.graphs.named(options.graph).name
    path = session.path(options.load if options.save is None else options.save)
    if options.save is None:
        count = ring.load(graph, path)
        session.changed(graph)
        return Note(f"graph {graph!r} has {count} more events, from {path}")
    try:
        count = ring.save(graph, path, _effects(request))
    except OSError as error:
        raise MagicError(f"cannot write {str(path)!r}: {error}") from None
    return Note(f"{count} events of graph {graph!r} are in {path}")


def _effects(request: GraphRequest) -> frozenset[str]:
    """Return the steps with effects outside, whose outputs are kept with events."""
    from jupyter_graph.compile.effect_steps import effect_steps

    graph = request.graph
    return effect_steps(graph.spec, request.session.names_for(graph))


def test(request: GraphRequest) -> Note:
    from jupyter_graph.session.recorded.event_tests import add_test

    record = _record(request, request.words[0] if request.words else "last")
    try:
        effects = _effects(request)
        recorded = record.recorded(effects)
        added = add_test(request.session, request.graph, recorded)
    except OSError as error:
        raise MagicError(f"the test cannot be written: {error}") from None
    return Note(str(added))


def trace(request: GraphRequest) -> Any:
    record = _record(request, request.words[0] if request.words else "last")
    if record.answer is None or record.answer.trace is None:
        raise MagicError(
            f"the trace of event {record.event_id} is not kept any more; "
            f"send it again: %graph replay {record.event_id}"
        )
    return record.answer.trace


def replay(request: GraphRequest) -> Any:
    options = request.options
    body = AS_RECORDED
    if options.with_body is not None:
        body = request.evaluate(options.with_body, "--with")
    return request.session.replay(
        _record(request, request.words[0]).event_id,
        options.from_step,
        body,
        graph=options.graph,
        silent=options.silent,
        effects=options.effects,
    )


def _record(request: GraphRequest, word: str) -> Any:
    if word.startswith("$"):
        value = request.evaluate(word, "ID")
        word = str(getattr(value, "event_id", value))
    return request.session.event_ring.find(request.graph.name, word)


def check(request: GraphRequest) -> Any:
    return request.session.check(request.options.graph)


def code(request: GraphRequest) -> Code:
    session, name = request.session, request.options.graph
    if request.options.compiled:
        from jupyter_graph.frontend.openai.client_parameters import compile_for_clients

        if request.words:
            raise MagicError("--compiled shows the whole graph; leave STEP out")
        compiled, _ = compile_for_clients(request.graph)
        return Code(compiled.source)
    if request.words:
        return Code(session.code_of(request.words[0], name))
    return Code(session.program(name))


def remove(request: GraphRequest) -> Note:
    [name], graph = request.words, request.graph
    with request.session.graphs.change(f"%graph remove {name}"):
        remove_step(request.session.graphs, graph, name)
    request.session.changed(graph.name)
    return Note(f"step {name!r} is gone from graph {graph.name!r} (%graph undo)")


def rename(request: GraphRequest) -> Note:
    (old, new_name), graph = request.words, request.graph
    with request.session.graphs.change(f"%graph rename {old} {new_name}"):
        rename_step(request.session.graphs, graph, old, new_name)
    request.session.changed(graph.name)
    return Note(f"step {old!r} of graph {graph.name!r} is now {new_name!r}")


def undo(request: GraphRequest) -> Note:
    session = request.session
    note = session.graphs.undo()
    for name in session.graphs.names():
        session.changed(name)
    stale = [f"note: {hint}" for hint in stale_steps(session)]
    return Note("\n".join([f"taken back: {note}", *stale]))


def plot(request: GraphRequest) -> Any:
    wanted = request.options.format
    if wanted is None:
        from jupyter_graph.picture.plot import plot as digraph

        return digraph(request.graph)
    if wanted not in FORMATS:
        raise MagicError(
            f"--format is one of {', '.join(FORMATS)}, got {wanted!r}"
            f"{did_you_mean(wanted, FORMATS)}"
        )
    return Picture.of(request.graph.spec, wanted)


def export(request: GraphRequest) -> Note:
    from jupyter_graph.spec.codec import save_graph

    path = request.session.path(request.words[0])
    try:
        save_graph(request.graph, path)
    except OSError as error:
        raise MagicError(f"cannot write {str(path)!r}: {error}") from None
    return Note(f"graph {request.graph.name!r} is in {path}")


def import_(request: GraphRequest) -> Note:
    path = request.session.path(request.words[0])
    graph = request.session.import_graph(path, request.options.allow or ())
    count = len(graph.spec.every_step())
    return Note(f"graph {graph.name!r} with {count} steps is the current one")


def reset(request: GraphRequest) -> Note:
    names = request.session.graphs.names()
    request.session.reset()
    request.views.close()
    return Note(f"forgotten: {', '.join(names) or 'there was no graph'}")


_G = frozenset({"--graph"})
COMMANDS: dict[str, Command] = {
    "show": Command(show, "", _G),
    "new": Command(
        new,
        "NAME",
        frozenset(f"--{word.replace('_', '-')}" for word in OF_NEW),
    ),
    "use": Command(use, "NAME"),
    "list": Command(list_graphs),
    "add": Command(add, "CLASS_OR_KIND_OR_GRAPH [NAME]", ARGUMENTS_OF_STEPS),
    "model": Command(
        model,
        "NAME",
        _G | {"--class", "--model-path", "--router", "--args", "--arg"},
    ),
    "run": Command(
        run,
        "EXPR",
        _G | {"--path", "--method", "--header", "--until", "--silent", "--each"},
        takes_expression=True,
    ),
    "events": Command(events, "", _G | {"--save", "--load"}),
    "test": Command(test, "[ID]", _G),
    "trace": Command(trace, "[ID]", _G),
    "replay": Command(replay, "ID", _G | {"--from", "--with", "--silent", "--effects"}),
    "check": Command(check, "", _G),
    "code": Command(code, "[STEP]", _G | {"--compiled"}),
    "remove": Command(remove, "STEP", _G),
    "rename": Command(rename, "A B", _G),
    "undo": Command(undo),
    "plot": Command(plot, "", _G | {"--format"}),
    "export": Command(export, "FILE", _G),
    "import": Command(import_, "FILE", frozenset({"--allow"})),
    "reset": Command(reset),
}
