"""Which packages a block imports when it runs, beside those that every bundle has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

NEEDS: dict[str, tuple[str, ...]] = {
    "BatchHttpRequests": ("aiohttp",),
    "DataFrameTarget": ("pandas",),
    "DateExtractor": ("pandas",),
    "EnrichmentVotingEnsemble": ("numpy",),
    "HTTPTarget": ("requests",),
    "HuggingFaceModelServer": ("transformers", "torch", "numpy"),
    "KafkaTarget": ("confluent_kafka",),
    "KerasModelServer": ("keras", "tensorflow", "numpy"),
    "LLM": ("aiohttp",),
    "LLMStream": ("aiohttp",),
    "LightGBMModelServer": ("lightgbm", "numpy"),
    "ONNXModelServer": ("onnxruntime", "numpy"),
    "ParquetTarget": ("pyarrow",),
    "PyTorchModelServer": ("torch", "safetensors", "numpy"),
    "RemoteStep": ("aiohttp",),
    "SQLTarget": ("sqlalchemy",),
    "SklearnModelServer": ("sklearn", "skops", "numpy"),
    "ToDataFrame": ("pandas",),
    "VotingEnsemble": ("numpy",),
    "XGBoostModelServer": ("xgboost", "numpy"),
}
"""A block's class to the modules that it imports."""

PLACES = ("table", "url", "path", "model_path")
DRIVERS = {
    "mysql": ("MySQLdb",),
    "postgres": ("psycopg2",),
    "postgresql": ("psycopg2",),
}
"""What opens a database's URL of this scheme where it names no driver."""

FILES = {"s3": "s3fs", "gs": "gcsfs", "gcs": "gcsfs", "az": "adlfs", "abfs": "adlfs"}


def needs_of(block: str, arguments: Mapping[str, Any]) -> Iterator[str]:
    """Yield the modules that a block with these arguments imports.

    Args:
        block: the name of its class.
        arguments: its constructor arguments.

    >>> sorted(needs_of("JoinWithTable", {"table": "redis://cache/0"}))
    ['redis']
    >>> sorted(set(needs_of("SQLTarget", {"url": "postgresql+psycopg://db/x"})))
    ['psycopg', 'sqlalchemy']
    """
    yield from NEEDS.get(block, ())
    for key in PLACES:
        value = arguments.get(key)
        if isinstance(value, str) and "://" in value:
            yield from _of_url(value.partition("://")[0].lower())
        if isinstance(value, str) and value.endswith(".zst"):
            yield "pyarrow"
    if block == "SchemaValidator" and isinstance(arguments.get("schema"), Mapping):
        yield "jsonschema"
    if block == "PatternValidator" and arguments.get("timeout_s") is not None:
        yield "regex"
    if block == "FeaturesetValidator" and isinstance(arguments.get("featureset"), str):
        yield "yaml"


def _of_url(scheme: str) -> Iterator[str]:
    """Yield what opens a URL: a database's driver, or a file system."""
    if scheme in ("http", "https", "memory", "store", "file"):
        return
    dialect, _, driver = scheme.partition("+")
    if dialect in ("redis", "rediss"):
        yield "redis"
    elif scheme in FILES:
        yield from ("fsspec", FILES[scheme])
    else:
        yield "sqlalchemy"
        yield from (driver,) if driver else DRIVERS.get(dialect, ())


def needs_of_text(*texts: str | None) -> Iterator[str]:
    """Yield what the handlers and classes of a step import by what they are.

    >>> list(needs_of_text("double")), list(needs_of_text("storey.Map"))
    ([], ['storey', 'packaging'])
    """
    for text in texts:
        if text and text.startswith("storey."):
            yield from ("storey", "packaging")  # storey 1.14 imports it, undeclared
