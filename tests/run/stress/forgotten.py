"""Runners that nobody closes, opened under stress in four threads at once.

``python -m tests.run.stress.forgotten COUNT KIND …`` prints what it counted, and exits
with 1 when something is left of them. How long that took is printed, too: a second is
plenty on a machine that is not busy.
"""

import faulthandler
import gc
import sys
import threading
import time
import warnings
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from jupyter_graph import MockServer, Runner
from tests.run.stress.graphs import graph

THREADS = 4
SETTLED_S = 20.0


class Counts(NamedTuple):
    threads: int
    files: int
    processes: int

    @classmethod
    def now(cls) -> "Counts":
        return cls(
            threading.active_count(),
            sum(1 for _ in Path("/proc/self/fd").iterdir()),
            _children(),
        )


def _children() -> int:
    count = 0
    for task in Path("/proc/self/task").iterdir():
        with suppress(FileNotFoundError, ProcessLookupError):  # it has just ended
            count += len((task / "children").read_text().split())
    return count


def use(kind: str, number: int) -> Any:
    """Open a runner, use it, and return it open."""
    if kind == "mock":
        server = MockServer(graph("sync"))
        assert server.test(body={"v": number}) == {"v": number}
        return server
    runner = Runner(graph(kind), timeout_s=30).open()
    given = runner.run({"v": number, "key": number})
    assert kind == "batch" or given
    if kind == "emit":
        runner.emit({"v": number})
    return runner


def forget(kind: str, numbers: range, failures: list[BaseException]) -> None:
    for number in numbers:
        try:
            used = use(kind, number)
            if number % 2:
                used.itself = used  # a cycle, as a traceback or a notebook makes one
            del used
        except BaseException as error:
            failures.append(error)


def alone() -> Counts:
    """Wait for idle threads to end; return what there is then."""
    until = time.monotonic() + SETTLED_S
    while threading.active_count() > 1 and time.monotonic() < until:
        time.sleep(0.01)
    return Counts.now()


def settled(before: Counts) -> float | None:
    """Return the seconds until all is as before, None where it does not come to it."""
    began = time.monotonic()
    while time.monotonic() - began < SETTLED_S:
        if Counts.now() == before:
            return time.monotonic() - began
        time.sleep(0.05)
        gc.collect()  # an emitted event may have held its runner until now
    return None


def forget_many(kind: str, count: int) -> bool:
    """Forget so many runners; tell whether nothing is left of them."""
    use(kind, 0).close()
    gc.collect()
    before = alone()
    gc.freeze()
    gc.set_threshold(1, 10, 10)
    sys.setswitchinterval(1e-5)
    failures: list[BaseException] = []
    threads = [
        threading.Thread(
            target=forget, args=(kind, range(at, count, THREADS), failures)
        )
        for at in range(THREADS)
    ]
    began = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took_s = time.monotonic() - began
    del threads, thread
    gc.set_threshold(700, 10, 10)
    gc.collect()
    settled_s = settled(before)
    left = "" if settled_s is not None else f" LEFT {Counts.now()} of {before}"
    use(kind, 1).close()
    print(  # noqa: T201
        f"{kind}: {count} forgotten in {took_s:.1f} s, {len(failures)} failures "
        f"{failures[:2]}, all gone after {settled_s or 0:.2f} s{left}",
        flush=True,
    )
    return not failures and settled_s is not None


def main(count: int, kinds: list[str]) -> int:
    faulthandler.dump_traceback_later(120 + 2 * count * len(kinds), exit=True)
    warnings.simplefilter("ignore", ResourceWarning)
    found = [
        forget_many(kind, count // 4 if kind == "processes" else count)
        for kind in kinds
    ]
    return 0 if all(found) else 1


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), sys.argv[2:]))
