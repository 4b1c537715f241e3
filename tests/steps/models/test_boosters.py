"""XGBoost and LightGBM models, as objects and from files."""

import pytest

from jupyter_graph.errors import SpecError
from jupyter_graph.steps.models.frameworks.lightgbm import LightGBMModelServer
from jupyter_graph.steps.models.frameworks.xgboost import XGBoostModelServer

pytest.importorskip("sklearn")
xgboost = pytest.importorskip("xgboost")
lightgbm = pytest.importorskip("lightgbm")

KINDS = ["xgboost", "lightgbm"]
SERVERS = {"xgboost": XGBoostModelServer, "lightgbm": LightGBMModelServer}
QUIET = {"verbose": -1, "num_threads": 1}


def trained(kind, rows, classes, objective, **params):
    if kind == "xgboost":
        data = xgboost.DMatrix(rows, classes, nthread=1)
        given = {"objective": objective, "nthread": 1, **params}
        return xgboost.train(given, data, 5)
    data = lightgbm.Dataset(rows, classes, params=QUIET)
    return lightgbm.train({"objective": objective, **QUIET, **params}, data, 5)


def own(kind, model, rows, **options):
    """Give what a booster says itself."""
    if kind == "xgboost":
        return model.predict(xgboost.DMatrix(rows), **options)
    return model.predict(rows, **options)


@pytest.fixture(scope="session", params=KINDS)
def kind(request):
    return request.param


@pytest.fixture(scope="session")
def binary(kind, flowers):
    rows, classes = flowers
    objective = {"xgboost": "binary:logistic", "lightgbm": "binary"}[kind]
    return trained(kind, rows[50:], classes[50:] - 1, objective)


@pytest.fixture(scope="session")
def several(kind, flowers):
    objective = {"xgboost": "multi:softprob", "lightgbm": "multiclass"}[kind]
    return trained(kind, *flowers, objective, num_class=3)


@pytest.fixture
def rows(flowers):
    return flowers[0][::15]


def test_a_booster_answers_as_it_would_itself(predict, kind, binary, rows):
    found = predict(SERVERS[kind], rows.tolist(), model=binary)

    assert found == pytest.approx(own(kind, binary, rows))


def test_a_model_comes_from_its_own_file(predict, kind, several, rows, tmp_path):
    for ending in SERVERS[kind].suffixes:
        path = tmp_path / f"model{ending}"
        several.save_model(path)
        found = predict(SERVERS[kind], rows.tolist(), model_path=str(path))

        expected = own(kind, several, rows).tolist()
        assert [pytest.approx(row) for row in expected] == found


def test_probabilities_are_of_all_classes(predict, kind, binary, several, rows):
    args = {"method": "predict_proba"}
    two = predict(SERVERS[kind], rows.tolist(), model=binary, **args)
    three = predict(SERVERS[kind], rows.tolist(), model=several, **args)

    assert [row[1] for row in two] == pytest.approx(own(kind, binary, rows))
    assert [sum(row) for row in two] == pytest.approx([1.0] * len(rows))
    assert {len(row) for row in three} == {3}


def test_raw_scores_are_before_the_last_function(predict, kind, binary, rows):
    found = predict(SERVERS[kind], rows.tolist(), model=binary, method="raw_score")

    word = {"xgboost": "output_margin", "lightgbm": "raw_score"}[kind]
    assert found == pytest.approx(own(kind, binary, rows, **{word: True}))


def test_classes_may_have_names(predict, kind, binary, several, flowers):
    few = flowers[0][[0, 75, 140]].tolist()
    three = predict(SERVERS[kind], few, model=several, classes=["a", "b", "c"])
    two = predict(SERVERS[kind], few[1:], model=binary, classes=["b", "c"])

    assert (three, two) == (["a", "b", "c"], ["b", "c"])


def test_a_fitted_classifier_gives_its_classes(predict, kind, flowers):
    made = {
        "xgboost": lambda: xgboost.XGBClassifier(n_estimators=5, n_jobs=1),
        "lightgbm": lambda: lightgbm.LGBMClassifier(
            n_estimators=5, n_jobs=1, verbose=-1
        ),
    }
    model = made[kind]().fit(*flowers)
    few = flowers[0][[0, 75, 140]]

    assert predict(SERVERS[kind], few.tolist(), model=model) == [0, 1, 2]
    args = {"model": model, "method": "predict_proba"}
    found = predict(SERVERS[kind], few.tolist(), **args)
    assert [len(row) for row in found] == [3, 3, 3]


