"""The writers of generated code, each alone: what it writes for one place."""

import textwrap

import pytest

from jupyter_graph import Graph
from jupyter_graph.compile.compiled_graph import compile_graph
from jupyter_graph.compile.generator.branch_writer import BranchWriter
from jupyter_graph.compile.generator.code_buffer import CodeBuffer, Position
from jupyter_graph.compile.generator.graph_facts import GraphFacts
from jupyter_graph.compile.generator.handler_writer import HandlerWriter
from jupyter_graph.compile.generator.inlining import Inlining
from jupyter_graph.compile.generator.module_names import TAKEN, Functions, Globals
from jupyter_graph.compile.generator.step_writer import StepWriter
from jupyter_graph.compile.generator.stream_writer import StreamWriter
from jupyter_graph.compile.runtime.prelude import HELPERS


class Gate:
    """Drops what is not positive."""

    may_drop = True

    def do(self, body):
        return body


def same(body):
    return body


async def later(body):
    return body


def items(body):
    yield body


def flow(*steps, **options):
    graph = Graph("g", **options)
    after = "start"
    for name, code, more in steps:
        kind = "class_name" if isinstance(code, type) else "handler"
        graph.add_step(name=name, after=after, **{kind: code}, **more)
        after = name
    return graph


class Parts:
    """What a writer needs, for one graph."""

    def __init__(self, graph):
        compiled = compile_graph(graph)
        self.facts = GraphFacts(compiled.spec, compiled.steps, on_loop=False)
        self.code = CodeBuffer(self.facts)
        self.names = Globals(self.facts.steps)
        self.functions = Functions(self.facts, self.names)
        self.shared = (self.facts, self.code, self.names, self.functions)
        self.steps = StepWriter(*self.shared)

    @property
    def text(self):
        return "\n".join(self.code.text)


def lines(text):
    """The lines of a literal, without the indent of the test."""
    return textwrap.dedent(text).strip()


@pytest.mark.parametrize(
    ("code", "options", "written"),
    [
        pytest.param(same, {}, "body = a(body)", id="body"),
        pytest.param(later, {}, "body = await a(body)", id="coroutine"),
        pytest.param(
            same,
            {"full_event": True},
            "event = same_event(a(event), 'a', event)",
            id="event",
        ),
        pytest.param(
            same,
            {"input_path": "x", "result_path": "y"},
            "body = put_path(body, 'y', a(get_path(body, 'x')))",
            id="paths",
        ),
        pytest.param(
            Gate,
            {},
            "found = a(body)\nif found is NOTHING:\n    return NOTHING\nbody = found",
            id="dropping",
        ),
        pytest.param(items, {}, "items = stream(a(body), 'a')", id="stream"),
    ],
)
def test_a_step_is_written_as_one_call(code, options, written):
    parts = Parts(flow(("a", code, options)))
    parts.steps.write("a", Position(0))

    assert parts.text == written
    assert "a" in parts.code.steps.values()
    assert parts.names.calls == {"a": "a"}


def test_an_error_handler_stands_around_whatever_may_fail():
    graph = flow(("risky", same, {}))
    graph.error_handler("mend", handler=same, step="risky")
    parts = Parts(graph)
    writer = HandlerWriter(*parts.shared, parts.steps, go_on=None)
    writer.guard(
        parts.facts.steps["risky"],
        lambda at: parts.code.line(at, "may_fail()"),
        Position(0),
        falls=True,
    )

    assert parts.text == lines(
        """
        try:
            may_fail()
        except BaseException as error:
            caught(error)
            body = mend(body)
        """
    )


def test_branches_get_a_body_each():
    parts = Parts(flow(("a", same, {})))
    writer = BranchWriter(
        *parts.shared,
        parts.steps,
        Inlining(parts.facts),
        in_line=None,
    )
    writer.call_all("(at_b, at_c)", 2, "a", Position(0, answered=True))

    assert parts.text == lines(
        """
        beside(noted, branches, (at_b, at_c), twins(body, 2))
        return answer
        """
    )


def test_the_items_of_a_stream_go_on_one_by_one():
    parts = Parts(flow(("split", items, {}), ("b", same, {})))
    writer = StreamWriter(*parts.shared, go_on_as_body=None)
    writer.go_on("split", Position(0))

    assert parts.text == lines(
        """
        return each(items, after_split, None, None)
        """
    )
    assert parts.functions.todo == [("after", "split")]


def test_a_function_is_wanted_once_and_has_a_name_of_its_own():
    functions = Parts(
        flow(("a", same, {}), ("a_b", same, {}), ("b", same, {}))
    ).functions
    wanted = [
        functions.want("from", "a", "b"),
        functions.want("from", "a", "b"),
        functions.want("at", "a_b"),
    ]

    assert wanted == ["at_a_b", "at_a_b", "at_a_b_"]
    assert functions.todo == [("from", "a", "b"), ("at", "a_b")]


def test_no_step_takes_the_name_of_a_helper():
    assert set(HELPERS) <= TAKEN
    assert Parts(flow(("each", same, {}))).names.idents == {"each": "each_"}
