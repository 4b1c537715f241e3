"""What may be a step: every kind of callable, and every way to get it wrong."""

import asyncio
import functools
import inspect

import pytest

from jupyter_graph import Graph
from jupyter_graph.compile.compiled_graph import compile_graph
from jupyter_graph.compile.inspect_step import inspect_step
from jupyter_graph.errors import SpecError
from jupyter_graph.spec.model import StepSpec
from jupyter_graph.steps import load_block
from jupyter_graph.steps.block_table import OURS

ARGS = "class_args"


# -- callables that are steps -----------------------------------------------------


def double(body):
    return body * 2


def with_more(body, more=1, *rest, key=None, **others):
    return [body, more, rest, key, others]


def anything(*bodies):
    return list(bodies)


def only_positional(body, /):
    return body * 2


def items(body):
    yield body
    yield body * 2


async def later(body):
    return body * 2


async def items_later(body):
    yield body
    yield body * 2


def timed(function):
    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        return function(*args, **kwargs)

    return wrapper


def awaited(function):
    @functools.wraps(function)
    async def wrapper(*args, **kwargs):
        return await function(*args, **kwargs)

    return wrapper


def add(number, body):
    return body + number


class Do:
    def do(self, body):
        return body * 2


class DoEvent:
    def do_event(self, event):
        event.body = event.body * 2
        return event

    def do(self, body):
        raise AssertionError


class DoLater:
    async def do(self, body):
        return body * 2


class DoItems:
    def do(self, body):
        yield body
        yield body * 2


class Slots:
    __slots__ = ("count",)

    def __init__(self):
        self.count = 0

    def do(self, body):
        self.count += 1
        return body * 2


class Explodes:
    def __init__(self):
        raise SystemExit("built")

    def do(self, body):
        return body


class Callable:
    def __call__(self, body):
        return body * 2

    def method(self, body):
        return body * 2

    @property
    def no_method(self):
        return 5

    @staticmethod
    def static(body):
        return body * 2

    @classmethod
    def of_class(cls, body):
        return [cls.__name__, body]

    async def later(self, body):
        return body * 2


CALLABLES = [
    pytest.param(double, 8, id="function"),
    pytest.param(lambda body: body * 2, 8, id="lambda"),
    pytest.param(with_more, [4, 1, (), None, {}], id="defaults"),
    pytest.param(anything, [4], id="star-args"),
    pytest.param(only_positional, 8, id="positional-only"),
    pytest.param(later, 8, id="coroutine"),
    pytest.param(timed(double), 8, id="decorated"),
    pytest.param(awaited(later), 8, id="decorated-coroutine"),
    pytest.param(functools.partial(add, 10), 14, id="partial"),
    pytest.param(functools.partial(with_more, more=5), [4, 5, (), None, {}], id="kw"),
    pytest.param(functools.partial(later), 8, id="partial-coroutine"),
    pytest.param(
        functools.partial(functools.partial(later)), 8, id="partial-of-partial"
    ),
    pytest.param(functools.cache(double), 8, id="cached"),
    pytest.param(Callable(), 8, id="callable-instance"),
    pytest.param(Callable().method, 8, id="bound-method"),
    pytest.param(Callable().later, 8, id="bound-coroutine"),
    pytest.param(Callable.static, 8, id="static-method"),
    pytest.param(Callable.of_class, ["Callable", 4], id="class-method"),
    pytest.param(abs, 4, id="builtin"),
    pytest.param("{}".format, "4", id="builtin-method"),
]


@pytest.fixture
def run_code(open_runner):
    """Run bodies through one step of any code; give the answers."""

    def run(code, *bodies, **fields):
        graph = Graph("one")
        kind = "class_name" if isinstance(code, type) else "handler"
        graph.put_step(StepSpec(name="it", responder=True, **{kind: "it"}, **fields))
        graph.namespace["it"] = code
        runner = open_runner(graph)
        return [runner.run(body) for body in bodies]

    return run


@pytest.mark.parametrize(("code", "answer"), CALLABLES)
def test_every_kind_of_callable_is_a_step(run_code, code, answer):
    assert run_code(code, 4) == [answer]


@pytest.mark.parametrize("code", [items, items_later, DoItems])
def test_generators_give_their_items(run_code, code):
    [stream] = run_code(code, 4)

    assert list(stream) == [4, 8]


@pytest.mark.parametrize("code", [Do, DoEvent, DoLater, Slots])
def test_classes_are_built_and_their_do_is_called(run_code, code):
    assert run_code(code, 4, 5) == [8, 10]


