"""The signal of deadlines: set while it is wanted, and never what ends the process."""

import signal
import subprocess
import sys

import pytest

from jupyter_graph.run.deadline.interrupt import SIGNAL, MainThreadInterrupter

pytestmark = pytest.mark.skipif(
    not hasattr(signal, "pthread_kill"), reason="signals of Windows are simulated"
)


@pytest.fixture(autouse=True)
def nobody_needs_it(monkeypatch):
    """Begin without users: a runner of another test may have been forgotten there."""
    monkeypatch.setattr(MainThreadInterrupter, "_users", {})
    before = signal.signal(SIGNAL, signal.SIG_DFL)
    yield
    signal.signal(SIGNAL, before)


class User:
    """Stands for what a runner owns."""


def test_the_handler_stands_from_the_first_user_to_the_last():
    before = signal.getsignal(SIGNAL)
    first, second, stood = User(), User(), []
    for change in (
        lambda: MainThreadInterrupter.install(first),
        lambda: MainThreadInterrupter.install(second),
        lambda: MainThreadInterrupter.uninstall(first),
        lambda: MainThreadInterrupter.uninstall(second),
    ):
        change()
        stood.append(signal.getsignal(SIGNAL) is not before)

    assert stood == [True, True, True, False]


def test_nothing_is_thrown_where_the_handler_does_not_stand():
    asked = []
    MainThreadInterrupter.throw(lambda: asked.append(1), None)

    assert asked == []


LATE = """
from jupyter_graph.run.deadline.interrupt import MainThreadInterrupter as signals
from jupyter_graph.threads.interrupts import uninterrupted

class User: ...

user = User()
assert signals.install(user)
with uninterrupted():
    signals.throw(lambda: True, None)
    signals.uninstall(user)
print("still here", len(signals._pending))
"""


def test_a_signal_that_comes_while_the_handler_is_taken_away_ends_nothing():
    done = subprocess.run(
        [sys.executable, "-c", LATE], capture_output=True, text=True, check=False
    )

    assert (done.stdout, done.returncode) == ("still here 0\n", 0), done.stderr


def test_a_signal_of_the_users_in_such_a_stretch_comes_to_his_handler():
    from jupyter_graph.threads.interrupts import uninterrupted

    told, user = [], User()
    before = signal.signal(SIGNAL, lambda *_: told.append("told"))
    try:
        MainThreadInterrupter.install(user)
        with uninterrupted():
            signal.raise_signal(SIGNAL)
            assert told == []
        MainThreadInterrupter.uninstall(user)
    finally:
        signal.signal(SIGNAL, before)

    assert told == ["told"]
