"""PyTorch modules: TorchScript, weights, objects.

Its Triton and TensorFlow bring two copies of LLVM, which end a process that has both.
"""

import hashlib
import sys
import warnings

import pytest

from jupyter_graph import Graph
from jupyter_graph.errors import SpecError
from jupyter_graph.steps.models.frameworks.torch import PyTorchModelServer

if "tensorflow" in sys.modules:
    pytest.skip("TensorFlow is in this process", allow_module_level=True)
torch = pytest.importorskip("torch")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(60),
    pytest.mark.filterwarnings("ignore::DeprecationWarning:torch.*"),
    pytest.mark.filterwarnings("ignore:.*torch.jit:FutureWarning"),
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


class Looked(torch.nn.Module):
    """Adds a number to the weight of an id."""

    def __init__(self):
        super().__init__()
        self.table = torch.nn.Embedding.from_pretrained(torch.tensor([[1.0], [2.0]]))

    def forward(self, ids, x):
        return self.table(ids).squeeze(-1) + x


class Flat(Net):
    """Gives one number a row, and drops half of them while it learns."""

    def forward(self, x):
        return torch.dropout(self.layer(x), 0.5, self.training).squeeze(-1)


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


def test_answers_are_those_of_the_module_itself(ask, serve, tensor, line, tmp_path):
    graph = serve(
        PyTorchModelServer,
        model_path=saved(line, tmp_path / "m.safetensors"),
        model_class=Net,
    )
    rows = torch.rand(3, 2)
    body = {"inputs": [tensor("x", "FP32", [3, 2], rows.ravel().tolist())]}
    [output] = ask(graph, body, "/v2/models/m/infer").body["outputs"]

    assert (output["datatype"], output["shape"]) == ("FP32", [3, 1])
    assert output["data"] == line(rows).ravel().tolist()


@pytest.mark.parametrize("name", ["m.ts", "m.pt"])
def test_a_file_has_to_be_the_one_that_was_meant(ready, line, tmp_path, name):
    path = tmp_path / name
    saved(line, path)
    args = {} if path.suffix == ".ts" else {"model_class": Net}
    digest = hashlib.sha256(path.read_bytes()).hexdigest()

    assert ready(PyTorchModelServer, model_path=str(path), sha256=digest, **args).ready
    with pytest.raises(SpecError, match="it is not the file that was meant"):
        ready(PyTorchModelServer, model_path=str(path), sha256="0" * 64, **args)


def test_a_module_no_longer_learns(predict):
    module = Flat().train()
    rows = [[1, 1]] * 50

    assert len(set(predict(PyTorchModelServer, rows, model=module))) == 1


@pytest.mark.parametrize("scripted", [False, True])
def test_rows_by_name_go_to_the_arguments(predict, scripted, tmp_path):
    args = {"model": Two()}
    if scripted:
        args = {"model_path": saved(Two(), tmp_path / "m.ts")}

    found = predict(PyTorchModelServer, [{"b": 3, "a": 2}, {"a": 1, "b": 1}], **args)
    assert found == {"sum": [5.0, 2.0], "product": [6.0, 1.0]}


def test_columns_are_stacked_for_a_module_of_one_tensor(ask, serve, tensor, line):
    tensors = [tensor("b", "FP32", [1], [1]), tensor("a", "FP32", [1], [0])]
    graph = serve(PyTorchModelServer, model=line, inputs=["a", "b"])
    [output] = ask(graph, {"inputs": tensors}).body["outputs"]

    assert output["data"] == line(torch.tensor([[0.0, 1.0]])).ravel().tolist()


def test_arguments_may_have_types_of_their_own(ask, serve, tensor):
    tensors = [tensor("ids", "INT64", [2], [1, 0]), tensor("x", "FP64", [2], [0.5, 4])]
    dtype = {"ids": "int64", "x": "float64"}
    graph = serve(PyTorchModelServer, model=Looked().double(), dtype=dtype)
    [output] = ask(graph, {"inputs": tensors}).body["outputs"]

    assert (output["datatype"], output["data"]) == ("FP64", [2.5, 5.0])


class Halves(torch.nn.Module):
    def forward(self, x, times: float = 0.5):
        return x * times, (x > 1)


def test_several_outputs_have_numbers_for_names(ask, serve, predict, tensor):
    args = {"model": Halves(), "dtype": "bfloat16"}
    assert predict(PyTorchModelServer, [1, 3], **args) == [[0.5, 1.5], [False, True]]

    body = {"inputs": [tensor("x", "FP32", [2], [1, 3])]}
    outputs = ask(serve(PyTorchModelServer, **args), body).body["outputs"]
    names = [(one["name"], one["datatype"]) for one in outputs]
    assert names == [("output_0", "FP32"), ("output_1", "BOOL")]


def test_a_router_finds_the_module_and_its_version(ask, tensor, line):
    graph = Graph("nets", topology="router")
    graph.add_model("net:v1", PyTorchModelServer, model=line)
    graph.add_model("two", PyTorchModelServer, model=Two())
    body = {"inputs": [tensor("x", "FP32", [1, 2], [1, 1])]}
    answer = ask(graph, body, "/v2/models/net/versions/v1/infer").body

    assert answer["model_version"] == "v1"
    assert answer["outputs"][0]["data"] == line(torch.ones(1, 2)).ravel().tolist()