@pytest.mark.parametrize(
    ("handler", "answer"),
    [
        ("method", 8), ("static", 8), ("of_class", ["Callable", 4]), ("later", 8),
        ("__call__", 8),
    ],
)  # fmt: skip
def test_a_handler_names_any_method_of_a_class(run_code, handler, answer):
    assert run_code(Callable, 4, handler=handler) == [answer]


@pytest.mark.parametrize(
    ("code", "is_async", "is_stream"),
    [
        (double, False, False),
        (later, True, False),
        (items, False, True),
        (items_later, True, True),
        (functools.partial(items_later), True, True),
        (timed(double), False, False),
        (awaited(later), True, False),
        (Callable().later, True, False),
        (DoLater, True, False),
        (DoItems, False, True),
    ],
)
def test_the_nature_of_code_is_seen_before_it_runs(code, is_async, is_stream):
    found = inspect_step(StepSpec(name="a", handler=None), code)

    assert (found.is_async, found.is_stream) == (is_async, is_stream)


def test_a_constructor_is_not_called_by_compiling():
    graph = Graph("g")
    graph.to(Explodes, "a")

    assert compile_graph(graph).spec.names() == ("a",)


# -- what is injected -------------------------------------------------------------


class Asks:
    def __init__(self, context, name, factor=1):
        self.found = [name, context.get_param("p"), factor]

    def do(self, body):
        return self.found


class AsksForAll:
    def __init__(self, **kwargs):
        self.found = sorted(kwargs)

    def do(self, body):
        return self.found


class HasAName:
    def __init__(self, name="own"):
        self.name = name

    def do(self, body):
        return self.name


def asks(body, context):
    return [body, context.name, context.get_param("p")]


ALL = [
    "context", "full_event", "graph_step", "input_path", "name", "result_path", "x",
]  # fmt: skip


@pytest.mark.parametrize(
    ("code", "args", "answer"),
    [
        pytest.param(Asks, {"factor": 3}, ["it", "P", 3], id="constructor"),
        pytest.param(AsksForAll, {"x": 1}, ALL, id="kwargs"),
        pytest.param(HasAName, {}, "it", id="name-with-default"),
        pytest.param(HasAName, {"name": "mine"}, "mine", id="given-name-wins"),
        pytest.param(asks, {}, [4, "it", "P"], id="function"),
    ],
)
def test_name_and_context_are_given_to_those_who_ask(open_runner, code, args, answer):
    graph = Graph("one")
    kind = "class_name" if isinstance(code, type) else "handler"
    graph.to(name="it", **{kind: code}, class_args=args).respond()

    assert open_runner(graph, parameters={"p": "P"}).run(4) == answer


def test_a_function_takes_arguments_too(run_code):
    assert run_code(with_more, 4, class_args={"more": 2, "x": 3}) == [
        [4, 2, (), None, {"x": 3}]
    ]


# -- what is refused --------------------------------------------------------------


def nothing():
    return 1


def only_key(*, key=None):
    return key


def two(body, second):
    return second


def key_needed(body, *, key):
    return key


def strict(body, limit=1):
    return limit


class Empty:
    pass


class NoBody:
    def do(self):
        return 1


class Two:
    def do(self, body, second):
        return second


class Needs:
    def __init__(self, limit, unit):
        pass

    def do(self, body):
        return body


class Takes:
    def __init__(self, limit=1, *, unit="s"):
        pass

    def do(self, body):
        return body


class PicksLater:
    async def select_outlets(self, body):
        return body


class StaticNothing:
    @staticmethod
    def do():
        return 1


REFUSED = [
    (nothing, {}, "'it'() takes no argument; a step takes the body as its first"),
    (only_key, {}, "takes no argument"),
    (two, {}, "it() needs second besides the body; give them defaults"),
    (key_needed, {}, "it() needs key besides the body"),
    (
        strict,
        {ARGS: {"limt": 5}},
        "'it' takes no argument 'limt'; did you mean 'limit'? (it takes: limit)",
    ),
    (double, {ARGS: {"x": 5}}, "'it' takes no argument 'x' (it takes: none)"),
    (double, {ARGS: {"body": 5}}, "takes no argument 'body'"),
    (Empty, {}, "class 'Empty' has no method 'do'; add do(self, body), or name anothe"),
    (Do, {"handler": "run"}, "class 'Do' has no method 'run'"),
    (Callable, {"handler": "metod"}, "no method 'metod'; did you mean 'method'?"),
    (Callable, {"handler": "no_method"}, "has no method 'no_method'"),
    (Callable, {"handler": "__class__"}, "has no method '__class__'"),
    (int, {}, "class 'int' has no method 'do'"),
    (NoBody, {}, "NoBody.do() takes no argument"),
    (StaticNothing, {}, "StaticNothing.do() takes no argument"),
    (Two, {}, "Two.do() needs second besides the body"),
    (Needs, {}, "'it' needs the arguments 'limit', 'unit'"),
    (Needs, {ARGS: {"limit": 1}}, "'it' needs the argument 'unit'"),
    (
        Takes,
        {ARGS: {"limits": 1}},
        "takes no argument 'limits'; did you mean 'limit'? (it takes: limit, unit)",
    ),
    (Takes, {ARGS: {"self": 1}}, "takes no argument 'self'"),
    (PicksLater, {}, "PicksLater.select_outlets must be a plain function"),
    (5, {}, "'it' is an int; a function or a class is needed"),
    ("text", {}, "'it' is a str; a function or a class is needed"),
    (items, {"timeout_s": 1.0}, "is a generator, which takes no timeout_s"),
    (items, {"retries": 1}, "is a generator, which takes no retries"),
    (items_later, {"blocking": True}, "is a generator, which takes no blocking"),
    (later, {"blocking": True}, "is a coroutine, which takes no blocking"),
]


