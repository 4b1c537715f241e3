"""Scikit-learn models, as objects and from files."""

import hashlib
import pickle

import pytest

from jupyter_graph.errors import SpecError
from jupyter_graph.steps import load_block
from jupyter_graph.steps.models.frameworks.sklearn import SklearnModelServer

pytest.importorskip("sklearn")
skops = pytest.importorskip("skops.io")

import joblib  # noqa: E402
import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
from sklearn.cluster import KMeans  # noqa: E402
from sklearn.linear_model import LinearRegression, LogisticRegression  # noqa: E402
from sklearn.pipeline import make_pipeline  # noqa: E402
from sklearn.preprocessing import FunctionTransformer, StandardScaler  # noqa: E402

NAMES = ["sepal length", "sepal width", "petal length", "petal width"]


@pytest.fixture(scope="session")
def classifier(flowers):
    return make_pipeline(StandardScaler(), LogisticRegression()).fit(*flowers)


@pytest.fixture(scope="session")
def named(flowers):
    rows, classes = flowers
    return LogisticRegression(max_iter=500).fit(
        pd.DataFrame(rows, columns=NAMES), classes
    )


@pytest.fixture
def file(classifier, tmp_path):
    skops.dump(classifier, tmp_path / "model.skops")
    return tmp_path / "model.skops"


def test_a_fitted_model_answers_as_it_would_itself(predict, classifier, flowers):
    rows = flowers[0][::25].tolist()

    found = predict(SklearnModelServer, rows, model=classifier)
    assert found == classifier.predict(rows).tolist()


@pytest.mark.parametrize(
    "method", ["predict", "predict_proba", "predict_log_proba", "decision_function"]
)
def test_a_method_is_chosen(predict, classifier, flowers, method):
    rows = flowers[0][:2].tolist()

    found = predict(SklearnModelServer, rows, model=classifier, method=method)
    assert found == getattr(classifier, method)(rows).tolist()


def test_a_model_comes_from_a_file_or_its_folder(predict, classifier, file, flowers):
    rows = flowers[0][::25].tolist()
    expected = classifier.predict(rows).tolist()
    digest = hashlib.sha256(file.read_bytes()).hexdigest()

    assert predict(SklearnModelServer, rows, model_path=str(file)) == expected
    pinned = {"model_path": str(file.parent), "sha256": digest}
    assert predict(SklearnModelServer, rows, **pinned) == expected


@pytest.mark.parametrize(
    "inputs",
    [
        pytest.param([{n: v for v, n in enumerate(NAMES)}], id="rows-by-name"),
        pytest.param([{n: v for v, n in enumerate(NAMES[::-1])}], id="other-values"),
        pytest.param([{n: [v, v + 1] for v, n in enumerate(NAMES)}], id="columns"),
        pytest.param([[0, 1, 2, 3]], id="rows"),
    ],
)
def test_features_may_come_by_name(predict, named, inputs):
    first = inputs[0]
    frame = pd.DataFrame([first], columns=NAMES)
    if isinstance(first, dict) and isinstance(first[NAMES[0]], list):
        frame = pd.DataFrame(first)

    found = predict(SklearnModelServer, inputs, model=named, method="predict_proba")
    assert found == named.predict_proba(frame).tolist()


def test_inputs_by_name_need_no_list_of_names(ask, serve, named):
    row = dict(zip(NAMES, [5.1, 3.5, 1.4, 0.2], strict=True))
    graph = serve(SklearnModelServer, model=named)

    assert ask(graph, {"inputs": [row]}, "/infer_dict").body["outputs"] == [0]


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ([[1, 2, 3]], "model m takes rows of 4 features, got 3"),
        ([1, 2, 3, 4], r"model m takes rows of 4 features, got the shape (4,)"),
        ([[1, 2], [3]], "all inputs must have the same shape, got rows of [1, 2]"),
        ([{"sepal length": 1}], "an input has no 'sepal width'; the features are"),
        (
            [{"sepal length": [1]}],
            "there is no input ['sepal width', 'petal length', 'petal width']",
        ),
        (
            [dict(zip(NAMES, [[1], [1], [1], [1, 2]], strict=True))],
            "all inputs must have the same number of rows",
        ),
    ],
)
def test_rows_that_do_not_fit_are_the_callers_fault(ask, serve, named, inputs, message):
    answer = ask(serve(SklearnModelServer, model=named), {"inputs": inputs})

    assert answer.status_code == 400
    assert message in answer.body["detail"]


def test_a_request_by_tensor_gives_a_tensor(ask, serve, tensor, classifier):
    body = {"inputs": [tensor("x", "FP64", [1, 4], [5.1, 3.5, 1.4, 0.2])]}
    graph = serve(SklearnModelServer, model=classifier)

    assert ask(graph, body).body["outputs"] == [
        {"name": "predict", "datatype": "INT64", "shape": [1], "data": [0]}
    ]


def test_tensors_by_name_are_columns(ask, serve, tensor, named):
    row = zip(NAMES, [5.1, 3.5, 1.4, 0.2], strict=True)
    body = {"inputs": [tensor(name, "FP64", [1], [v]) for name, v in row]}
    body["inputs"].reverse()
    answer = ask(serve(SklearnModelServer, model=named), body)

    assert answer.body["outputs"][0]["data"] == [0]