@pytest.mark.parametrize("outputs", ["numbers", "lists"])
def test_modules_vote(ask, outputs):
    kind = {"numbers": Flat, "lists": Net}[outputs]
    modules = [kind().eval(), kind().eval()]
    vote = {"router_class": "VotingEnsemble"}
    vote["router_args"] = {"vote_type": "regression"}
    graph = Graph("vote", topology="router", **vote)
    for number, module in enumerate(modules):
        graph.add_model(f"m{number}", PyTorchModelServer, model=module)
    found = ask(graph, {"inputs": [[1, 2]]}, "/v2/models/infer").body["outputs"]

    wanted = sum(module(torch.tensor([[1.0, 2.0]])) for module in modules) / 2
    assert torch.allclose(torch.tensor(found), wanted)


def test_tensors_go_in_and_come_out_by_name(ask, serve, tensor):
    tensors = [tensor("b", "FP32", [1], [3]), tensor("a", "FP32", [1], [2])]
    graph = serve(PyTorchModelServer, model=Two())
    answer = ask(graph, {"inputs": tensors}).body

    assert answer["outputs"] == [
        {"name": "sum", "datatype": "FP32", "shape": [1], "data": [5.0]},
        {"name": "product", "datatype": "FP32", "shape": [1], "data": [6.0]},
    ]


@pytest.mark.parametrize(
    ("args", "inputs", "message"),
    [
        pytest.param(
            {}, [["a", "b"]], "input 'x' is float32: 'a' is a text", id="text"
        ),
        pytest.param({}, [[1, 2], [3]], "must have the same shape", id="ragged"),
        pytest.param(
            {}, [[1, 2, 3]], "cannot take inputs of the shapes {'x': [1, 3]}", id="wide"
        ),
        pytest.param(
            {"inputs": [{"name": "in", "datatype": "FP32", "shape": [-1, 2]}]},
            [[1, 2, 3]],
            "input 'x' has the shape [-1, 2], got [1, 3]",
            id="said-shape",
        ),
        pytest.param(
            {"dtype": "int64"}, [[1, 2.5]], "is int64: 2.5 is no int64", id="fraction"
        ),
        pytest.param(
            {"dtype": "uint8"}, [[1, 300]], "is uint8: 300 is no uint8", id="large"
        ),
    ],
)
def test_inputs_that_do_not_fit_are_the_callers_fault(
    ask, serve, line, args, inputs, message
):
    graph = serve(PyTorchModelServer, model=line, **args)
    answer = ask(graph, {"inputs": inputs})

    assert answer.status_code == 400
    assert message in answer.body["detail"]


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ([[1, 2]], "takes the inputs ['ids', 'x'] by name, got inputs without names"),
        ([{"ids": 1}], "takes the inputs ['ids', 'x'] by name, got ['ids']"),
        ([{"ids": 2, "x": 1}], "index out of range"),
    ],
)
def test_names_and_ids_that_there_are_not_are_the_callers_fault(
    ask, serve, inputs, message
):
    graph = serve(PyTorchModelServer, model=Looked(), dtype={"ids": "int64"})
    answer = ask(graph, {"inputs": inputs})

    assert answer.status_code == 400
    assert message in answer.body["detail"]


class Broken(torch.nn.Module):
    def forward(self, x):
        raise RuntimeError("no luck")


def test_what_a_module_does_wrong_is_not_the_callers_fault(ask, serve):
    answer = ask(serve(PyTorchModelServer, model=Broken()), {"inputs": [[1]]})

    assert answer.status_code == 500


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ({"model_class": Net}, r"'m\.pt' is no state dict"),
        ({}, r"'m\.pt' is no TorchScript"),
    ],
)
@pytest.mark.parametrize("form", ["weights", "whole"])
def test_weights_run_no_code(ready, tmp_path, args, message, form):
    touched = tmp_path / "touched"

    class Evil:
        def __reduce__(self):
            return (type(touched).touch, (touched,))

    content = {"layer.weight": Evil()} if form == "weights" else Evil()
    torch.save(content, tmp_path / "m.pt")
    with pytest.raises(SpecError, match=message):
        ready(PyTorchModelServer, model_path=str(tmp_path / "m.pt"), **args)
    assert not touched.exists()


def test_a_whole_module_in_a_pickle_is_refused(ready, line, tmp_path):
    torch.save(line, tmp_path / "m.pt")

    with pytest.raises(SpecError, match=r"'m\.pt' is no state dict"):
        ready(PyTorchModelServer, model_path=str(tmp_path), model_class=Net)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("m.pkl", "is a pickle, which PyTorchModelServer does not open; save the"),
        ("m.pt2", r"reads .ts or .safetensors or .* files, got 'm.pt2'"),
    ],
)
def test_another_format_is_refused(ready, tmp_path, name, message):
    (tmp_path / name).write_bytes(b"")

    with pytest.raises(SpecError, match=message):
        ready(PyTorchModelServer, model_path=str(tmp_path / name), model_class=Net)


@pytest.mark.parametrize(
    ("name", "args", "message"),
    [
        ("m.safetensors", {}, "holds weights; give model_class= too"),
        ("m.pt", {}, "is no TorchScript"),
        ("m.pt", {"model_class": Net, "model_args": {"width": 3}}, "does not fit"),
        ("m.pt", {"model_class": Net, "dtype": "float99"}, "dtype must be the name"),
        ("m.pt", {"model_class": Net, "dtype": {"x": "f"}}, "dtype must be the name"),
        ("m.pt", {"model_class": dict}, "must be a torch.nn.Module, got a dict"),
        ("m.pt", {"model_class": Net, "model_args": {"size": 1}}, "argument 'size'"),
    ],
)
def test_what_does_not_fit_is_refused(ready, line, tmp_path, name, args, message):
    path = saved(line, tmp_path / name)

    with pytest.raises(SpecError, match=message):
        ready(PyTorchModelServer, model_path=path, **args)