@pytest.mark.parametrize("code", [dict, Do])
def test_a_class_that_is_given_as_handler_is_told_where_it_belongs(open_runner, code):
    graph = Graph("one")
    graph.to(name="it", handler=code)

    with pytest.raises(SpecError, match=f"handler '{code.__name__}' is a class; give"):
        open_runner(graph)


@pytest.mark.parametrize(("code", "fields", "message"), REFUSED)
def test_code_that_cannot_be_a_step_is_refused(run_code, code, fields, message):
    with pytest.raises(SpecError) as refused:
        run_code(code, 4, **fields)

    assert str(refused.value).startswith("step 'it'")
    assert message.replace("'it'()", "it()") in str(refused.value)


def test_all_wrong_arguments_are_listed_at_once(run_code):
    with pytest.raises(SpecError) as refused:
        run_code(Needs, 4, class_args={"limt": 1, "unti": 2})

    assert len(refused.value.problems) == 3


def test_all_steps_that_do_not_fit_are_listed_at_once(open_runner):
    graph = Graph("g")
    graph.to(name="a", handler=nothing).to(Empty, name="b").to(Do, name="c", x=1)

    with pytest.raises(SpecError) as refused:
        open_runner(graph)
    assert [problem[:8] for problem in refused.value.problems] == [
        "step 'a'", "step 'b'", "step 'c'",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("class_name", "args", "message"),
    [
        ("storey.Map", {}, "needs the argument 'fn'"),
        (
            "storey.Map",
            {"fn": double, "lng_running": True},
            "no argument 'lng_running'",
        ),
        ("storey.Batch", {"max_event": 3}, "did you mean 'max_events'?"),
    ],
)
def test_arguments_of_storeys_steps_are_checked(open_runner, class_name, args, message):
    graph = Graph("g")
    graph.to(class_name, name="it", class_args=args).respond()

    with pytest.raises(SpecError, match="step 'it'") as refused:
        open_runner(graph)
    assert message in str(refused.value)


@pytest.mark.parametrize(
    ("name", "method"),
    [("Map", ""), ("Filter", ""), ("MapClass", "do_event"), ("Choice", "")],
)
def test_mlruns_sync_engine_finds_nothing_to_call_in_most_steps_of_storey(name, method):
    storey = pytest.importorskip("storey")
    arguments = {"fn": len} if name in ("Map", "Filter") else {}
    found = inspect_step(
        StepSpec(name="s", class_args=arguments),
        getattr(storey, name),
        arguments,
        engine="sync",
    )

    assert (found.method, found.is_storey) == (method, name in ("MapClass", "Choice"))


@pytest.mark.parametrize(
    "block", sorted(b for row in OURS.values() for b in row.split())
)
def test_a_block_with_options_of_its_own_is_given_what_the_block_takes(block):
    base = load_block(block)

    class Own(base):
        def __init__(self, limit=1, **options):
            super().__init__(**options)

        def do(self, body):
            return body

    kind = "router" if "routes" in inspect.signature(base).parameters else "task"
    code = inspect_step(StepSpec(name="own", class_name="Own", kind=kind), Own)

    inspect.signature(base).bind_partial(**dict.fromkeys(code.wants))


class Shares(load_block("Split")):
    def __init__(self, share, context=None, name=None, routes=None):
        weights = {"a": 1 - share, "b": share}
        super().__init__(weights=weights, context=context, name=name, routes=routes)


class OpenShares(load_block("Split")):
    def __init__(self, share, **options):
        super().__init__(weights={"a": 1 - share, "b": share}, **options)


@pytest.mark.parametrize("code", [Shares, OpenShares])
def test_a_split_with_an_init_of_its_own_is_a_router(open_runner, code):
    graph = Graph("g", topology="router", router_class=code, router_args={"share": 1})
    graph.add_route("a", handler=abs)
    graph.add_route("b", handler=double)

    assert open_runner(graph).run(5) == 10


