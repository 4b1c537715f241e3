"""Ctrl-C, or a deadline, at random moments of opening, running, swapping and closing.

``python -m tests.run.stress.interrupted WAY COUNT SEED KIND …`` prints what it counted,
and exits with 1 when something of ours stayed locked, half open, or is left over.
"""

import faulthandler
import gc
import logging
import os
import queue
import random
import signal
import sys
import threading
import time
import warnings
from collections import Counter
from contextlib import suppress
from typing import Any

from jupyter_graph import Graph, Runner
from jupyter_graph.errors import ClosedError, DeadlineError
from jupyter_graph.run.deadline import watchdog
from jupyter_graph.threads import interrupts, reaper
from tests.run.stress.forgotten import Counts, alone, settled
from tests.run.stress.graphs import graph

BODY = {"v": 1, "key": "a"}
EMITTING = ("sync", "ordered", "async")
LOCKED_S, SLOW_S = 10.0, 20.0


class Round:
    """The life of runners, over and over, until an interrupt comes."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.first, self.second = graph(kind), graph(kind, is_second=True)
        self.runner = Runner(self.first)
        self.stage = "new"

    def live(self) -> None:
        """Open, run, emit, swap, run and close one runner."""
        self.stage = "new"
        runner = self.runner = Runner(self.first, timeout_s=30)
        self.stage = "open"
        runner.open()
        self.stage = "run"
        assert runner.run(BODY)
        if self.kind in EMITTING:
            self.stage = "emit"
            runner.emit(BODY)
        self.stage = "swap"
        runner.swap(self.second)
        self.stage = "run again"
        assert runner.run(BODY)
        self.stage = "close"
        runner.close()
        self.stage = "done"

    def problems(self) -> list[str]:
        """Say what the interrupt left behind in the last runner, or around it."""
        runner, began = self.runner, time.monotonic()
        found = [name for name, lock in locks(runner).items() if not is_free(lock)]
        if threading.get_ident() in interrupts._stretches:
            found.append("a stretch without interrupts has no end")
        if signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
            found.append("the handler of Ctrl-C is not what it was")
        if runner.is_open:
            found += [] if self._runs(runner) else ["an open runner does not run"]
        else:
            found += self._refuses(runner)
            runner.open()
            found += [] if self._runs(runner) else ["it does not open again"]
        runner.close()
        if time.monotonic() - began > SLOW_S:
            found.append(f"it took {time.monotonic() - began:.1f} s")
        return [f"{self.stage}: {problem}" for problem in found]

    def _runs(self, runner: Runner) -> bool:
        given: list[Any] = []
        other = threading.Thread(target=lambda: given.append(runner.run(BODY)))
        other.start()
        here = runner.run(BODY)
        other.join(30)
        return bool(here) and given == [here]

    def _refuses(self, runner: Runner) -> list[str]:
        found = ["it is watched though closed"] if runner._instance._unclosed else []
        try:
            runner.run(BODY)
        except ClosedError:
            return found
        return [*found, "a closed runner runs"]


def locks(runner: Runner) -> dict[str, Any]:
    return {
        "the runner's lock is taken": runner._dispatcher.lock,
        "the lock for opening and closing is taken": runner._dispatcher.changing,
        "the watchdog's lock is taken": watchdog._watchdog.thread._lock,
        "the reaper's lock is taken": reaper._reaper.thread._lock,
    }


def is_free(lock: Any) -> bool:
    taken: list[bool] = []

    def take() -> None:
        if lock.acquire(timeout=LOCKED_S):
            lock.release()
            taken.append(True)

    thread = threading.Thread(target=take)
    thread.start()
    thread.join()
    return bool(taken)


def by_ctrl_c(turn: Round, chance: random.Random, count: int) -> Any:
    """Interrupt the main thread from another one; give where it was, and problems."""
    orders: queue.SimpleQueue[float | None] = queue.SimpleQueue()
    main_id = threading.get_ident()

    def send() -> None:
        while (seconds := orders.get()) is not None:
            until = time.perf_counter() + seconds
            while (left := until - time.perf_counter()) > 0:
                time.sleep(0.001 if left > 0.002 else 0)
            signal.pthread_kill(main_id, signal.SIGINT)
            sent.append(seconds)

    sent: list[float] = []

    def until_sent(number: int) -> None:
        while len(sent) <= number:  # the sender may be late on a busy machine
            time.sleep(0.001)

    sender = threading.Thread(target=send)
    sender.start()
    began = time.perf_counter()
    for _ in range(5):
        turn.live()
    life_s = (time.perf_counter() - began) / 5
    for number in range(count):
        try:
            orders.put(chance.random() * life_s * 1.1)
            turn.live()
            until_sent(number)
            time.sleep(1.0)
            turn.stage = "lost in a callback of Python's own"
        except KeyboardInterrupt:
            until_sent(number)
        yield turn.stage, turn.problems()
    orders.put(None)
    sender.join()


def by_deadline(turn: Round, chance: random.Random, count: int) -> Any:
    """Let the time of an outer event be up while its step uses the runners."""

    def live_on(_: Any) -> None:
        while True:
            turn.live()

    outer = Graph("outer")
    outer.to(name="live", handler=live_on).respond()
    turn.live()
    for _ in range(count):
        limit_s = 0.02 + 0.03 * chance.random()
        with Runner(outer, timeout_s=limit_s) as runner, suppress(DeadlineError):
            runner.run(None)
        yield turn.stage, turn.problems()


def interrupt_many(way: str, kind: str, count: int, seed: int) -> bool:
    """Interrupt so many lives; tell whether each left all in order."""
    turn = Round(kind)
    turn.live()
    gc.collect()
    before = alone()
    sys.setswitchinterval(1e-4)
    stages: Counter[str] = Counter()
    problems: list[str] = []
    make = {"ctrl-c": by_ctrl_c, "deadline": by_deadline}[way]
    for stage, found in make(turn, random.Random(seed), count):
        stages[stage] += 1
        problems += found
    turn.runner.close()
    del turn
    gc.collect()
    is_settled = settled(before) is not None
    left = "" if is_settled else f"; LEFT {Counts.now()} of {before}"
    print(  # noqa: T201
        f"{way}, {kind}: {sum(stages.values())} interrupts in {dict(stages)}; "
        f"{len(problems)} problems {problems[:5]}{left}",
        flush=True,
    )
    return not problems and is_settled


def main(way: str, count: int, seed: int, kinds: list[str]) -> int:
    faulthandler.dump_traceback_later(120 + 2 * count * len(kinds), exit=True)
    warnings.simplefilter("ignore", ResourceWarning)
    logging.getLogger("jupyter_graph").setLevel(logging.CRITICAL)
    found = [
        interrupt_many(way, kind, count // 4 if kind == "processes" else count, seed)
        for kind in kinds
    ]
    return 0 if all(found) else 1


if __name__ == "__main__":
    os._exit(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4:]))
