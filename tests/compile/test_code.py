"""What may be a step, how it is called, and which arguments fit it."""

import functools

import pytest

from jupyter_graph import Graph
from jupyter_graph.compile.code import look_at
from jupyter_graph.compile.plan import compile_graph
from jupyter_graph.errors import SpecError
from jupyter_graph.spec.model import StepSpec


class Scales:
    """Gives a number times another, plus an offset."""

    def __init__(self, by, *, offset=0):
        self.by, self.offset = by, offset

    def do(self, x):
        return x * self.by + self.offset


class TakesAll:
    def __init__(self, context=None, name=None, **options):
        self.name, self.options = name, options

    def do(self, x):
        return self.name, self.options


class Callable:
    def __call__(self, x):
        return [x]


class WithMethods:
    @staticmethod
    def static(x):
        return x + 1

    @classmethod
    def of_class(cls, x):
        return x + 2

    def plain(self, x, factor=3):
        return x * factor

    @property
    def no_method(self):
        return 5


class Slots:
    __slots__ = ("count",)

    def __init__(self):
        self.count = 0

    def do(self, x):
        self.count += 1
        return self.count


def decorated(function):
    @functools.wraps(function)
    def wrapper(*args, **options):
        return function(*args, **options)

    return wrapper


@decorated
def wrapped(x):
    return x + 1


def with_default(x, factor=2):
    return x * factor


def of_any(*args):
    return args


def keywords(x, **options):
    return x, options


@pytest.mark.parametrize(
    ("step", "args", "found"),
    [
        pytest.param(with_default, {}, 6, id="default"),
        pytest.param(with_default, {"factor": 4}, 12, id="argument"),
        pytest.param(of_any, {}, (3,), id="star"),
        pytest.param(keywords, {"a": 1}, (3, {"a": 1}), id="double-star"),
        pytest.param(wrapped, {}, 4, id="decorated"),
        pytest.param(abs, {}, 3, id="builtin"),
        pytest.param(Scales, {"by": 2}, 6, id="class"),
        pytest.param(Scales, {"by": 2, "offset": 1}, 7, id="keyword-only"),
        pytest.param(TakesAll, {"a": 1}, ("it", {"a": 1}), id="all-arguments"),
        pytest.param(Slots, {}, 1, id="slots"),
    ],
)
def test_functions_and_classes_are_steps(run_step, step, args, found):
    assert run_step(step, [3], **args) == [found]


@pytest.mark.parametrize(
    ("method", "found"), [("static", 4), ("of_class", 5), ("plain", 9)]
)
def test_a_method_may_be_named(run_graph, method, found):
    graph = Graph("g")
    graph.to(WithMethods, "a", method)

    assert run_graph(graph, [3]) == [found]


def test_a_callable_class_is_a_step_by_its_call(run_graph):
    graph = Graph("g")
    graph.to(Callable, "a", "__call__")

    assert run_graph(graph, [3]) == [[3]]


def test_a_bound_method_is_a_step(run_graph):
    graph = Graph("g")
    graph.to(name="a", handler=Scales(3).do)

    assert run_graph(graph, [3]) == [9]


def test_do_event_comes_before_do(run_step):
    class Both:
        def do(self, x):
            return "do"

        def do_event(self, event):
            event.body = "do_event"
            return event

    assert run_step(Both, [1]) == ["do_event"]


class NoDo:
    def run(self, x):
        return x


class Context:
    def select_outlets(self, body):
        return []


def nothing():
    return 1


def keyword_only(*, x):
    return x


def two(x, y):
    return x


class DoNothing:
    def do(self):
        return 1


class DoTwo:
    def do(self, x, y):
        return x


class AsyncChoice:
    async def select_outlets(self, body):
        return []