def test_metadata_tell_the_features(ask, serve, classifier):
    metadata = ask(serve(SklearnModelServer, model=classifier), None, "/", "GET").body

    assert metadata["platform"] == "sklearn"
    assert metadata["inputs"] == [
        {"name": "input_0", "datatype": "FP64", "shape": [-1, 4]}
    ]


def test_an_explanation_names_the_model(ask, serve, classifier):
    body = {"inputs": [[1, 2, 3, 4]]}
    answer = ask(serve(SklearnModelServer, model=classifier), body, "/explain").body

    assert "Pipeline" in answer["outputs"]


def test_missing_values_are_numbers_too(predict):
    model = LinearRegression().fit([[0.0], [1.0]], [0.0, 2.0])
    rows = [[1.0], [None]]

    with pytest.raises(ValueError, match="NaN"):
        predict(SklearnModelServer, rows, model=model)


def test_texts_go_in_as_they_are(predict):
    from sklearn.feature_extraction.text import CountVectorizer
    from sklearn.naive_bayes import MultinomialNB

    model = make_pipeline(CountVectorizer(), MultinomialNB())
    model.fit(["good fine", "bad awful"], ["+", "-"])

    assert predict(SklearnModelServer, ["fine", "awful"], model=model) == ["+", "-"]


def reshape(rows):
    return np.asarray(rows)


def test_types_in_a_file_must_be_trusted_by_name(ready, tmp_path):
    model = make_pipeline(FunctionTransformer(reshape), LinearRegression())
    model.fit([[0.0], [1.0]], [0.0, 2.0])
    path = tmp_path / "m.skops"
    skops.dump(model, path)
    [name] = skops.get_untrusted_types(file=path)

    with pytest.raises(SpecError, match=f"nobody has trusted: {name}"):
        ready(SklearnModelServer, model_path=str(path))
    trusting = ready(SklearnModelServer, model_path=str(path), trusted=[name])
    assert trusting.predict({"inputs": [[2.0]]}) == [pytest.approx(4.0)]


@pytest.fixture(params=["pkl", "pickle", "joblib"])
def pickled(request, classifier, tmp_path):
    path = tmp_path / f"model.{request.param}"
    joblib.dump(classifier, path) if request.param == "joblib" else path.write_bytes(
        pickle.dumps(classifier)
    )
    return path


def test_a_pickle_is_opened_for_whoever_says_which_one(predict, pickled, flowers):
    rows = flowers[0][:1].tolist()
    args = {"model_path": str(pickled)}
    digest = hashlib.sha256(pickled.read_bytes()).hexdigest()

    with pytest.raises(SpecError, match="is a pickle, which runs whatever code is in"):
        predict(SklearnModelServer, rows, **args)
    with pytest.raises(SpecError, match="it is not the file that was meant"):
        predict(SklearnModelServer, rows, **args, trust_pickle=True, sha256="0" * 64)
    trusted = {**args, "trust_pickle": True, "sha256": digest}
    assert predict(SklearnModelServer, rows, **trusted) == [0]


def test_a_pickle_that_was_not_trusted_does_not_run(ready, tmp_path):
    path = tmp_path / "evil.pkl"
    touched = tmp_path / "touched"

    class Evil:
        def __reduce__(self):
            return (type(touched).touch, (touched,))

    path.write_bytes(pickle.dumps(Evil()))
    with pytest.raises(SpecError, match="is a pickle"):
        ready(SklearnModelServer, model_path=str(path))
    assert not touched.exists()


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ({}, "needs a model: give model=, or model_path="),
        ({"model": 1, "method": "fit"}, "method must be one of predict, .*: 'fit'"),
        ({"model": 1, "trusted": "a.B"}, "trusted must be a list of types, got 'a.B'"),
        ({"model": 1, "sha256": "x"}, "sha256 must be 64 hexadecimal digits, got 'x'"),
        ({"model": 1, "trust_pickle": True}, "trust_pickle=True needs sha256="),
        ({"model": 1, "trust_pickle": "yes"}, "trust_pickle must be True or False"),
    ],
)
def test_a_wrong_argument_is_refused(args, message):
    with pytest.raises(SpecError, match=message):
        SklearnModelServer(**args)


def test_a_model_without_the_method_is_refused(ready):
    with pytest.raises(SpecError, match="KMeans has no method 'predict_proba'"):
        ready(SklearnModelServer, model=KMeans(), method="predict_proba")


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("m.txt", b"x", r"SklearnModelServer reads .skops files, got 'm.txt'"),
        ("m.skops", b"x", "failed to load model m"),
    ],
)
def test_a_file_that_holds_no_model_is_refused(ready, tmp_path, name, data, message):
    (tmp_path / name).write_bytes(data)

    with pytest.raises(SpecError, match=message):
        ready(SklearnModelServer, model_path=str(tmp_path / name))


@pytest.mark.parametrize(
    "name",
    [
        "sklearn",
        "SklearnModelServer",
        "mlrun.frameworks.sklearn.SKLearnModelServer",
        "mlrun.frameworks.sklearn.PickleModelServer",
    ],
)
def test_documents_find_it_under_its_names(name):
    assert load_block(name) is SklearnModelServer
