"""PyTorch modules: TorchScript, weights, objects."""

import warnings

import pytest

from jupyter_graph.errors import SpecError
from jupyter_graph.steps.models.torch import PyTorchModelServer

torch = pytest.importorskip("torch")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::DeprecationWarning:torch.*"),
]


class Net(torch.nn.Module):
    def __init__(self, width=2):
        super().__init__()
        self.layer = torch.nn.Linear(width, 1)

    def forward(self, x):
        return self.layer(x)


class Two(torch.nn.Module):
    def forward(self, a, b):
        return {"sum": a + b, "product": a * b}


@pytest.fixture(scope="module")
def line():
    """Give a module that has learnt y = 2 x0 + 3 x1 - 1."""
    torch.manual_seed(1)
    module, rows = Net(), torch.rand(256, 2) * 2 - 1
    wanted = rows @ torch.tensor([[2.0], [3.0]]) - 1
    optimizer = torch.optim.Adam(module.parameters(), 0.1)
    for _ in range(300):
        optimizer.zero_grad()
        torch.nn.functional.mse_loss(module(rows), wanted).backward()
        optimizer.step()
    return module


def saved(module, path):
    """Save a module as its file's ending says."""
    if path.suffix == ".ts":
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            torch.jit.script(module).save(path)
    elif path.suffix == ".safetensors":
        pytest.importorskip("safetensors.torch").save_file(module.state_dict(), path)
    else:
        torch.save(module.state_dict(), path)
    return str(path)


def test_a_trained_module_answers(predict, line):
    found = predict(PyTorchModelServer, [[0, 0], [1, 1]], model=line)

    assert found == [[pytest.approx(-1, abs=0.1)], [pytest.approx(4, abs=0.1)]]


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("m.ts", {}),
        ("m.pt", {"model_class": Net}),
        ("m.pth", {"model_class": Net, "model_args": {"width": 2}}),
        ("m.safetensors", {"model_class": Net}),
    ],
)
def test_a_module_comes_from_its_file(predict, line, tmp_path, name, args):
    path = saved(line, tmp_path / name)
    rows = [[0.5, 0.25]]

    found = predict(PyTorchModelServer, rows, model_path=path, **args)
    assert found == predict(PyTorchModelServer, rows, model=line)


def test_tensors_go_in_and_come_out_by_name(ask, serve, tensor):
    tensors = [tensor("b", "FP32", [1], [3]), tensor("a", "FP32", [1], [2])]
    graph = serve(PyTorchModelServer, model=Two())
    answer = ask(graph, {"inputs": tensors}).body

    assert answer["outputs"] == [
        {"name": "sum", "datatype": "FP32", "shape": [1], "data": [5.0]},
        {"name": "product", "datatype": "FP32", "shape": [1], "data": [6.0]},
    ]


def test_inputs_that_are_no_numbers_are_the_callers_fault(ask, serve, line):
    answer = ask(serve(PyTorchModelServer, model=line), {"inputs": [["a", "b"]]})

    assert answer.status_code == 400
    assert "the inputs are no float32" in answer.body["detail"]


def test_weights_run_no_code(ready, tmp_path):
    touched = tmp_path / "touched"

    class Evil:
        def __reduce__(self):
            return (type(touched).touch, (touched,))

    torch.save({"layer.weight": Evil()}, tmp_path / "m.pt")
    with pytest.raises(SpecError, match=r"'m\.pt' is no state dict"):
        ready(PyTorchModelServer, model_path=str(tmp_path / "m.pt"), model_class=Net)
    assert not touched.exists()


@pytest.mark.parametrize(
    ("name", "args", "message"),
    [
        ("m.safetensors", {}, "holds weights; give model_class= too"),
        ("m.pt", {}, "is no TorchScript"),
        ("m.pt", {"model_class": Net, "model_args": {"width": 3}}, "does not fit"),
        ("m.pt", {"model_class": Net, "dtype": "float99"}, "dtype must be the name"),
    ],
)
def test_what_does_not_fit_is_refused(ready, line, tmp_path, name, args, message):
    path = saved(line, tmp_path / name)

    with pytest.raises(SpecError, match=message):
        ready(PyTorchModelServer, model_path=path, **args)
