"""Finding model files: paths, folders, URLs, what they must be."""

import hashlib

import pytest

from jupyter_graph import Graph
from jupyter_graph.errors import SpecError
from jupyter_graph.steps import V2ModelServer
from jupyter_graph.steps.models.model_files import (
    CACHE_VARIABLE,
    ExtraFile,
    cache_folder,
    check_sha256,
    digest_of,
    find_model,
    local_copy,
)


def sha256(data):
    return hashlib.sha256(data).hexdigest()


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "model.bin").write_bytes(b"weights")
    (tmp_path / "notes.txt").write_text("notes")
    return tmp_path


@pytest.fixture
def store(monkeypatch, tmp_path):
    """Give fsspec's store in memory, and a cache of this test's own."""
    fsspec = pytest.importorskip("fsspec")
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    memory = fsspec.filesystem("memory")
    memory.pipe("/models/m.bin", b"weights")
    yield memory
    memory.rm("/models", recursive=True)


@pytest.mark.parametrize(
    "path",
    [
        pytest.param("{}/model.bin", id="file"),
        pytest.param("{}", id="folder"),
        pytest.param("file://{}/model.bin", id="url"),
    ],
)
def test_a_model_is_a_file_or_the_only_one_of_its_kind_in_a_folder(folder, path):
    found = find_model(path.format(folder), (".bin", ".pt"))

    assert found.path == folder / "model.bin"
    assert found.read() == b"weights"


def test_a_folder_may_be_the_model(folder):
    assert find_model(str(folder)).path == folder


def test_what_does_not_fit_in_a_folder_is_said(folder):
    with pytest.raises(SpecError, match=r"holds no \.onnx file, but model.bin, notes"):
        find_model(str(folder), (".onnx",))
    (folder / "other.bin").write_bytes(b"")
    with pytest.raises(SpecError, match=r"several \.bin files: model.bin, other.bin"):
        find_model(str(folder), (".bin",))


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("nowhere.bin", "there is no file or folder 'nowhere.bin'"),
        ("store://models/default/m:latest", "is kept by an MLRun server"),
        ("memory://models/none.bin", "'memory://models/none.bin' cannot be read"),
        ("nothing-like-it://m.bin", "cannot be read"),
    ],
)
def test_a_model_that_is_not_there_is_refused(path, message, store):
    with pytest.raises(SpecError, match=message):
        local_copy(path)


@pytest.mark.parametrize("door", ["read", "checked"])
def test_a_file_that_is_not_the_one_that_was_meant_is_refused(folder, door):
    path = str(folder / "model.bin")
    getattr(find_model(path, sha256=sha256(b"weights").upper()), door)()

    with pytest.raises(SpecError, match="it is not the file that was meant"):
        getattr(find_model(path, sha256="0" * 64), door)()


def test_a_folder_has_one_digest_for_all_its_files(folder):
    before = digest_of(folder)
    assert find_model(str(folder), sha256=before).checked() == folder

    (folder / "notes.txt").rename(folder / "notes2.txt")
    assert digest_of(folder) != before


@pytest.mark.parametrize("wrong", ["abc", 5, "g" * 64, ""])
def test_a_digest_has_64_hexadecimal_digits(wrong):
    with pytest.raises(SpecError, match="sha256 must be 64 hexadecimal digits, got"):
        check_sha256(wrong)


def test_a_url_is_copied_once_for_each_version(store):
    first = local_copy("memory://models/m.bin")
    again = local_copy("memory://models/m.bin")
    store.rm("/models/m.bin")
    store.pipe("/models/m.bin", b"weights of tomorrow")
    later = local_copy("memory://models/m.bin")

    assert first == again
    assert first.read_bytes() == b"weights"
    assert later.read_bytes() == b"weights of tomorrow"
    assert cache_folder().stat().st_mode & 0o777 == 0o700
    assert first.is_relative_to(cache_folder())


def test_a_folder_is_copied_whole(store):
    store.pipe("/models/deep/x.txt", b"x")
    copy = local_copy("memory://models")

    assert (copy / "m.bin").read_bytes() == b"weights"
    assert (copy / "deep" / "x.txt").read_bytes() == b"x"


SPEC = """
kind: model
spec:
  model_file: model.bin
  inputs: [{name: age, value_type: int}, {name: income, value_type: float}]
  outputs: [{name: risk, value_type: float}]
  parameters: {limit: 0.5}
  extra_data: {classes: classes.csv, far: "memory://models/m.bin"}
"""


class Described(V2ModelServer):
    def load(self):
        path, self.extra = self.get_model(".bin")
        self.model = path

    def predict(self, request):
        return request["inputs"]

    def op_parts(self, event):
        classes = self.extra["classes"].as_df()["name"].tolist()
        return [classes, self.extra["far"].get().decode(), self.get_param("limit")]


@pytest.fixture
def described(folder, store):
    (folder / "model_spec.yaml").write_text(SPEC)
    (folder / "classes.csv").write_text("name\nlow\nhigh\n")
    graph = Graph("one_model")
    graph.to(Described, name="m", model_path=str(folder)).respond()
    return graph


def test_a_model_spec_names_file_features_parameters_and_more(ask, described):
    rows = {"inputs": [{"income": 3.5, "age": 40}]}

    assert ask(described, rows, "/infer_dict").body["outputs"] == [[40, 3.5]]
    assert ask(described, {}, "/parts").body == [["low", "high"], "weights", 0.5]
    metadata = ask(described, None, "/", "GET").body
    assert metadata["outputs"] == [{"name": "risk", "value_type": "float"}]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[", "is not YAML"),
        ("7", "must hold a mapping, got int"),
        ("spec: {}", "names no model_file"),
        ("model_file: gone.bin", "names the model_file 'gone.bin': not there"),
        ("{model_file: model.bin, inputs: [7]}", "inputs must be names, or mappings"),
    ],
)
def test_a_wrong_model_spec_is_refused(folder, text, message):
    (folder / "model_spec.yaml").write_text(text)

    with pytest.raises(SpecError, match=message):
        find_model(str(folder), (".bin",))


def test_a_model_without_a_path_has_no_file():
    assert Described().get_model() == (None, None)


def test_a_table_that_is_none_is_refused(folder):
    with pytest.raises(SpecError, match=r"notes\.txt is no table; known are"):
        ExtraFile(str(folder / "notes.txt")).as_df()
