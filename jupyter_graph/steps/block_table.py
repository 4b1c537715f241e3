"""The table of pre-defined blocks: their names, and where their classes live."""

from __future__ import annotations

from importlib import import_module
from typing import Any

OURS: dict[str, dict[str, str]] = {
    "steps.data.transform": {
        "Assert": "Assert",
        "Extend": "Extend",
        "Filter": "Filter",
        "ForEach": "ForEach",
        "Map": "Map",
    },
    "steps.data.flatten": {"FlatMap": "FlatMap", "Flatten": "Flatten"},
    "steps.data.partition": {"Partition": "Partition"},
    "steps.data.field_steps": {"Drop": "Drop", "Rename": "Rename"},
    "steps.state.batch_step": {"Batch": "Batch"},
    "steps.state.window": {"Aggregate": "Aggregate", "SampleWindow": "SampleWindow"},
    "steps.state.running_state": {"MapWithState": "MapWithState", "Reduce": "Reduce"},
    "steps.state.lookup": {
        "JoinWithTable": "JoinWithTable",
        "QueryByKey": "QueryByKey",
    },
    "steps.data.features": {"DropFeatures": "DropFeatures", "Imputer": "Imputer"},
    "steps.data.categories": {"OneHotEncoder": "OneHotEncoder"},
    "steps.data.dates": {"DateExtractor": "DateExtractor"},
    "steps.data.metadata": {"SetEventMetadata": "SetEventMetadata"},
    "steps.data.map_values": {"MapValues": "MapValues"},
    "steps.data.frame_steps": {
        "FromDataFrame": "FromDataFrame",
        "ToDataFrame": "ToDataFrame",
    },
    "steps.validators.distribution": {"DistributionValidator": "DistributionValidator"},
    "steps.validators.featureset": {"FeaturesetValidator": "FeaturesetValidator"},
    "steps.validators.lengths": {"LengthValidator": "LengthValidator"},
    "steps.validators.patterns": {"PatternValidator": "PatternValidator"},
    "steps.validators.ranges": {"RangeValidator": "RangeValidator"},
    "steps.validators.schema_validator": {"SchemaValidator": "SchemaValidator"},
    "steps.choice": {"ChoiceByField": "ChoiceByField"},
    "steps.merge": {"Merge": "Merge"},
    "steps.collector": {"Collector": "Collector", "gather": "Collector"},
    "steps.routers.router": {"ModelRouter": "ModelRouter"},
    "steps.routers.parallel_run": {"ParallelRun": "ParallelRun"},
    "steps.routers.ensemble": {"VotingEnsemble": "VotingEnsemble"},
    "steps.routers.enrichment": {
        "EnrichmentModelRouter": "EnrichmentModelRouter",
        "EnrichmentVotingEnsemble": "EnrichmentVotingEnsemble",
    },
    "steps.routers.split_routers": {
        "Mirror": "Mirror",
        "Split": "Split",
        "mirror": "Mirror",
        "split": "Split",
    },
    "steps.model_runner.model_runner_step": {
        "Model": "Model",
        "ModelRunnerStep": "ModelRunnerStep",
        "ModelRunnerSelector": "ModelSelector",
        "ModelSelector": "ModelSelector",
    },
    "steps.model_runner.llm_model": {"LLModel": "LLModel"},
    "steps.models.model_server": {"V2ModelServer": "V2ModelServer"},
    "steps.models.frameworks.sklearn": {
        "SklearnModelServer": "SklearnModelServer",
        "sklearn": "SklearnModelServer",
    },
    "steps.models.frameworks.xgboost": {
        "XGBoostModelServer": "XGBoostModelServer",
        "xgboost": "XGBoostModelServer",
    },
    "steps.models.frameworks.lightgbm": {
        "LightGBMModelServer": "LightGBMModelServer",
        "lightgbm": "LightGBMModelServer",
    },
    "steps.models.frameworks.onnx": {
        "ONNXModelServer": "ONNXModelServer",
        "onnx": "ONNXModelServer",
    },
    "steps.models.frameworks.torch": {
        "PyTorchModelServer": "PyTorchModelServer",
        "torch": "PyTorchModelServer",
    },
    "steps.models.frameworks.keras": {
        "KerasModelServer": "KerasModelServer",
        "tensorflow": "KerasModelServer",
    },
    "steps.models.frameworks.huggingface": {
        "HuggingFaceModelServer": "HuggingFaceModelServer",
        "huggingface": "HuggingFaceModelServer",
    },
    "steps.remote.remote_step": {
        "BatchHttpRequests": "BatchHttpRequests",
        "RemoteStep": "RemoteStep",
        "$remote": "RemoteStep",
    },
    "steps.remote.mlrun_remote": {
        "MLRunAPIRemoteStep": "MLRunAPIRemoteStep",
        "RemoteFunctionStep": "RemoteFunctionStep",
    },
    "steps.llm.llm": {
        "LLM": "LLM",
        "LLMStream": "LLMStream",
        "llm": "LLM",
        "llm_stream": "LLMStream",
    },
    "connectors.files.csv_target": {"CSVTarget": "CSVTarget"},
    "connectors.dataframes": {"DataFrameTarget": "DataFrameTarget"},
    "connectors.http_target": {"HTTPTarget": "HTTPTarget"},
    "connectors.queues.kafka_target": {"KafkaTarget": "KafkaTarget"},
    "connectors.files.jsonlines": {"JSONLinesTarget": "JSONLinesTarget"},
    "connectors.files.parquet_target": {"ParquetTarget": "ParquetTarget"},
    "connectors.sql.sql_target": {"SQLTarget": "SQLTarget"},
    "connectors.table_target": {"TableTarget": "TableTarget"},
}
"""Module to the blocks in it: the block's name to the class's."""

