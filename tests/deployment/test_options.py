import pytest

from jupyter_graph.deployment.options import read_options
from jupyter_graph.errors import DeployError


@pytest.mark.parametrize(
    ("given", "said"),
    [
        pytest.param({"name": "My_Fn"}, "'My_Fn'", id="name-with-capitals"),
        pytest.param({"name": "a" * 57}, "1 to 56", id="name-too-long"),
        pytest.param({"name": "-a"}, "at both ends", id="name-begins-with-dash"),
        pytest.param({"worker": 2}, "did you mean 'workers'", id="unknown-option"),
        pytest.param({"target": "nucleo"}, "did you mean 'nuclio'", id="target"),
        pytest.param({"target": "image"}, "unknown target 'image'", id="not-built"),
        pytest.param({"target": "out.zip"}, "known: local, nuclio, archive", id="path"),
        pytest.param({"target": ["local"]}, "unknown target ['local']", id="list"),
        pytest.param({"target": "archive"}, "archive needs output", id="no-output"),
        pytest.param(
            {"config": {"triggers": {"t": "cron"}}}, "must be a mapping", id="trigger"
        ),
        pytest.param({"workers": 0}, "workers is 0", id="no-workers"),
        pytest.param({"workers": True}, "workers is True", id="workers-bool"),
        pytest.param({"port": 70000}, "0 to 65535", id="port"),
        pytest.param({"wait_s": 0}, "wait_s is 0", id="wait-zero"),
        pytest.param({"wait_s": float("nan")}, "wait_s is nan", id="wait-nan"),
        pytest.param({"env": {"A B": "1"}}, "'A B'", id="variable-name"),
        pytest.param({"env": {"A": 1}}, "must be text", id="variable-number"),
        pytest.param({"env": {"A": "1\nUSER root"}}, "one line", id="newline"),
        pytest.param({"env": "A=1"}, "must be a mapping", id="env-text"),
        pytest.param({"secrets": {"K": "s3cr3t!"}}, "NAME/KEY", id="secret-value"),
        pytest.param(
            {"env": {"K": "1"}, "secrets": {"K": "a/b"}}, "both", id="env-and-secret"
        ),
        pytest.param({"project": "My Project"}, "my-project", id="project"),
        pytest.param({"dashboard": "localhost:8070"}, "URL", id="dashboard"),
        pytest.param({"target": "archive"}, "needs output", id="archive-where"),
        pytest.param({"runtime": "bundle"}, "did you mean 'bundled'", id="runtime"),
        pytest.param({"pip": "-r evil.txt"}, "one requirement", id="pip-option"),
        pytest.param({"dry_run": "yes"}, "true or false", id="dry-run"),
        pytest.param(
            {"triggers": {"q": "kafka:brokers=[],topics=[]"}},
            "deploy it with target nuclio",
            id="local-kafka",
        ),
        pytest.param({"triggers": {"q": 3}}, "mapping with a kind", id="trigger-3"),
        pytest.param({"config": {"handler": "x:y"}}, "cannot be set", id="our-field"),
        pytest.param({"config": {"runtime": "python:2.7"}}, "python:3", id="python-2"),
        pytest.param({"config": {"a": 1, "a.b": 2}}, "already a value", id="both"),
        pytest.param({"config": {"spec": 5}}, "config 'spec' is 5", id="spec-number"),
        pytest.param({"config": {5: 5}}, "config key is 5", id="field-number"),
        pytest.param({"triggers": {"t": {"kind": []}}}, "kind []", id="kind-list"),
        pytest.param(
            {"triggers": {"t": {"kind": "cron", 5: 5}}}, "5 is not a field", id="key-5"
        ),
        pytest.param({"output": 5}, "output is 5, but must be a path", id="output"),
    ],
)
def test_a_wrong_option_is_refused_with_what_would_be_right(given, said):
    with pytest.raises(DeployError) as caught:
        read_options("g", given)

    assert said in str(caught.value)


def test_a_wrong_secret_is_not_repeated_in_the_message():
    with pytest.raises(DeployError) as caught:
        read_options("g", {"secrets": {"PASSWORD": "hunter2"}})

    assert "hunter2" not in str(caught.value)


def test_all_problems_are_told_at_once():
    with pytest.raises(DeployError) as caught:
        read_options("g", {"workers": 0, "port": -1, "config": {"minReplica": 1}})

    assert str(caught.value).count("\n  - ") == 3


def test_the_name_comes_from_the_graph():
    assert read_options("Fraud_model.v2", {}).name == "fraud-model-v2"


def test_a_function_has_an_http_trigger_unless_it_says_otherwise():
    triggers = {"tick": "cron:interval=5s"}
    config = {"disableDefaultHTTPTrigger": True}
    plain = read_options("g", {"workers": 3})
    silent = read_options(
        "g", {"target": "nuclio", "triggers": triggers, "config": config}
    )

    assert plain.http_trigger == ("http", {"kind": "http", "numWorkers": 3})
    assert silent.http_trigger is None


@pytest.mark.parametrize(
    ("given", "seconds"),
    [
        pytest.param({}, 30.0, id="the-graphs-own"),
        pytest.param({"config": {"eventTimeout": "2s"}}, 2.0, id="less-by-nuclios"),
        pytest.param({"config": {"spec.eventTimeout": "1m30s"}}, 30.0, id="not-more"),
        pytest.param({"config": {"eventTimeout": "0s"}}, 30.0, id="zero-is-none"),
        pytest.param({"timeout_s": 0.5}, 0.5, id="said-in-seconds"),
    ],
)
def test_an_event_may_take_as_long_as_graph_and_function_say(given, seconds):
    assert read_options("g", given).deadline_s == seconds
