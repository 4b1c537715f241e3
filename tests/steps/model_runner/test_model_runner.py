"""ModelRunnerStep: models, mechanisms, selectors, failures, streams."""

import asyncio
import os
import threading

import pytest

from jupyter_graph import Graph
from jupyter_graph.errors import BadRequestError, SpecError
from jupyter_graph.event import Event
from jupyter_graph.steps.model_runner.model_runner_step import (
    Model,
    ModelRunnerError,
    ModelRunnerStep,
    ModelSelector,
)
from jupyter_graph.types import NOTHING

IN_PROCESS = ("naive", "thread_pool", "asyncio")
IN_OTHERS = ("process_pool", "dedicated_process")


class Times(Model):
    def __init__(self, *args, k=1, **kwargs):
        super().__init__(*args, **kwargs)
        self.k = k
        self.loads = 0

    def load(self):
        self.loads += 1

    def predict(self, body):
        return {"out": body["n"] * self.k, "loads": self.loads, "pid": os.getpid()}

    async def predict_async(self, body):
        await asyncio.sleep(0)
        return self.predict(body)


class Fails(Model):
    def predict(self, body):
        raise ValueError("mr failed")


class Refuses(Model):
    def predict(self, body):
        raise BadRequestError("no n")


class LoadFails(Times):
    def load(self):
        raise OSError("file missing")


class Streams(Model):
    def predict(self, body):
        for token in range(body["n"]):
            yield {"token": token}

    async def predict_async(self, body):
        for token in range(body["n"]):
            yield {"token": token}


class OnlyAsync(Model):
    async def predict_async(self, body):
        return {"from": threading.current_thread().name}


class Strict(Model):
    def __init__(self, name, path=None):
        super().__init__(name)
        self.path = path

    def predict(self, body):
        return self.path


class Picks(ModelSelector):
    def select_models(self, event, available_models):
        assert all(isinstance(model, Model) for model in available_models)
        return event.body.get("pick")

    def select_outlets(self, body):
        return body.get("to")


class OldPicks(ModelSelector):
    def __init__(self, only):
        super().__init__()
        self.only = only

    def select(self, event, available_models):
        return [model for model in available_models if model.name == self.only]


@pytest.fixture
def opened():
    """Build and open a step; the end of the test closes it."""
    made = []

    def open_one(models, words=None, **args):
        made.append(ModelRunnerStep(models, words, **args))
        made[-1].post_init()
        return made[-1]

    yield open_one
    for step in made:
        step.close()


def asked(step, body, path="/"):
    found = asyncio.run(step.do_event(Event(body, path=path)))
    return found if found is NOTHING else found.body


@pytest.mark.parametrize("word", IN_PROCESS)
def test_one_model_gives_its_bare_output(opened, word):
    step = opened({"a": [Times, {"k": 3}]}, {"a": word})

    assert asked(step, {"n": 2}) == {"out": 6, "loads": 1, "pid": os.getpid()}


@pytest.mark.slow
@pytest.mark.parametrize("word", IN_OTHERS)
def test_a_model_may_run_in_another_process(opened, word):
    step = opened({"a": [Times, {"k": 3}]}, {"a": word}, max_processes=1)
    found = [asked(step, {"n": n}) for n in (1, 2)]

    assert [answer["out"] for answer in found] == [3, 6]
    assert [answer["loads"] for answer in found] == [1, 1]
    assert os.getpid() not in {answer["pid"] for answer in found}


@pytest.mark.slow
@pytest.mark.parametrize("word", IN_OTHERS)
def test_a_failure_in_another_process_is_the_models(opened, word):
    step = opened({"a": Fails}, {"a": word}, max_processes=1)

    with pytest.raises(ModelRunnerError, match="a: ValueError: mr failed"):
        asked(step, {})


def test_several_models_give_their_outputs_by_name(opened):
    step = opened(
        {"a": [Times, {"k": 3}], "b": [Times, {"k": 5}], "c": Times},
        {"a": "naive", "b": "thread_pool", "c": "asyncio"},
    )

    found = asked(step, {"n": 2})
    assert {name: output["out"] for name, output in found.items()} == {
        "a": 6,
        "b": 10,
        "c": 2,
    }


