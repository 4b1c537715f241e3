"""Counters of all workers under the names that Nuclio's processor uses.

Source: nuclio 1.14, ``pkg/processor/metricsink/prometheus``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from jupyter_graph.answer.problem import OVERLOADED

TICK_S: Final = 0.1
"""How often a worker writes its counts."""

LABELS: Final = ("instance", "trigger_kind", "trigger_id", "function", "project")


class Metrics:
    """Counts this worker's events in files that every worker of the host reads.

    The folder of these files stands in ``PROMETHEUS_MULTIPROC_DIR`` before the process
    starts; a worker that died keeps its share of the totals.
    """

    def __init__(self, function: str, instance: str) -> None:
        from prometheus_client import CollectorRegistry, Counter

        # Not the global registry: steps may have counters of their own in it.
        own = CollectorRegistry()
        labels = (instance, "http", "default-http", function, "default")
        handled = Counter(
            "nuclio_processor_handled_events",
            "Total number of handled events",
            (*LABELS, "result"),
            registry=own,
        )
        self._refused = Counter(
            "jupyter_graph_host_refused_requests",
            "Requests that never reached the graph, by status",
            (*LABELS, "status"),
            registry=own,
        )
        total = _duration(
            "sum", "Total sum of milliseconds it took to handle events", own
        )
        count = _duration("count", "Number of measurements taken", own)
        self._labels = labels
        self._add = (
            handled.labels(*labels, "success").inc,
            handled.labels(*labels, "failure").inc,
            total.labels(*labels).inc,
            count.labels(*labels).inc,
        )
        # Plain numbers: a counter of the library writes to a mapped file each time.
        self._ok = self._failed = 0
        self._milliseconds = 0.0

    def handled(self, is_ok: bool, milliseconds: float) -> None:
        """Count one event; others see it after ``flush``."""
        if is_ok:
            self._ok += 1
        else:
            self._failed += 1
        self._milliseconds += milliseconds

    def flush(self) -> None:
        """Write what was counted; ten times a second, because each write costs µs."""
        news = (self._ok, self._failed, self._milliseconds, self._ok + self._failed)
        if news[3]:
            self._ok = self._failed = 0
            self._milliseconds = 0.0
            for add, value in zip(self._add, news, strict=True):
                add(value)

    def refused(self, status: int) -> None:
        """Count a request that the host itself turned away."""
        self._refused.labels(*self._labels, str(status)).inc()


def _duration(suffix: str, text: str, registry: Any) -> Any:
    """Return one half of a duration; over all workers both halves are sums."""
    from prometheus_client import Gauge

    return Gauge(
        f"nuclio_processor_handled_events_duration_milliseconds_{suffix}",
        text,
        LABELS,
        registry=registry,
        multiprocess_mode="sum",
    )


def page() -> tuple[bytes, str]:
    """Return the text and content type of ``/metrics`` over all workers."""
    from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry
    from prometheus_client.exposition import generate_latest
    from prometheus_client.multiprocess import MultiProcessCollector

    every = CollectorRegistry()
    workers = MultiProcessCollector(every)  # type: ignore[no-untyped-call]
    every.register(_Allocations(workers))
    return generate_latest(every), CONTENT_TYPE_LATEST


class _Allocations:
    """Nuclio's worker allocations, derived: each handled event had a worker at once."""

    def __init__(self, workers: Any) -> None:
        self._workers = workers

    def describe(self) -> list[Any]:
        return []

    def collect(self) -> Iterator[Any]:
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

        done: dict[tuple[str, ...], float] = {}
        busy: dict[tuple[str, ...], float] = {}
        for family in self._workers.collect():
            for sample in family.samples:
                key = tuple(sample.labels.get(label, "") for label in LABELS)
                if sample.name == "nuclio_processor_handled_events_total":
                    done[key] = done.get(key, 0) + sample.value
                elif sample.labels.get("status") == str(OVERLOADED):
                    busy[key] = busy.get(key, 0) + sample.value
        name = "nuclio_processor_worker_allocation"
        total = CounterMetricFamily(
            name,
            "Total number of worker allocations, by result",
            labels=(*LABELS, "result"),
        )
        count = GaugeMetricFamily(
            f"{name}_count", "Total number of worker allocations", labels=LABELS
        )
        for key, value in done.items():
            total.add_metric((*key, "success_immediate"), value)
            count.add_metric(key, value + busy.get(key, 0))
        for key, value in busy.items():
            total.add_metric((*key, "error_timeout"), value)
        yield total
        yield count
