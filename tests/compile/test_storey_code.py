"""What compiling knows of storey: a new version that breaks it is named here."""

import pytest

from jupyter_graph.compile import storey_code
from jupyter_graph.compile.inspect_step import inspect_step
from jupyter_graph.compile.storey_code import (
    MAP_FUNCTION,
    RUNS_MAP_CLASS,
    is_storey_step,
    is_terminal,
    storey_class,
)
from jupyter_graph.spec.model import StepSpec

storey = pytest.importorskip("storey")
SAYS = (
    "storey {} has changed: compile/storey_code.py reads this private name; look at "
    "what replaced it there before the version range in pyproject.toml is widened"
)


def says():
    return SAYS.format(getattr(storey, "__version__", "?"))


def inspected(code, **arguments):
    name = f"storey.{code.__name__}"
    step = StepSpec(name="a", class_name=name, class_args=arguments)
    return inspect_step(step, code, arguments)


@pytest.mark.parametrize("name", sorted({*RUNS_MAP_CLASS} - {"_do_internal"}))
def test_storey_runs_map_classes_by_these_methods(name):

    assert hasattr(storey.MapClass, name), says()


def test_storeys_map_keeps_its_function_under_this_name():
    assert getattr(storey.Map(len), MAP_FUNCTION) is len, says()


@pytest.mark.parametrize("base", [storey.Flow, storey.Map.__mro__[1]])
def test_storeys_steps_pick_all_outlets_by_a_method_of_their_base(base):
    assert callable(vars(storey.Flow)["select_outlets"]), says()
    assert callable(base.select_outlets), says()


@pytest.mark.parametrize("name", ["Reduce", "Complete"])
def test_what_nothing_can_follow_refuses_to_by_itself(name):
    assert is_terminal(getattr(storey, name)) == (name == "Reduce"), says()


@pytest.mark.parametrize(
    ("code", "arguments", "direct"),
    [
        (storey.Map, {"fn": len}, "Map"),
        (storey.Filter, {"fn": len}, "Filter"),
        (storey.Extend, {"fn": dict}, "Extend"),
        (storey.MapWithState, {"fn": len, "initial_state": 0}, "MapWithState"),
        (storey.Batch, {"max_events": 2}, ""),
        (storey.Map, {"fn": len, "long_running": True}, ""),
    ],
)
def test_steps_that_are_no_more_than_their_function_are_called_directly(
    code, arguments, direct
):
    assert storey_code._called_directly(code, arguments)[0] == direct


def test_a_map_class_with_a_way_of_its_own_is_run_by_storey():
    class Plain(storey.MapClass):
        def do(self, event):
            return event

    class Own(Plain):
        async def _do(self, event):
            await self._do_downstream(event)

    assert inspected(Plain).direct == "MapClass"
    assert inspected(Own).direct == ""


def test_a_step_that_overrides_select_outlets_picks():
    class Picks(storey.Map):
        def select_outlets(self, event):
            return ["a"]

    assert inspected(Picks, fn=len).selects
    assert not inspected(storey.Map, fn=len).selects


@pytest.mark.parametrize("name", ["storey.Map", "storey.Flatten", "storey.Collector"])
def test_a_name_of_storeys_stands_for_a_class(name):
    code = storey_class(name, "step 'a'")

    assert isinstance(code, type)
    assert is_storey_step(code) == (name != "storey.Collector")