def test_models_in_threads_run_at_the_same_time(opened):
    together = threading.Barrier(2, timeout=5)

    class Waits(Model):
        def predict(self, body):
            together.wait()
            return 1

    step = opened({"a": Waits, "b": Waits})
    assert asked(step, {}) == {"a": 1, "b": 1}


def test_a_class_without_predict_runs_on_the_loop(opened):
    assert asked(opened({"a": OnlyAsync}), {}) == {"from": "MainThread"}


def test_each_model_gets_a_copy(opened):
    class Spoils(Model):
        def predict(self, body):
            body["seen"].append(self.name)
            return body

    body = {"seen": []}
    found = asked(opened({"a": Spoils, "b": Spoils}), body)

    assert found == {"a": {"seen": ["a"]}, "b": {"seen": ["b"]}}
    assert body == {"seen": []}


def test_a_list_is_a_batch(opened):
    class Sums(Model):
        @staticmethod
        def format_batch(body):
            return [row["n"] for row in body]

        def predict(self, body):
            return sum(body) if isinstance(body, list) else "no list"

    step = opened({"a": Sums})
    assert asked(step, [{"n": 1}, {"n": 2}]) == 3
    assert asked(step, {"n": 1}) == "no list"


# -- failures -------------------------------------------------------------------


def test_a_failing_model_fails_the_event(opened):
    step = opened({"a": Times, "bad": Fails})

    with pytest.raises(ModelRunnerError, match="bad: ValueError: mr failed") as caught:
        asked(step, {"n": 1})
    assert caught.value.get_model_error("bad") == "ValueError: mr failed"
    assert (caught.value.get_errors().keys(), caught.value.status_code) == (
        {"bad"},
        500,
    )


def test_a_model_may_blame_the_caller(opened):
    with pytest.raises(ModelRunnerError) as caught:
        asked(opened({"a": Refuses}), {})

    assert caught.value.status_code == 400


def test_errors_may_stand_in_place_of_outputs(opened):
    both = opened({"a": OnlyAsync, "bad": Fails}, raise_exception=False)
    alone = opened({"bad": Fails}, raise_exception=False)

    assert asked(both, {})["bad"] == {"error": "ValueError: mr failed"}
    assert asked(alone, {}) == {"error": "ValueError: mr failed"}


def test_an_output_may_have_a_field_named_error(opened):
    class Measures(Model):
        def predict(self, body):
            return {"error": 0.1}

    assert asked(opened({"a": Measures}), {}) == {"error": 0.1}


# -- selectors ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pick", "ran"),
    [
        (None, {"a", "b"}),
        (["b"], {"b"}),
        ("b", {"b"}),
        (["b", "b", "a"], {"a", "b"}),
    ],
)
def test_a_selector_picks_models(opened, pick, ran):
    step = opened({"a": Times, "b": Times}, model_runner_selector=[Picks, {}])

    assert set(asked(step, {"n": 1, "pick": pick})) == ran


def test_a_selector_may_pick_none(opened):
    step = opened({"a": Times}, model_runner_selector=Picks)

    assert asked(step, {"n": 1, "pick": []}) is NOTHING


def test_a_selector_cannot_pick_what_is_not_there(opened):
    step = opened({"a": Times}, model_runner_selector=Picks)

    with pytest.raises(ValueError, match="selected Runnables are not registered: zz"):
        asked(step, {"n": 1, "pick": ["zz"]})


def test_the_older_selector_works_too(opened):
    step = opened({"a": Times, "b": Times}, model_selector=[OldPicks, {"only": "b"}])

    assert set(asked(step, {"n": 1})) == {"b"}


@pytest.mark.parametrize(
    ("to", "outlets"),
    [("x", ["x"]), (["x", "y"], ["x", "y"]), (None, None), ([], None)],
)
def test_a_selector_names_the_followers(opened, to, outlets):
    step = opened({"a": Times}, model_runner_selector=Picks)

    assert step.select_outlets({"to": to}) == outlets


# -- streams --------------------------------------------------------------------


@pytest.mark.parametrize("word", IN_PROCESS)
def test_a_model_may_stream(open_runner, word):
    graph = Graph("tokens")
    args = {"models": {"a": Streams}, "execution_mechanism_by_model_name": {"a": word}}
    graph.to(name="mr", class_name=ModelRunnerStep, class_args=args).respond()

    answer = open_runner(graph).answer({"n": 2})
    assert answer.payload == b'{"token": 0}\n{"token": 1}\n'