REFUSED = [
    (nothing, {}, "nothing() takes no argument; a step takes the body as its first"),
    (keyword_only, {}, "keyword_only() takes no argument"),
    (two, {}, "two() needs y besides the body; give them defaults"),
    (with_default, {"facotr": 2}, "takes no argument 'facotr'; did you mean 'factor'?"),
    (with_default, {"x": 2}, "takes no argument 'x' (it takes: factor)"),
    (wrapped, {"a": 2}, "takes no argument 'a' (it takes: none)"),
    (NoDo, {}, "class 'NoDo' has no method 'do'; add do(self, body)"),
    (int, {}, "class 'int' has no method 'do'"),
    (DoNothing, {}, "DoNothing.do() takes no argument"),
    (DoTwo, {}, "DoTwo.do() needs y besides the body"),
    (Scales, {}, "'Scales' needs the argument 'by'"),
    (Scales, {"by": 1, "offest": 2}, "no argument 'offest'; did you mean 'offset'?"),
    (Scales, {"of": 1}, "'Scales' takes no argument 'of'"),
    (AsyncChoice, {}, "select_outlets must be a plain function"),
]


@pytest.mark.parametrize(
    ("step", "args", "said"), REFUSED, ids=[said[:40] for _, _, said in REFUSED]
)
def test_what_cannot_be_a_step_is_refused_before_anything_is_built(step, args, said):
    kind = "class_name" if isinstance(step, type) else "handler"
    graph = Graph("g")
    graph.to(name="it", **{kind: step}, class_args=args)

    with pytest.raises(SpecError, match="step 'it'") as caught:
        compile_graph(graph)

    assert said in str(caught.value)


def test_all_arguments_that_do_not_fit_are_told_at_once():
    graph = Graph("g")
    graph.to(Scales, "a", offest=1).to(name="b", handler=nothing)

    with pytest.raises(SpecError) as caught:
        compile_graph(graph)

    assert len(caught.value.problems) == 3
    assert "invalid graph 'g'" in str(caught.value)


@pytest.mark.parametrize(
    ("method", "said"),
    [
        ("plian", "has no method 'plian'; did you mean 'plain'?"),
        ("no_method", "has no method 'no_method'"),
        ("__init__", "has no method '__init__'"),
        ("__class__", "has no method '__class__'"),
    ],
)
def test_a_method_that_is_none_is_refused(method, said):
    graph = Graph("g")
    graph.to(WithMethods, "a", method)

    with pytest.raises(SpecError) as caught:
        compile_graph(graph)

    assert said in str(caught.value)


@pytest.mark.parametrize("value", [5, "text", None, [1]])
def test_what_cannot_be_called_is_no_step(value):
    with pytest.raises(SpecError, match="a function or a class is needed"):
        look_at(StepSpec(name="a", handler="value"), value)


def test_a_constructor_is_not_called_by_compiling():
    class Explodes:
        def __init__(self):
            raise SystemExit("built")

        def do(self, x):
            return x

    graph = Graph("g")
    graph.to(Explodes, "a")

    assert compile_graph(graph).spec.names() == ("a",)


@pytest.mark.parametrize(
    ("step", "is_async", "is_stream"),
    [
        pytest.param(lambda x: x, False, False, id="function"),
        pytest.param(
            functools.partial(with_default, factor=2), False, False, id="part"
        ),
    ],
)
def test_the_nature_of_a_plain_step(step, is_async, is_stream):
    code = look_at(StepSpec(name="a", handler="f"), step)

    assert (code.is_async, code.is_stream) == (is_async, is_stream)


async def coroutine(x):
    return x


def generator(x):
    yield x


async def async_generator(x):
    yield x


@pytest.mark.parametrize(
    ("step", "is_async", "is_stream"),
    [
        (coroutine, True, False),
        (generator, False, True),
        (async_generator, True, True),
        (functools.partial(coroutine), True, False),
    ],
)
def test_the_nature_of_coroutines_and_generators(step, is_async, is_stream):
    code = look_at(StepSpec(name="a", handler="f"), step)

    assert (code.is_async, code.is_stream) == (is_async, is_stream)
