"""What is called for a step: wrapped coroutines, arguments that are variables."""

import asyncio
import functools

import pytest

from jupyter_graph import Graph, Runner
from jupyter_graph.spec.argument_values import value_of


def wrapped(call):
    @functools.wraps(call)
    def wrapper(*args):
        return call(*args)

    return wrapper


@wrapped
async def add_one(body):
    await asyncio.sleep(0)
    return body + 1


class Adder:
    @wrapped
    async def do(self, body):
        return body + 1


@pytest.mark.parametrize(
    "code",
    [
        pytest.param({"handler": add_one}, id="function"),
        pytest.param({"class_name": Adder}, id="method"),
    ],
)
def test_a_coroutine_under_a_plain_wrapper_is_awaited(code):
    graph = Graph("wrapped")
    graph.to(name="first", **code).to(name="second", handler=lambda body: body * 2)

    with Runner(graph) as runner:
        assert runner.run(1) == 4


def test_a_function_gets_the_variable_that_its_argument_names():
    def tell(body, model=None):
        return [body, model]

    graph = Graph("variables")
    graph.namespace["clf"] = "the model"
    graph.to(name="tell", handler=tell, model=value_of("clf"))

    with Runner(graph) as runner:
        assert runner.run(1) == [1, "the model"]
