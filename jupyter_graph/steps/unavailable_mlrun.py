"""Classes of MLRun's documents that are not to be had here, and what to write."""

from __future__ import annotations

from jupyter_graph.spec.rules.graph_rules import FOREIGN_KINDS

_STOREY_TARGETS = {
    "CSVStoreyTarget": "CSVTarget",
    "KafkaStoreyTarget": "KafkaTarget",
    "NoSqlStoreyTarget": "TableTarget",
    "ParquetStoreyTarget": "ParquetTarget",
    "RedisNoSqlStoreyTarget": "TableTarget with a table 'redis://…'",
    "StreamStoreyTarget": "HTTPTarget or a step of your own",
    "TSDBStoreyTarget": "SQLTarget",
    "TimescaleDBStoreyTarget": "SQLTarget",
}

ADVICE: dict[str, str] = {
    **{
        f"mlrun.datastore.storeytargets.{name}": f"write {ours}"
        for name, ours in _STOREY_TARGETS.items()
    },
    "mlrun.serving.MLModelServer": "write V2ModelServer",
    "mlrun.serving.otel.OTelMetricsExporter": "a deployed function gives its numbers "
    "to Prometheus at /metrics",
    "mlrun.serving.v1_serving.MLModelServer": "write V2ModelServer",
}
"""A class path of MLRun's to what does the same here."""


def advice_for(name: str) -> str:
    """Return what to write instead of a class that is not to be had, "" for others.

    >>> advice_for("mlrun.datastore.storeytargets.CSVStoreyTarget")
    'write CSVTarget'
    >>> advice_for("hub://echo")
    'it downloads code when it is loaded; import the class in the notebook'
    """
    if name.startswith("hub://"):
        return FOREIGN_KINDS["hub_task"]
    return ADVICE.get(name, "")