MLRUN: dict[str, str] = {
    "mlrun.feature_store.steps.DateExtractor": "DateExtractor",
    "mlrun.feature_store.steps.DropFeatures": "DropFeatures",
    "mlrun.feature_store.steps.FeaturesetValidator": "FeaturesetValidator",
    "mlrun.feature_store.steps.Imputer": "Imputer",
    "mlrun.feature_store.steps.MapValues": "MapValues",
    "mlrun.feature_store.steps.OneHotEncoder": "OneHotEncoder",
    "mlrun.feature_store.steps.SetEventMetadata": "SetEventMetadata",
    "mlrun.frameworks.huggingface.HuggingFaceModelServer": "HuggingFaceModelServer",
    "mlrun.frameworks.lgbm.LGBMModelServer": "LightGBMModelServer",
    "mlrun.frameworks.onnx.ONNXModelServer": "ONNXModelServer",
    "mlrun.frameworks.pytorch.PyTorchModelServer": "PyTorchModelServer",
    "mlrun.frameworks.sklearn.PickleModelServer": "SklearnModelServer",
    "mlrun.frameworks.sklearn.SKLearnModelServer": "SklearnModelServer",
    "mlrun.frameworks.tf_keras.TFKerasModelServer": "KerasModelServer",
    "mlrun.frameworks.xgboost.XGBoostModelServer": "XGBoostModelServer",
    "mlrun.serving.EnrichmentModelRouter": "EnrichmentModelRouter",
    "mlrun.serving.EnrichmentVotingEnsemble": "EnrichmentVotingEnsemble",
    "mlrun.serving.LLModel": "LLModel",
    "mlrun.serving.Model": "Model",
    "mlrun.serving.ModelRouter": "ModelRouter",
    "mlrun.serving.ModelRunner": "ModelRunnerStep",
    "mlrun.serving.ModelRunnerStep": "ModelRunnerStep",
    "mlrun.serving.ModelRunnerSelector": "ModelRunnerSelector",
    "mlrun.serving.ModelSelector": "ModelSelector",
    "mlrun.serving.ParallelRun": "ParallelRun",
    "mlrun.serving.V2ModelServer": "V2ModelServer",
    "mlrun.serving.VotingEnsemble": "VotingEnsemble",
    "mlrun.serving.merger.Merge": "Merge",
    "mlrun.serving.remote.BatchHttpRequests": "BatchHttpRequests",
    "mlrun.serving.remote.MLRunAPIRemoteStep": "MLRunAPIRemoteStep",
    "mlrun.serving.remote.RemoteFunctionStep": "RemoteFunctionStep",
    "mlrun.serving.remote.RemoteStep": "RemoteStep",
    "mlrun.serving.routers.EnrichmentModelRouter": "EnrichmentModelRouter",
    "mlrun.serving.routers.EnrichmentVotingEnsemble": "EnrichmentVotingEnsemble",
    "mlrun.serving.routers.ModelRouter": "ModelRouter",
    "mlrun.serving.routers.ParallelRun": "ParallelRun",
    "mlrun.serving.routers.VotingEnsemble": "VotingEnsemble",
    "mlrun.serving.states.LLModel": "LLModel",
    "mlrun.serving.states.Model": "Model",
    "mlrun.serving.states.ModelRunnerStep": "ModelRunnerStep",
    "mlrun.serving.states.ModelRunnerSelector": "ModelRunnerSelector",
    "mlrun.serving.states.ModelSelector": "ModelSelector",
    "mlrun.serving.steps.ChoiceByField": "ChoiceByField",
    "mlrun.serving.v2_serving.V2ModelServer": "V2ModelServer",
}
"""MLRun's class path to our block."""

_OWN = {
    name: f"jupyter_graph.{module}:{attribute}"
    for module, names in OURS.items()
    for name, attribute in names.items()
}
BLOCKS: dict[str, str] = {
    **_OWN,
    **{name: _OWN[own] for name, own in MLRUN.items()},
}
"""Every name that stands for a block: ``module:class``."""


def load_block(name: str) -> Any:
    """Import the class that a block's name stands for."""
    module, _, attribute = BLOCKS[name].partition(":")
    return getattr(import_module(module), attribute)
