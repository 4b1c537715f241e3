"""Arguments that a class passes on to its base."""

import inspect

import pytest

from jupyter_graph.steps import LLM, RemoteStep
from jupyter_graph.steps.base_arguments import takes_arguments_of
from jupyter_graph.steps.llm.llm import LLMStream
from jupyter_graph.steps.models.frameworks.sklearn import SklearnModelServer
from jupyter_graph.steps.remote.remote_step import BatchHttpRequests
from jupyter_graph.steps.validators.distribution import DistributionValidator
from jupyter_graph.steps.validators.ranges import RangeValidator

ACTING = {"on_violation", "to", "valid_to", "tag", "act_on", "context"}


def names(code):
    return list(inspect.signature(code).parameters)


def test_a_validator_names_the_arguments_of_its_bases():
    assert {"min", "required", "severity", *ACTING} <= set(names(RangeValidator))


def test_a_default_may_differ_from_that_of_the_base():
    parameters = inspect.signature(DistributionValidator).parameters
    drift = DistributionValidator("c", {"mean": 0, "std": 1}, window=2)

    assert parameters["on_violation"].default == "tag"
    assert drift.do({"c": 99}) == {"c": 99}
    assert drift.do({"c": 99})["violations"]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: RangeValidator("a", minn=1),
            r"RangeValidator\.__init__\(\) got",
        ),
        (lambda: LLM("m", temprature=1), r"LLM\.__init__\(\) got .* 'temprature'"),
        (lambda: LLMStream("m", tools=[]), r"LLMStream\.__init__\(\) got .* 'tools'"),
        (lambda: RangeValidator(), "missing 1 required positional argument: 'fields'"),
    ],
)
def test_another_name_is_refused_as_python_does(make, message):
    with pytest.raises(TypeError, match=message):
        make()


def test_what_is_positional_in_the_base_stays_so():
    assert names(BatchHttpRequests) == names(RemoteStep)
    assert names(SklearnModelServer)[:5] == [
        "context", "name", "model_path", "model", "protocol",
    ]  # fmt: skip
    assert SklearnModelServer(None, "m:2", None, object()).version == "2"


def test_where_the_base_takes_any_argument_so_does_the_class():
    server = SklearnModelServer(model=object(), threshold=0.5)

    assert server.get_param("threshold") == 0.5


def test_a_subclass_with_arguments_of_its_own_is_not_touched():
    class Own(RangeValidator):
        def __init__(self, limit):
            super().__init__("a", max=limit)

    assert names(Own) == ["limit"]


def test_arguments_of_a_function_may_be_taken_over():
    def table(*, keys=None, stats=None): ...

    @takes_arguments_of(table)
    def init(self, name, **options):
        self.append(options)

    seen = []
    init(seen, "n", keys=1)

    assert seen == [{"keys": 1}]
    assert names(init) == ["self", "name", "keys", "stats"]
