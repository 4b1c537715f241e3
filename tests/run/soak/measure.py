"""What a long load found: what was wrong, memory, threads and files."""

import gc
import threading
import time
from typing import Any

import psutil

PROCESS = psutil.Process()


def state() -> dict[str, int]:
    gc.collect()
    return {
        "rss": PROCESS.memory_info().rss,
        "threads": threading.active_count(),
        "files": PROCESS.num_fds() if hasattr(PROCESS, "num_fds") else 0,
    }


class Measured:
    """What a load found: call ``at`` with the number of each piece of work."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.wrong = 0
        self.before: dict[str, int] = {}
        self.began = time.perf_counter()

    def at(self, number: int) -> None:
        if number == self.count // 5:
            self.before = state()

    def told(self, **more: Any) -> dict[str, Any]:
        after, took_s = state(), time.perf_counter() - self.began
        return {
            "wrong": self.wrong,
            "rss_growth": round(after["rss"] / self.before["rss"] - 1, 4),
            "rss_mb": round(after["rss"] / 2**20, 1),
            "threads": [self.before["threads"], after["threads"]],
            "files": [self.before["files"], after["files"]],
            "per_s": round(self.count / took_s),
            **more,
        }
