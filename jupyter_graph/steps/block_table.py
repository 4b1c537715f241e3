"""The table of pre-defined blocks: their names, and where their classes live."""

from __future__ import annotations

from importlib import import_module
from typing import Any

OURS: dict[str, str] = {
    "steps.data.transform": "Assert Extend Filter FlatMap Flatten ForEach Map "
    "Partition",
    "steps.data.field_steps": "Drop Rename",
    "steps.state.batch_step": "Batch",
    "steps.state.window": "Aggregate SampleWindow",
    "steps.state.running_state": "MapWithState Reduce",
    "steps.state.lookup": "JoinWithTable QueryByKey",
    "steps.data.features": "DropFeatures Imputer OneHotEncoder",
    "steps.data.dates": "DateExtractor",
    "steps.data.metadata": "SetEventMetadata",
    "steps.data.map_values": "MapValues",
    "steps.data.frame_steps": "FromDataFrame ToDataFrame",
    "steps.validators.distribution": "DistributionValidator",
    "steps.validators.featureset": "FeaturesetValidator",
    "steps.validators.patterns": "PatternValidator",
    "steps.validators.ranges": "LengthValidator RangeValidator",
    "steps.validators.schema_validator": "SchemaValidator",
    "steps.choice": "ChoiceByField",
    "steps.merge": "Merge",
    "steps.collector": "Collector",
    "steps.routers.router": "ModelRouter",
    "steps.routers.parallel_run": "ParallelRun",
    "steps.routers.ensemble": "VotingEnsemble",
    "steps.routers.enrichment": "EnrichmentModelRouter EnrichmentVotingEnsemble",
    "steps.routers.split_routers": "Mirror Split",
    "steps.model_runner.model_runner_step": "Model ModelRunnerStep ModelSelector",
    "steps.model_runner.llm_model": "LLModel",
    "steps.models.model_server": "V2ModelServer",
    "steps.models.frameworks.sklearn": "SklearnModelServer",
    "steps.models.frameworks.xgboost": "XGBoostModelServer",
    "steps.models.frameworks.lightgbm": "LightGBMModelServer",
    "steps.models.frameworks.onnx": "ONNXModelServer",
    "steps.models.frameworks.torch": "PyTorchModelServer",
    "steps.models.frameworks.keras": "KerasModelServer",
    "steps.models.frameworks.huggingface": "HuggingFaceModelServer",
    "steps.remote.remote_step": "BatchHttpRequests MLRunAPIRemoteStep "
    "RemoteFunctionStep RemoteStep",
    "steps.llm.llm": "LLM LLMStream",
    "connectors.files.csv_target": "CSVTarget",
    "connectors.dataframes": "DataFrameTarget",
    "connectors.http_target": "HTTPTarget",
    "connectors.queues.kafka_target": "KafkaTarget",
    "connectors.files.jsonlines": "JSONLinesTarget",
    "connectors.files.parquet_target": "ParquetTarget",
    "connectors.sql.sql_target": "SQLTarget",
    "connectors.table_target": "TableTarget",
}
"""Module to the blocks in it, each named as its class."""

OTHER_NAMES: dict[str, str] = {
    "$remote": "RemoteStep",
    "ModelRunnerSelector": "ModelSelector",
    "gather": "Collector",
    "huggingface": "HuggingFaceModelServer",
    "lightgbm": "LightGBMModelServer",
    "llm": "LLM",
    "llm_stream": "LLMStream",
    "mirror": "Mirror",
    "onnx": "ONNXModelServer",
    "sklearn": "SklearnModelServer",
    "split": "Split",
    "tensorflow": "KerasModelServer",
    "torch": "PyTorchModelServer",
    "xgboost": "XGBoostModelServer",
}
"""What else a block is called, to its own name."""

_CALLED_THE_SAME = {
    "mlrun.feature_store.steps": "DateExtractor DropFeatures FeaturesetValidator "
    "Imputer MapValues OneHotEncoder SetEventMetadata",
    "mlrun.frameworks.huggingface": "HuggingFaceModelServer",
    "mlrun.frameworks.onnx": "ONNXModelServer",
    "mlrun.frameworks.pytorch": "PyTorchModelServer",
    "mlrun.frameworks.xgboost": "XGBoostModelServer",
    "mlrun.serving": "EnrichmentModelRouter EnrichmentVotingEnsemble LLModel Model "
    "ModelRouter ModelRunnerStep ModelRunnerSelector ModelSelector ParallelRun "
    "V2ModelServer VotingEnsemble",
    "mlrun.serving.merger": "Merge",
    "mlrun.serving.remote": "BatchHttpRequests MLRunAPIRemoteStep "
    "RemoteFunctionStep RemoteStep",
    "mlrun.serving.routers": "EnrichmentModelRouter EnrichmentVotingEnsemble "
    "ModelRouter ParallelRun VotingEnsemble",
    "mlrun.serving.states": "LLModel Model ModelRunnerStep ModelRunnerSelector "
    "ModelSelector",
    "mlrun.serving.steps": "ChoiceByField",
    "mlrun.serving.v2_serving": "V2ModelServer",
}
MLRUN: dict[str, str] = {
    f"{module}.{block}": block
    for module, blocks in _CALLED_THE_SAME.items()
    for block in blocks.split()
} | {
    "mlrun.frameworks.lgbm.LGBMModelServer": "LightGBMModelServer",
    "mlrun.frameworks.sklearn.PickleModelServer": "SklearnModelServer",
    "mlrun.frameworks.sklearn.SKLearnModelServer": "SklearnModelServer",
    "mlrun.frameworks.tf_keras.TFKerasModelServer": "KerasModelServer",
    "mlrun.serving.ModelRunner": "ModelRunnerStep",
}
"""MLRun's class path to our block."""

_OWN = {
    block: f"jupyter_graph.{module}:{block}"
    for module, blocks in OURS.items()
    for block in blocks.split()
}
_OWN |= {name: _OWN[block] for name, block in OTHER_NAMES.items()}
BLOCKS: dict[str, str] = {**_OWN, **{name: _OWN[own] for name, own in MLRUN.items()}}
"""Every name that stands for a block: ``module:class``."""


def load_block(name: str) -> Any:
    """Import the class that a block's name stands for."""
    module, _, attribute = BLOCKS[name].partition(":")
    return getattr(import_module(module), attribute)
