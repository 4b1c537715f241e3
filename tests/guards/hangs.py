"""A test that hangs ends the whole run, with the stacks of all threads.

pytest-timeout fails the test alone: what it hangs in (a lock that nobody releases)
takes 20 s more of each later test. And it needs a signal to get through: code in C, or
a second hang on the way out, and the run never ends.
"""

from __future__ import annotations

import faulthandler
import os
import signal
import tempfile
import threading
import time
from typing import Any

import pytest
from pytest_timeout import is_debugging

GRACE_S = 20.0
"""Seconds beyond its own time that a test may take to end, at most as long again."""
LONGEST_S = 60.0
"""Seconds for anything beside a test: a file to collect, what the session opened."""
TIDY_S = 600.0
"""Seconds that pytest has at its end to remove the folders of earlier runs."""
LAST_S = 30.0
"""Seconds for the rest of the run once a test has hung."""


class Hangs:
    """Ends the run; ``pytest_timeout_set_timer`` says how long a test may take."""

    def __init__(self, config: pytest.Config) -> None:
        # Nothing is captured while plugins are configured: this is the real one.
        self._stderr = os.dup(2)
        self._file = tempfile.TemporaryFile()  # noqa: SIM115  # open to the end
        self._is_off = config.getoption("usepdb") or config.getoption("trace")
        self._until = 0.0
        self._last = float("inf")
        self._stacks = ""

    def arm(self, seconds: float) -> None:
        """End the process after so many seconds, unless it is armed anew before."""
        self._until = min(time.monotonic() + seconds, self._last)
        self._arm_again()

    def _arm_once(self, seconds: float) -> None:
        """End the process after so many seconds, or up to ``LONGEST_S`` if armed so.

        To arm anew starts a thread, which takes longer than most tests.
        """
        left = min(self._until, self._last) - time.monotonic()
        if not seconds <= left <= max(seconds, LONGEST_S):
            self.arm(seconds)

    def _arm_again(self) -> None:
        seconds = max(0.1, self._until - time.monotonic())
        if self._until and not (self._is_off or is_debugging()):
            faulthandler.dump_traceback_later(seconds, exit=True, file=self._stderr)

    @pytest.hookimpl(wrapper=True)
    def pytest_make_collect_report(self) -> Any:
        self._arm_once(LONGEST_S * 2 / 3)
        return (yield)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Any:
        own = item.get_closest_marker("timeout"), item.config.getoption("timeout")
        if any(limit is not None for limit in own):  # it may be none at all
            faulthandler.cancel_dump_traceback_later()
            self._until = 0.0
        try:
            return (yield)
        finally:
            self._arm_once(LONGEST_S * 2 / 3)

    @pytest.hookimpl(wrapper=True)
    def pytest_timeout_set_timer(self, item: pytest.Item, settings: Any) -> Any:
        made = yield
        self._arm_once(settings.timeout + min(GRACE_S, settings.timeout))
        if settings.method == "signal":
            fail = signal.getsignal(signal.SIGALRM)

            def on_alarm(number: int, frame: Any) -> None:
                __tracebackhide__ = True
                if not is_debugging():
                    self._stop(item, settings.timeout)
                fail(number, frame)

            signal.signal(signal.SIGALRM, on_alarm)
        return made

    def _stop(self, item: pytest.Item, seconds: float) -> None:
        """Begin no further test; the code that hangs may catch what fails this one."""
        text = f"{item.nodeid} takes longer than {seconds:g} s"
        item.session.shouldstop = f"{text}, which later ones may do as well"
        self._last = time.monotonic() + LAST_S
        self._stacks = self._dumped()
        os.write(self._stderr, f"\n{text}\n{self._stacks}".encode())

    def _dumped(self) -> str:
        """Return the stacks; here is nothing that takes a lock."""
        names = [
            f"0x{i:016x} is {t.name!r}" for i, t in threading._active.copy().items()
        ]
        self._file.truncate(0)
        faulthandler.dump_traceback(self._file)
        self._file.seek(0)
        return "\n".join([*names, "", self._file.read().decode()])

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self) -> Any:
        report = yield
        if self._stacks and report.failed:
            report.sections.append(("stacks of all threads", self._stacks))
            self._stacks = ""
        return report

    @pytest.hookimpl(trylast=True)
    def pytest_exception_interact(self) -> None:
        self._arm_again()  # pytest's own plugin for faulthandler disarms it

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_sessionfinish(self) -> Any:
        # A hundred thousand files, on a disk that other runs use too.
        self.arm(TIDY_S)
        try:
            return (yield)
        finally:
            self.arm(LONGEST_S)

    def pytest_enter_pdb(self) -> None:
        self._is_off = True

    def pytest_unconfigure(self) -> None:
        faulthandler.cancel_dump_traceback_later()
        # Python waits for threads and processes at its end; this is called before.
        threading._register_atexit(lambda: self.arm(LONGEST_S))


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(Hangs(config), "hangs")
