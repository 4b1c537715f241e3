"""Models and routers of the own cases, on ours or MLRun's base classes.

``CONFORMANCE_V2_BASE`` and the like name other bases, where answers are recorded.
"""

import importlib
import os

from plain_steps import *  # noqa: F403  # their names are the cases'
from plain_steps import SINK, reset  # noqa: F401


def _base(word, name):
    path = os.environ.get(f"CONFORMANCE_{word}_BASE", f"jupyter_graph.steps.{name}")
    module, _, attribute = path.rpartition(".")
    return getattr(importlib.import_module(module), attribute)


ModelServer = _base("V2", "V2ModelServer")


class M(ModelServer):
    """Multiplies its inputs."""

    def load(self):
        self.model = "loaded"

    def predict(self, request):
        factor = self.get_param("mult", 1)
        return [x * factor for x in request["inputs"]]

    def explain(self, request):
        return {"why": len(request["inputs"])}

    def op_custom(self, event):
        return {"custom": event.body, "mult": self.get_param("mult")}


class NoLoad(ModelServer):
    def predict(self, request):
        return request["inputs"]


class LoadFails(NoLoad):
    def load(self):
        raise OSError("model file missing")


class PrePost(M):
    def preprocess(self, request, operation):
        request["inputs"] = [100 + x for x in request["inputs"]]
        return request

    def validate(self, request, operation):
        if len(request["inputs"]) > 3:
            raise ValueError("too many inputs")
        return super().validate(request, operation)

    def postprocess(self, response):
        response["op"] = "post"
        return response


class Const(ModelServer):
    """Gives one value for every input."""

    def load(self):
        """There is nothing to load."""

    def predict(self, request):
        return [self.get_param("value") for _ in request["inputs"]]


class PredictFails(ModelServer):
    def load(self):
        """There is nothing to load."""

    def predict(self, request):
        raise ValueError("cannot predict")


class ListMerger(_base("PARALLEL", "ParallelRun")):
    def merger(self, body, results):
        body["merged"] = dict(sorted(results.items()))
        return body


class EvenRouter(_base("ROUTER", "ModelRouter")):
    def preprocess(self, event):
        event.body["pre"] = True
        return event

    def postprocess(self, event):
        event.body["post"] = True
        return event


class MinVote(_base("VOTING", "VotingEnsemble")):
    def logic(self, predictions, weights):
        return [min(map(float, row)) for row in predictions]


RunnerModel = _base("MODEL", "Model")


class MR(RunnerModel):
    def __init__(self, *args, k=1, **kwargs):
        super().__init__(*args, **kwargs)
        self.k = k

    def predict(self, body, **kwargs):
        return {"out": self.k * body["n"]}

    async def predict_async(self, body, **kwargs):
        return {"aout": self.k * body["n"]}


class MRFail(RunnerModel):
    def predict(self, body, **kwargs):
        raise ValueError("mr failed")


class MRNoPredict(RunnerModel):
    """Has nothing to predict with."""


class MRStream(RunnerModel):
    def predict(self, body, **kwargs):
        yield {"tok": 0}
        yield {"tok": 1}


class PickFirst(_base("SELECTOR", "ModelSelector")):
    def select_models(self, event, available_models):
        picked = event.body.get("pick")
        return [picked] if picked else None