def test_only_one_model_may_stream(opened):
    step = opened({"a": Streams, "b": Times})

    with pytest.raises(ValueError, match="model 'a' gives its output in parts"):
        asked(step, {"n": 2})


def test_streams_do_not_leave_other_processes(opened):
    with pytest.raises(SpecError, match="model 'a' gives its output in parts, which"):
        opened({"a": Streams}, {"a": "process_pool"})


# -- shared models --------------------------------------------------------------


def test_runners_share_a_model(opened):
    args = {
        "shared_models": {"big": [Times, {"k": 9, "name": "big"}]},
        "shared_models_mechanism": {"big": "naive"},
    }
    proxy = {"m": [Model, {"shared_runnable_name": "big"}]}
    first = opened(proxy, {"m": "shared_executor"}, **args)
    second = opened({**proxy, "own": Times}, {"m": "shared_executor"}, **args)
    first.close()

    found = asked(second, {"n": 1})
    assert (found["m"]["out"], found["m"]["loads"], found["own"]["out"]) == (9, 1, 1)


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ({}, "shared_runnable_name 'big' is none of"),
        (
            {
                "shared_models": {"big": Times},
                "shared_models_mechanism": {"big": "shared_executor"},
            },
            "Cannot add a shared model with execution mechanism 'shared_executor'",
        ),
    ],
)
def test_a_shared_model_must_be_one(args, message):
    models = {"m": [Model, {"shared_runnable_name": "big"}]}

    with pytest.raises(SpecError, match=message):
        ModelRunnerStep(models, {"m": "shared_executor"}, **args)


# -- arguments ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ({"models": {}}, "models must name at least one model"),
        ({"models": {"a": [Times]}}, r"model 'a' must be \[class, parameters\]"),
        ({"models": {"a": dict}}, "must be a subclass of jupyter_graph.steps.Model"),
        ({"models": {"a": "Ghost"}}, "names the class 'Ghost', which stands for"),
        (
            {"models": {"a": [Strict, {"pth": 1}]}},
            "Strict takes no 'pth'; did you mean 'path'",
        ),
        ({"models": {"a": [Times, {"name": "b"}]}}, "Inconsistent name for model"),
        (
            {"execution_mechanism_by_model_name": {"a": "fiber"}},
            "Execution mechanism 'fiber' is invalid. It must be one of: process_pool",
        ),
        (
            {"execution_mechanism_by_model_name": {"aa": "naive"}},
            "has 'aa', which is no model; did you mean 'a'",
        ),
        (
            {"models": {"a": Model}},
            "model 'a' is running with thread_pool execution_mechanism but predict",
        ),
        (
            {
                "models": {"a": Fails},
                "execution_mechanism_by_model_name": {"a": "asyncio"},
            },
            "asyncio execution_mechanism but predict_async",
        ),
        ({"max_threads": 0}, "max_threads must be a whole number of 1 or more, got 0"),
        ({"model_runner_selector": [Times, {}]}, "must be a ModelSelector"),
        (
            {"model_runner_selector": Picks, "model_selector": Picks},
            "which is its older name, not both",
        ),
    ],
)
def test_a_wrong_argument_is_refused(args, message):
    with pytest.raises(SpecError, match=message):
        ModelRunnerStep(**{"models": {"a": Times}, **args})


@pytest.mark.parametrize(
    "word", ["naive", pytest.param("dedicated_process", marks=pytest.mark.slow)]
)
def test_a_model_that_cannot_be_loaded_is_refused(opened, word):
    with pytest.raises(
        SpecError, match="failed to load model a: OSError: file missing"
    ):
        opened({"a": LoadFails}, {"a": word})


@pytest.mark.slow
def test_a_model_for_another_process_may_be_of_the_notebook(opened):
    class Local(Times):
        pass

    step = opened({"a": [Local, {"k": 3}]}, {"a": "process_pool"})
    assert asked(step, {"n": 2})["out"] == 6


def test_a_model_that_cannot_go_to_another_process_is_refused():
    step = ModelRunnerStep(
        {"a": [Times, {"k": threading.Lock()}]}, {"a": "process_pool"}
    )
    with pytest.raises(SpecError, match="model 'a' cannot go to another process: Type"):
        step.post_init()


