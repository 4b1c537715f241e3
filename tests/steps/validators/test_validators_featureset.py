"""FeaturesetValidator: MLRun's documents, acting."""

import json

import pandas as pd
import pytest

from jupyter_graph import Graph
from jupyter_graph.errors import SpecError
from jupyter_graph.steps import FeaturesetValidator
from jupyter_graph.steps.validators.violations import ViolationError

# what FeatureSet.to_dict() of MLRun 1.12.1 gives, cut to what is read
QUOTES = {
    "kind": "FeatureSet",
    "metadata": {"name": "quotes"},
    "spec": {
        "entities": [{"name": "ticker", "value_type": "str"}],
        "features": [
            {
                "name": "bid",
                "value_type": "float",
                "validator": {"kind": "minmax", "check_type": True, "min": 52},
            },
            {
                "name": "ticker",
                "value_type": "str",
                "validator": {"kind": "minmaxlen", "min": 1, "max": 4},
            },
            {
                "name": "code",
                "value_type": "str",
                "validator": {
                    "kind": "regex",
                    "regex": r"(\b[A-Za-z]{1}[0-9]{7}\b)",
                    "severity": "info",
                },
            },
            {"name": "time", "value_type": "datetime"},
        ],
    },
}
GOOD = {"ticker": "MSFT", "bid": 52.5, "code": "A1234567", "time": "2024-05-01"}
BAD = {"ticker": "GOOGL", "bid": 51.97, "code": "1234567"}
URI = "store://feature-sets/stocks/quotes"


def quotes_graph(class_name="mlrun.feature_store.steps.FeaturesetValidator", **args):
    graph = Graph("quotes")
    graph.to(class_name, name="check", **args).respond()
    return graph


def test_a_feature_set_acts(ask):
    answer = ask(quotes_graph(featureset=QUOTES), BAD)

    assert answer.status_code == 422
    assert answer.body["detail"] == (
        "2 violations: field 'bid' is 51.97, must be 52 or more; "
        "field 'ticker' is 'GOOGL', must have a length from 1 to 4"
    )


@pytest.mark.parametrize("columns", [["ticker"], "ticker"])
def test_columns_limit_what_is_looked_at(columns):
    step = FeaturesetValidator(QUOTES, columns, on_violation="tag")

    assert [one["field"] for one in step.do(BAD)["violations"]] == ["ticker"]


def test_a_severity_of_info_is_counted_and_acts_when_asked():
    step = FeaturesetValidator(QUOTES, ["code"])
    acting = FeaturesetValidator(QUOTES, ["code"], act_on="info")

    assert step.do(BAD) is BAD
    assert step.counts["fields"] == {"code": 1}
    with pytest.raises(ViolationError, match="field 'code' is '1234567', must match"):
        acting.do(BAD)


def test_the_uri_of_an_mlrun_document_is_a_parameter_of_the_runner(run_graph):
    document = {
        "steps": {
            "check": {
                "kind": "task",
                "class_name": "mlrun.feature_store.steps.FeaturesetValidator",
                "class_args": {"featureset": URI, "columns": ["bid"]},
                "responder": True,
            }
        }
    }
    parameters = {"featuresets": {URI: QUOTES}}
    graph = Graph.from_dict(document)

    assert run_graph(graph, [GOOD], parameters=parameters) == [GOOD]


@pytest.mark.parametrize("columns", [["time"], ["any"]])
def test_features_without_rules_let_every_body_pass(columns, caplog):
    any_text = {"name": "any", "validator": {"kind": "", "check_type": True}}
    document = {"features": [*QUOTES["spec"]["features"], any_text]}
    step = FeaturesetValidator(document, columns)

    assert step.do(BAD) is BAD
    assert "no feature has a validator, every body passes" in caplog.text


@pytest.mark.parametrize("suffix", [".json", ".yaml"])
def test_a_feature_set_may_be_a_file(tmp_path, suffix):
    path = tmp_path / f"quotes{suffix}"
    path.write_text(json.dumps(QUOTES))

    assert FeaturesetValidator(str(path)).do(GOOD) is GOOD