# -- wrappers: what they return tells ---------------------------------------------


def unnamed(function):
    """A decorator without functools.wraps."""

    def wrapper(*args, **kwargs):
        return function(*args, **kwargs)

    return wrapper


def twice(function):
    return unnamed(timed(function))


class Counted:
    """A decorator that is a class."""

    def __init__(self, function):
        self.function = function
        self.__name__ = "counted"

    def __call__(self, *args):
        return self.function(*args)


WRAPPERS = [timed, unnamed, twice, Counted, functools.partial]


@pytest.mark.parametrize("wrapper", WRAPPERS)
def test_a_wrapped_coroutine_is_awaited(run_code, wrapper):
    assert run_code(wrapper(later), 4) == [8]


@pytest.mark.parametrize("wrapper", WRAPPERS)
@pytest.mark.parametrize("step", [items, items_later])
def test_a_wrapped_generator_streams(run_code, wrapper, step):
    [found] = run_code(wrapper(step), 4)

    assert list(found) == [4, 8]


@pytest.mark.parametrize("wrapper", WRAPPERS)
@pytest.mark.parametrize("step", [items, items_later])
def test_its_items_go_on_one_by_one(open_runner, wrapper, step):
    graph = Graph("on")
    graph.to(name="it", handler="it").to(name="ten", handler=lambda body: body * 10)
    graph.add_step("gather", "all", after="ten").respond()
    graph.namespace["it"] = wrapper(step)

    assert open_runner(graph).run(4) == [40, 80]


@pytest.mark.parametrize("wrapper", WRAPPERS)
@pytest.mark.parametrize("is_async", [False, True])
def test_a_wrapped_generator_of_events_streams(run_code, wrapper, is_async):
    def events(event):
        for number in (1, 2):
            given = event.copy()
            given.body = event.body * number
            yield given

    async def events_later(event):
        for given in events(event):
            yield given

    step = wrapper(events_later if is_async else events)
    [found] = run_code(step, 4, full_event=True)

    assert list(found) == [4, 8]


@pytest.mark.parametrize("wrapper", [timed, unnamed])
def test_a_wrapped_method_is_its_own_kind(run_code, wrapper):
    class Wrapped:
        do = wrapper(DoItems.do)

    class WrappedLater:
        do = wrapper(DoLater.do)

    [found] = run_code(Wrapped, 4)

    assert list(found) == [4, 8]
    assert run_code(WrappedLater, 4) == [8]


def items_of(body):
    yield from items(body["n"])


def made_one(function):
    @functools.wraps(function)
    def wrapper(body):
        return sum(function(body))

    return wrapper


def run_to_its_end(function):
    def wrapper(body):
        return asyncio.run(function(body))

    return wrapper


@pytest.mark.parametrize(
    ("step", "fields", "found"),
    [
        pytest.param(made_one(items), {}, 12, id="items-made-one"),
        pytest.param(made_one(items), {"retries": 1}, 12, id="with-limits"),
        pytest.param(made_one(items), {"timeout_s": 5.0}, 12, id="in-time"),
        pytest.param(made_one(items), {"result_path": "sum"}, {"n": 0}, id="path"),
        pytest.param(run_to_its_end(later), {}, 8, id="coroutine-run-to-its-end"),
    ],
)
def test_a_wrapper_may_give_one_result_instead(run_code, step, fields, found):
    if "result_path" in fields:
        step, body = made_one(items_of), {"n": 0}
        found = {"n": 0, "sum": 0}
    else:
        body = 4

    assert run_code(step, body, **fields) == [found]


def test_a_wrapper_may_give_items_to_some_and_one_to_others(run_code):
    stream = unnamed(items)

    def sometimes(body):
        return stream(body) if body > 3 else body

    one, many = run_code(unnamed(sometimes), 1, 4)

    assert (one, list(many)) == (1, [4, 8])


def test_a_wrapped_generator_may_be_a_route(open_runner):
    graph = Graph("routes", topology="router")
    graph.add_route("m", handler="it")
    graph.namespace["it"] = unnamed(items_of)

    answer = open_runner(graph).answer({"n": 4}, path="/v2/models/m/infer")

    assert answer.value == [4, 8]


@pytest.mark.parametrize("block", ["storey.Map", "storey.Filter"])
def test_a_step_of_storeys_awaits_a_wrapped_coroutine(open_runner, block):
    graph = Graph("storey")
    graph.to(block, name="it", fn=unnamed(later)).respond()

    found = open_runner(graph).run(4)

    assert found == (8 if block == "storey.Map" else 4)