def test_a_saved_classifier_is_a_classifier_again(predict, flowers, tmp_path):
    model = xgboost.XGBClassifier(n_estimators=5, n_jobs=1).fit(*flowers)
    path = tmp_path / "model.ubj"
    model.save_model(path)
    few = flowers[0][[0, 75, 140]].tolist()

    assert predict(XGBoostModelServer, few, model_path=str(path)) == [0, 1, 2]


def test_features_by_name_find_their_place(predict, kind, flowers):
    import pandas as pd

    names = ["sl", "sw", "pl", "pw"]
    frame = pd.DataFrame(flowers[0], columns=names)
    objective = {"xgboost": "reg:squarederror", "lightgbm": "regression"}[kind]
    model = trained(kind, frame, flowers[1], objective)
    row = dict(zip(names, flowers[0][140], strict=True))
    turned = dict(reversed(row.items()))

    args = {"model": model}
    by_place = predict(SERVERS[kind], [list(row.values())], **args)
    assert predict(SERVERS[kind], [turned], **args) == by_place
    assert predict(SERVERS[kind], [{k: [v] for k, v in turned.items()}], **args) == (
        by_place
    )


def test_missing_values_are_missing(predict, kind, binary):
    [found] = predict(SERVERS[kind], [[None, 3.0, None, 1.5]], model=binary)

    assert 0 < found < 1


def test_a_request_by_tensor_gives_a_tensor(ask, serve, tensor, kind, binary):
    body = {"inputs": [tensor("x", "FP32", [2, 4], [1.0] * 8)]}
    [output] = ask(serve(SERVERS[kind], model=binary), body).body["outputs"]

    assert (output["name"], output["shape"]) == ("predict", [2])
    assert output["datatype"] == {"xgboost": "FP32", "lightgbm": "FP64"}[kind]


def test_metadata_tell_the_number_of_features(ask, serve, kind, binary):
    metadata = ask(serve(SERVERS[kind], model=binary), None, "/", "GET").body

    assert metadata["platform"] == kind
    assert metadata["inputs"][0]["shape"] == [-1, 4]


def test_rows_that_do_not_fit_are_the_callers_fault(ask, serve, kind, binary):
    answer = ask(serve(SERVERS[kind], model=binary), {"inputs": [[1, 2, 3]]})

    assert answer.status_code == 400
    assert answer.body["detail"] == "model m takes rows of 4 features, got 3"


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ({"method": "fit"}, "method must be one of predict, predict_proba, raw_score"),
        ({"threads": 0}, "threads must be a number of at least 1, got 0"),
        ({"threads": True}, "threads must be a number of at least 1, got True"),
        ({"classes": "ab"}, "classes must be a list of two or more, got 'ab'"),
        ({"classes": ["a"]}, "classes must be a list of two or more"),
        ({"classes": 5}, "classes must be a list of two or more, got 5"),
    ],
)
def test_a_wrong_argument_is_refused(kind, args, message):
    with pytest.raises(SpecError, match=message):
        SERVERS[kind](model=1, **args)


def test_a_model_that_does_not_classify_has_no_probabilities(ready, kind, flowers):
    objective = {"xgboost": "reg:squarederror", "lightgbm": "regression"}[kind]
    model = trained(kind, *flowers, objective)

    with pytest.raises(SpecError, match=f"{objective}.* has no probabilities"):
        ready(SERVERS[kind], model=model, method="predict_proba")


@pytest.mark.parametrize("data", [b"", b"{}", b"nonsense", b"\x80\x04pickle"])
def test_a_file_that_holds_no_model_is_refused(ready, kind, tmp_path, data):
    path = tmp_path / f"model{SERVERS[kind].suffixes[0]}"
    path.write_bytes(data)

    with pytest.raises(SpecError, match=r"is no (XGBoost|LightGBM) model"):
        ready(SERVERS[kind], model_path=str(path))


def test_a_pickle_is_refused(ready, kind, tmp_path):
    (tmp_path / "model.pkl").write_bytes(b"")

    with pytest.raises(SpecError, match=r"holds no \.(json|txt)"):
        ready(SERVERS[kind], model_path=str(tmp_path))
    with pytest.raises(SpecError, match=r"'model\.pkl' is a pickle"):
        ready(SERVERS[kind], model_path=str(tmp_path / "model.pkl"))
