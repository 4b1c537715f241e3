"""A client of Triton's talks to models that the embedded host serves."""

import json
import os
import subprocess
import sys
import time
import urllib.request

import pytest

tritonclient = pytest.importorskip("tritonclient.http")
skops = pytest.importorskip("skops.io")

import numpy as np  # noqa: E402
from sklearn.linear_model import LogisticRegression  # noqa: E402
from tritonclient.utils import InferenceServerException  # noqa: E402

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.timeout(60)]

MAIN = """
from pathlib import Path
from jupyter_graph.host.handler import serve
init_context, handler = serve(Path(__file__).parent)
"""
STEPS = """
from jupyter_graph.steps import V2ModelServer

class Echo(V2ModelServer):
    def load(self):
        self.model = "loaded"
    def predict(self, request):
        return request["inputs"]
"""


def write_bundle(folder, model):
    """Write a bundle of a router over two models."""
    skops.dump(model, folder / "model.skops")
    args = {"model_path": str(folder / "model.skops")}
    routes = {
        "echo": {"class_name": "Echo", "kind": "task"},
        "flowers": {"class_name": "sklearn", "class_args": args, "kind": "task"},
    }
    graph = {"name": "models", "kind": "router", "routes": routes}
    (folder / "graph.json").write_text(json.dumps(graph))
    (folder / "main.py").write_text(MAIN)
    (folder / "steps.py").write_text(STEPS)
    (folder / "config.json").write_text("{}")


@pytest.fixture(scope="module")
def hosts(tmp_path_factory):
    """Give a function that starts a host for a bundle and gives its address."""
    started = []

    def start(folder):
        state = folder / "state" / "host.json"
        command = [
            sys.executable, "-m", "jupyter_graph.host", str(folder),
            "--state-file", str(state), "--log-file", str(folder / "log" / "host.log"),
        ]  # fmt: skip
        started.append(subprocess.Popen(command, env=os.environ))
        limit = time.monotonic() + 30
        while not state.exists():
            assert started[-1].poll() is None, "the host did not start"
            assert time.monotonic() < limit, "the host is not ready"
            time.sleep(0.05)
        return json.loads(state.read_text())["url"].removeprefix("http://")

    yield start
    for process in started:
        process.terminate()
        process.wait(15)


@pytest.fixture(scope="module")
def router_url(hosts, tmp_path_factory, flowers):
    folder = tmp_path_factory.mktemp("router")
    write_bundle(folder, LogisticRegression(max_iter=500).fit(*flowers))
    return hosts(folder)


@pytest.fixture(scope="module")
def step_url(hosts, router_url, tmp_path_factory):
    """Give the address of the model as the only step of a flow."""
    folder = tmp_path_factory.mktemp("flow")
    step = {"class_name": "Echo", "kind": "task", "responder": True}
    graph = {"name": "flow", "kind": "flow", "steps": {"echo": step}}
    (folder / "graph.json").write_text(json.dumps(graph))
    (folder / "main.py").write_text(MAIN)
    (folder / "steps.py").write_text(STEPS)
    (folder / "config.json").write_text("{}")
    return hosts(folder)


@pytest.fixture
def client(router_url):
    with tritonclient.InferenceServerClient(router_url) as opened:
        yield opened


@pytest.fixture
def step_client(step_url):
    with tritonclient.InferenceServerClient(step_url) as opened:
        yield opened


def tensor(name, datatype, array, *, binary):
    found = tritonclient.InferInput(name, list(array.shape), datatype)
    return found.set_data_from_numpy(array, binary_data=binary)


def wanted(name, *, binary):
    return [tritonclient.InferRequestedOutput(name, binary_data=binary)]


@pytest.mark.parametrize("question", ["live", "ready"])
def test_health_says_what_clients_of_kserve_read(router_url, question):
    with urllib.request.urlopen(f"http://{router_url}/v2/health/{question}") as answer:
        assert json.load(answer) == {question: True}


@pytest.mark.parametrize("binary", [False, True], ids=["json", "binary"])
def test_a_request_through_the_router_may_be_binary(client, binary):
    array = np.arange(6, dtype=np.float32).reshape(2, 3)
    sent = tensor("x", "FP32", array, binary=binary)
    found = client.infer("echo", [sent], outputs=[wanted("output_0", binary=binary)[0]])

    assert found.as_numpy("output_0").tolist() == array.tolist()


def test_server_and_models_are_live_and_ready(client):
    assert client.is_server_live()
    assert client.is_server_ready()
    assert client.is_model_ready("flowers")
    assert client.get_server_metadata()["name"] == "ModelRouter"


def test_metadata_tell_the_tensors(client):
    metadata = client.get_model_metadata("flowers")

    assert (metadata["name"], metadata["platform"]) == ("flowers", "sklearn")
    assert metadata["inputs"][0]["shape"] == [-1, 4]


def test_a_model_predicts_the_classes_of_rows(client, flowers):
    rows, classes = flowers
    inputs = [tensor("x", "FP64", rows, binary=False)]
    outputs = wanted("predict", binary=False)
    result = client.infer("flowers", inputs, outputs=outputs, request_id="r-1")

    assert (result.as_numpy("predict") == classes).mean() > 0.95
    assert result.get_response()["id"] == "r-1"


TYPES = [
    ("BOOL", [[True], [False]], bool),
    ("INT8", [[-128, 127]], "int8"),
    ("UINT64", [2**64 - 1], "uint64"),
    ("FP16", [0.5, -2.0], "float16"),
    ("FP32", [[[1.5]]], "float32"),
    ("FP64", [0.1], "float64"),
    ("BYTES", ["a", "ß"], object),
]


@pytest.mark.parametrize("binary", [False, True], ids=["json", "binary"])
@pytest.mark.parametrize(("datatype", "values", "kind"), TYPES)
def test_values_of_each_type_come_back(step_client, datatype, values, kind, binary):
    array = np.array(values, dtype=kind)
    inputs = [tensor("x", datatype, array, binary=binary)]
    outputs = wanted("output_0", binary=binary)
    found = step_client.infer("echo", inputs, outputs=outputs).as_numpy("output_0")

    if datatype == "BYTES":  # in binary the client keeps them as bytes
        found = np.array([v.decode() if isinstance(v, bytes) else v for v in found])
    assert found.tolist() == values


def test_without_a_wish_all_outputs_come_in_binary(step_client):
    array = np.array([1.5], "float32")
    result = step_client.infer("echo", [tensor("x", "FP32", array, binary=True)])

    assert result.as_numpy("output_0").tolist() == [1.5]


@pytest.mark.parametrize(
    ("model", "shape", "message"),
    [
        pytest.param("flowers", (1, 3), "takes rows of 4 features, got 3", id="rows"),
        pytest.param("ghost", (1, 4), "model ghost doesnt exist", id="model"),
    ],
)
def test_a_wrong_request_raises_what_is_wrong(client, model, shape, message):
    inputs = [tensor("x", "FP64", np.ones(shape), binary=False)]

    with pytest.raises(InferenceServerException, match=message):
        client.infer(model, inputs)