@pytest.mark.parametrize(
    "features",
    [
        pytest.param({"bid": {"kind": "minmax", "min": 52}}, id="validator"),
        pytest.param({"bid": {"validator": {"kind": "minmax", "min": 52}}},
                     id="feature"),
        pytest.param([{"name": "bid", "validator": {"kind": "minmax", "min": 52}}],
                     id="list"),
        pytest.param({"bid": {"kind": "mlrun.features.MinMaxValidator", "min": 52}},
                     id="class"),
    ],
)  # fmt: skip
def test_features_have_several_forms(features):
    step = FeaturesetValidator(features=features, on_violation="drop")

    assert step.do(GOOD) is GOOD
    assert not step.do(BAD)


@pytest.mark.parametrize(
    ("value_type", "good", "bad"),
    [
        ("int8", [-128, 127, 3.5], [128, -129, "x", None]),
        ("uint8", [0, 255], [-1, 256]),
        ("int", [2**63 - 1], [2**63]),
        ("uint64", [2**64 - 1], [2**64]),
        ("float", [1, "1.5", float("inf")], ["x", [], None]),
        ("bytes", [b"x"], ["x", 5]),
        ("str", ["x", 5], []),
    ],
)
def test_check_type_holds_values_against_the_features_type(value_type, good, bad):
    validator = {"kind": "regex", "check_type": True}
    if value_type == "str":
        validator["regex"] = None
    feature = {"value_type": value_type, "validator": validator}
    both = {"x": feature, "y": {"kind": "minmax", "min": 0}}
    step = FeaturesetValidator(features=both, on_violation="drop")

    assert [v for v in good if not step.do({"x": v})] == []
    assert [v for v in bad if step.do({"x": v})] == []


@pytest.mark.parametrize(
    ("body", "is_valid"),
    [({}, True), ({"bid": None}, False), ({"bid": "52"}, False), ({"bid": 52}, True)],
)
def test_a_feature_may_be_missing_but_not_none(body, is_valid):
    step = FeaturesetValidator(features={"bid": {"kind": "minmax", "min": 52}},
                               on_violation="drop")  # fmt: skip

    assert (step.do(body) is body) == is_valid


def test_a_features_name_may_have_dots():
    step = FeaturesetValidator(features={"a.b": {"kind": "minmax", "min": 1}},
                               on_violation="drop")  # fmt: skip

    assert step.do({"a.b": 1}) == {"a.b": 1}
    assert not step.do({"a.b": 0})


def test_rows_of_a_table_are_named():
    frame = pd.DataFrame([GOOD, BAD]).set_index("time")
    frame.index = ["r1", "r2"]

    with pytest.raises(
        ViolationError, match=r"^2 violations: row 'r2': field 'bid' is"
    ):
        FeaturesetValidator(QUOTES).do(frame)


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ({}, "no feature set for featureset=None"),
        ({"featureset": URI}, "name it in the runner's parameter 'featuresets'"),
        ({"featureset": "."}, "no feature set for featureset='.'"),
        ({"featureset": "none.yaml"}, "cannot read the feature set 'none.yaml'"),
        ({"featureset": {"spec": {}}}, "has its features under spec.features"),
        ({"featureset": QUOTES, "columns": ["bidd"]}, "'bidd'; did you mean 'bid'"),
        ({"features": 5}, "features must be an object or a list"),
        ({"features": [{}]}, "a feature must be an object with a name"),
        ({"features": {"a": {"kind": "max"}}}, "there is no validator 'max'"),
        ({"features": {"a": {"kind": "minmax", "mx": 1}}}, "takes no 'mx'"),
        ({"features": {"a": {"kind": "minmax", "min": 2, "max": 1}}},
         "feature 'a': min must not be above max"),
        ({"features": {"a": {"kind": "regex", "regex": "(a+)+"}}}, "exponential time"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused(open_runner, args, message):
    with pytest.raises(SpecError, match=message) as refused:
        open_runner(quotes_graph(**args))
    assert "'check'" in str(refused.value)
