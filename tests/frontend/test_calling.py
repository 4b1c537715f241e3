"""Functions and methods that take parameters as keywords."""

import functools

import pytest

from jupyter_graph import Graph
from jupyter_graph.errors import BadRequestError
from jupyter_graph.frontend.call_parameters import with_parameters
from jupyter_graph.frontend.endpoint_adapters import EndpointAdapters
from jupyter_graph.frontend.parameters import MappedBody
from jupyter_graph.run.runner import Runner

ASKED = MappedBody({"name": "ann"}, "hello")


def greet(body, name="you"):
    return f"{body} {name}"


async def greet_later(body, name="you"):
    return f"{body} {name}"


def greet_twice(body, name="you"):
    yield body
    yield name


async def greet_twice_later(body, name="you"):
    yield body
    yield name


@functools.wraps(greet_later)
def wrapped(*args, **options):
    return greet_later(*args, **options)


class Greeter:
    def __init__(self, mark="!"):
        self.mark = mark

    def do(self, body, name="you"):
        return f"{body} {name}{self.mark}"

    @staticmethod
    def alone(body, name="you"):
        return f"{body} {name}"

    @classmethod
    def of_class(cls, body, name="you"):
        return f"{body} {name} {cls.__name__}"

    def __call__(self, body, name="you"):
        return self.do(body, name)


def graph_of(code, **options):
    graph = Graph("api")
    kind = "class_name" if isinstance(code, type) else "handler"
    graph.to(name="it", **{kind: code}, **options).respond()
    return graph


def answers(code, *bodies, **options):
    with Runner(EndpointAdapters().compile(graph_of(code, **options))) as runner:
        found = [runner.run(body) for body in bodies]
        return [one if isinstance(one, str) else list(one) for one in found]


@pytest.mark.parametrize(
    ("code", "given"),
    [
        pytest.param(greet, ["hello ann", "hi you"], id="function"),
        pytest.param(greet_later, ["hello ann", "hi you"], id="coroutine"),
        pytest.param(wrapped, ["hello ann", "hi you"], id="wrapped-coroutine"),
        pytest.param(greet_twice, [["hello", "ann"], ["hi", "you"]], id="generator"),
        pytest.param(
            greet_twice_later, [["hello", "ann"], ["hi", "you"]], id="async-generator"
        ),
        pytest.param(Greeter, ["hello ann!", "hi you!"], id="class"),
    ],
)
def test_a_step_gets_the_original_body_and_the_parameters(code, given):
    assert answers(code, ASKED, "hi") == given


@pytest.mark.parametrize(
    ("method", "given"),
    [
        pytest.param("alone", "hello ann", id="static"),
        pytest.param("of_class", "hello ann Greeter", id="class"),
    ],
)
def test_every_kind_of_method_gets_the_parameters(method, given):
    graph = Graph("api")
    graph.to(name="it", class_name=Greeter, handler=method).respond()

    with Runner(EndpointAdapters().compile(graph)) as runner:
        assert runner.run(ASKED) == given


@pytest.mark.parametrize(
    "code",
    [
        pytest.param(functools.partial(greet), id="partial"),
        pytest.param(Greeter(""), id="object"),
    ],
)
def test_other_callables_get_the_parameters_too(code):
    assert with_parameters(code)(ASKED) == "hello ann"


def test_a_handler_may_need_parameters():
    def needs(body, name, *, mark):
        return f"{body} {name}{mark}"

    asked = MappedBody({"name": "ann", "mark": "!"}, "hello")

    assert answers(needs, asked) == ["hello ann!"]


def test_a_parameter_that_a_handler_needs_is_asked_of_the_caller():
    def needs(body, name, mark):
        return body

    with pytest.raises(BadRequestError, match=r"needs\(\) needs the parameter 'mark'"):
        with_parameters(needs)(ASKED)


def test_a_query_that_a_handler_does_not_take_is_the_callers_fault():
    asked = MappedBody({"nme": "ann"}, "hello", frozenset({"nme"}))

    with pytest.raises(BadRequestError, match="unexpected keyword argument 'nme'"):
        with_parameters(greet)(asked)


def test_a_parameter_of_the_endpoint_that_no_handler_takes_fails_the_step():
    with pytest.raises(TypeError, match="unexpected keyword argument 'id'"):
        with_parameters(greet)(MappedBody({"id": "7"}, "hello"))


def test_a_lenient_body_gives_a_function_what_it_names():
    asked = MappedBody({"name": "ann", "temperature": 1}, "hello")
    asked.is_lenient = True

    assert with_parameters(greet)(asked) == "hello ann"


def test_a_caller_cannot_overwrite_what_the_graph_sets():
    def scale(body, factor=1):
        return factor

    graph = graph_of(scale, class_args={"factor": 3})
    with Runner(EndpointAdapters().compile(graph)) as runner:
        answer = runner.answer(MappedBody({"factor": 9}, 1), silent=True)

    assert answer.status_code == 400
    assert "multiple values for keyword argument 'factor'" in answer.body["detail"]


def test_a_handler_gets_context_and_parameters():
    def tell(body, context, name):
        return f"{name} {context.get_param('place')}"

    with Runner(
        EndpointAdapters().compile(graph_of(tell)), parameters={"place": "x"}
    ) as runner:
        assert runner.run(ASKED) == "ann x"


def test_a_block_sees_the_parameters_as_the_body():
    graph = Graph("api")
    choose = {"field_name": "name"}
    first = graph.to(class_name="ChoiceByField", name="choose", class_args=choose)
    first.to(name="ann", handler=greet).respond()
    first.to(name="bob", handler=len)

    with Runner(EndpointAdapters().compile(graph)) as runner:
        assert runner.run(MappedBody({"name": "ann"}, "hello")) == "hello ann"


def test_a_step_that_takes_the_event_sees_the_parameters_in_its_body():
    def look(event):
        event.body = [event.body["name"], event.body.original_body]
        return event

    graph = graph_of(look, full_event=True)
    with Runner(EndpointAdapters().compile(graph)) as runner:
        assert runner.run(ASKED) == ["ann", "hello"]


def test_every_first_step_gets_the_parameters():
    seen = []

    def note(body, name):
        seen.append((body, name))

    graph = Graph("api")
    graph.to(name="answer", handler=greet).respond()
    graph.to(name="note", handler=note)

    with Runner(EndpointAdapters().compile(graph)) as runner:
        assert runner.run(ASKED) == "hello ann"
    assert seen == [("hello", "ann")]


def test_a_document_gets_no_further_than_without_a_front():
    document = {"steps": {"it": {"handler": "os.system", "responder": True}}}

    with pytest.raises(ValueError, match=r"os\.system"):
        EndpointAdapters().compile(Graph.from_dict(document, {}))


def test_modules_that_a_graph_allows_are_allowed_behind_a_front_too():
    graph = Graph("allowing")
    graph.allow_imports = ("statistics",)
    graph.to(name="mean", class_name="Map", _fn="statistics.mean")

    with Runner(EndpointAdapters().compile(graph)) as runner:
        assert runner.run([1, 2]) == 1.5


def test_a_swap_keeps_the_steps_whose_code_is_the_same():
    twins = EndpointAdapters()
    first = twins.compile(graph_of(Greeter)).steps["it"].code

    assert twins.compile(graph_of(Greeter)).steps["it"].code is first