def test_mlruns_document_is_taken_as_it_is(opened):
    arguments = {
        "execution_mechanism_by_model_name": {"a": "naive"},
        "model_runner_selector": ["Picks", {}],
        "model_selector": [None, None],
        "models": {"a": ["Times", {"artifact_uri": None, "k": 3, "name": "a"}]},
        "monitoring_data": {"a": {"input_path": "x", "result_path": None}},
        "raise_exception": True,
        "max_processes": None,
        "_shared_proxy_mapping": {},
    }
    found = ModelRunnerStep.resolve_arguments(arguments, globals().__getitem__)
    words = found.pop("execution_mechanism_by_model_name")

    assert asked(opened(found.pop("models"), words, **found), {"n": 2})["out"] == 6


def test_a_models_paths_are_given_to_classes_that_take_them(opened):
    class Knows(Model):
        def __init__(self, name, input_path=None, **more):
            super().__init__(name, **more)
            self.input_path = input_path

        def predict(self, body):
            return self.input_path

    notes = {"a": {"input_path": "x.y", "result_path": "z"}}
    assert asked(opened({"a": Knows}, monitoring_data=notes), {}) == "x.y"
    assert asked(opened({"a": Strict}, monitoring_data=notes), {}) is None


def test_a_model_finds_its_file(tmp_path):
    (tmp_path / "b.onnx").touch()
    (tmp_path / "a.onnx").touch()

    model = Model("m", artifact_uri=str(tmp_path))
    assert model.get_local_model_path(".onnx") == (str(tmp_path / "a.onnx"), {})
    assert model.get_local_model_path() == (str(tmp_path), {})
    assert Model("m").get_local_model_path() == (None, {})
    with pytest.raises(SpecError, match=r"has no file \*\.pt"):
        model.get_local_model_path(".pt")
    with pytest.raises(SpecError, match="must be a file or a folder of this machine"):
        Model("m", artifact_uri="store://models/x").get_local_model_path()


# -- in graphs ------------------------------------------------------------------


def graph_with(args, **options):
    graph = Graph("models", **options)
    graph.to(name="mr", class_name=ModelRunnerStep, class_args=args).respond()
    return graph


@pytest.mark.parametrize("engine", ["async", "sync"])
def test_a_graph_runs_models(run_graph, engine):
    args = {"models": {"a": [Times, {"k": 2}], "b": [Times, {"k": 3}]}}
    [found] = run_graph(graph_with(args, engine=engine), [{"n": 2}])

    assert {name: output["out"] for name, output in found.items()} == {"a": 4, "b": 6}


def test_a_graph_goes_where_the_selector_says(run_graph):
    class Says(Model):
        def predict(self, body):
            return body

    graph = Graph("agents")
    args = {"models": {"a": Says}, "model_runner_selector": Picks}
    graph.to(name="mr", class_name=ModelRunnerStep, class_args=args)
    graph.add_step(name="x", handler=lambda body: {"by": "x"}, after=["mr"])
    graph.add_step(name="y", handler=lambda body: {"by": "y"}, after=["mr"])
    graph.add_step(name="end", handler=lambda body: body, after=["x", "y"]).respond()

    assert run_graph(graph, [{"to": "x"}, {"to": "y"}]) == [{"by": "x"}, {"by": "y"}]


def test_an_event_that_no_model_takes_has_an_empty_answer(open_runner):
    args = {"models": {"a": Times}, "model_runner_selector": Picks}

    answer = open_runner(graph_with(args)).answer({"n": 1, "pick": []}, silent=True)
    assert answer.status_code == 204


def test_many_events_at_once_keep_apart(open_runner):
    args = {"models": {"a": [Times, {"k": 2}], "b": [Times, {"k": 3}]}}
    runner = open_runner(graph_with(args))

    async def run():
        return await asyncio.gather(*(runner.arun({"n": n}) for n in range(50)))

    found = asyncio.run(run())
    assert [answer["a"]["out"] for answer in found] == [2 * n for n in range(50)]


def test_a_model_may_ask_for_the_context_and_let_go_at_the_end():
    closed = []

    class Holds(Model):
        def __init__(self, name, context=None, **more):
            super().__init__(name, **more)
            self.context = context

        def predict(self, body):
            return self.context

        def close(self):
            closed.append(self.name)

    step = ModelRunnerStep({"a": Holds}, context="surroundings")
    step.post_init()

    assert asked(step, {}) == "surroundings"
    step.close()
    assert closed == ["a"]
