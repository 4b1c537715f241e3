"""Errors: the code of each class, and texts that hold another error's text."""

import pickle

import pytest

from jupyter_graph import errors, mlrun_names
from jupyter_graph.errors import ClosedError, NotFoundError, SpecError, StepError, said


def test_a_text_ends_with_the_code_of_its_class():
    assert str(SpecError("no steps")) == "no steps [JG110]"
    assert str(ClosedError()) == "[JG250]"


def test_only_the_outer_code_stands_in_a_text_that_holds_another_error():
    inner = SpecError("n must be a number")
    outer = SpecError(f"step 'a': {inner}")

    assert str(outer) == "step 'a': n must be a number [JG110]"


def test_a_failed_step_shows_its_own_code_and_the_text_of_its_cause():
    error = StepError("parse", "order-7", SpecError("no such table"))

    assert str(error) == (
        "step 'parse' failed on event order-7: SpecError: no such table [JG210]"
    )


def test_the_words_of_a_step_that_chooses_a_status_stay_its_own():
    assert str(NotFoundError("no user ann")) == "no user ann"
    assert NotFoundError.code == "JG404"


@pytest.mark.parametrize(
    "error",
    [SpecError("a"), NotFoundError("b", status_code=410), errors.NoSeatError(2)],
)
def test_an_error_that_was_pickled_has_the_same_text(error):
    again = pickle.loads(pickle.dumps(error))

    assert str(again) == str(error)


def test_said_names_the_class_and_leaves_the_code_out():
    assert said(SpecError("no steps")) == "SpecError: no steps"


class Mine(SpecError):
    def __str__(self):
        return "mine!"


class Refused(NotFoundError):
    def __str__(self):
        return "refused!"


@pytest.mark.parametrize("error", [Mine("x"), Refused("x")])
def test_a_subclass_of_the_users_keeps_its_own_text_everywhere(error):
    assert (f"{error}", str(error)) in [("mine!", "mine!"), ("refused!", "refused!")]


def test_errors_that_only_steps_raise_have_no_code_in_their_text():
    class Own(errors.RunError):
        pass

    assert str(Own("boom")) == "boom"
    assert str(mlrun_names.MLRunFatalFailureError("boom")) == "boom"
    assert str(errors.JupyterGraphError("boom")) == "boom"
