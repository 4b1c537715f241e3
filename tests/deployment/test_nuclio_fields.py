import pytest

from jupyter_graph.deployment.nuclio.function_fields import check_config, merged, nested
from jupyter_graph.deployment.nuclio.trigger_fields import KINDS
from jupyter_graph.deployment.nuclio.triggers import (
    normal_trigger,
    read_trigger,
    trigger_problems,
)
from jupyter_graph.errors import DeployError


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        pytest.param({"minReplica": 1}, "did you mean 'minReplicas'", id="unknown"),
        pytest.param({"minReplicas": -1}, "from 0", id="below-zero"),
        pytest.param({"eventTimeout": "abc"}, "like '10s'", id="no-duration"),
        pytest.param({"eventTimeout": 10}, "like '10s'", id="duration-without-unit"),
        pytest.param(
            {"resources": {"limits": {"memory": "128MB"}}}, "'128Mi'", id="memory"
        ),
        pytest.param({"resources": {"limits": {"cpu": "1G"}}}, "'250m'", id="cpu"),
        pytest.param(
            {"resources": {"limit": {}}}, "did you mean 'limits'", id="nested-unknown"
        ),
        pytest.param({"runtime": "python:2.7"}, "python:3.11", id="python-2"),
        pytest.param({"imagePullPolicy": "always"}, "'Always'", id="word"),
        pytest.param({"env": [{"value": "1"}]}, "name is missing", id="env-name"),
        pytest.param({"build": {"comands": []}}, "'commands'", id="build-unknown"),
        pytest.param({"minReplicas": 3, "maxReplicas": 2}, "more than", id="min-max"),
        pytest.param(
            {"triggers": {"a": {"kind": "http"}, "b": {"kind": "http"}}},
            "one http trigger, found a, b",
            id="two-http",
        ),
        pytest.param({"triggers": {"a": "http"}}, "must be a mapping", id="no-mapping"),
        pytest.param({"description": "a\nb"}, "one line of text", id="newline"),
    ],
)
def test_a_wrong_field_is_named_with_what_would_be_right(spec, said):
    [problem] = check_config({"spec": spec})

    assert said in problem


def test_a_right_document_has_no_problem():
    spec = {
        "minReplicas": 1,
        "maxReplicas": 4,
        "eventTimeout": "1m30s",
        "resources": {"requests": {"cpu": "250m", "memory": "128Mi"}},
        "triggers": {"http": {"kind": "http", "numWorkers": 2}},
        "nodeSelector": {"kubernetes.io/os": "linux"},
    }

    assert check_config({"metadata": {"labels": {"a": "b"}}, "spec": spec}) == []
    assert check_config(spec) == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        pytest.param("q=kafkaa", "did you mean 'kafka'", id="unknown-kind"),
        pytest.param("q=quux", "known: http, cron", id="far-off-kind"),
        pytest.param("q=kafka:topics=[]", "needs brokers", id="missing"),
        pytest.param("t=cron:interval=5", "like '10s'", id="unit"),
        pytest.param("t=cron:interval=5s,schedule=* * * * *", "not both", id="both"),
        pytest.param("t=cron:schedule=* *", "5 fields", id="schedule"),
        pytest.param("t=cron:intervall=5s", "did you mean 'interval'", id="near"),
        pytest.param("w=http:port=99999", "0 to 65535", id="port"),
        pytest.param("w=http:numWorkers=0", "from 1", id="workers"),
        pytest.param("w=http:batch=3", "not built yet", id="batch"),
        pytest.param("m=mqtt:url=tcp://h", "needs subscriptions", id="mqtt"),
        pytest.param("n=nats:topic=t", "needs url", id="nats-url"),
        pytest.param(
            'q=kafka:brokers=["b"],topics=["t"],explicitAckMode=enable',
            "workerAllocationMode=static",
            id="explicit-ack-with-pool",
        ),
    ],
)
def test_a_wrong_trigger_is_named_with_what_would_be_right(words, said):
    name, trigger = read_trigger(words)
    problems = trigger_problems(name, trigger)

    assert said in "\n".join(problems)
    assert f"trigger {name!r}" in problems[0]


@pytest.mark.parametrize("words", ["kafka", "=http", "q=", "q=http:port"])
def test_a_trigger_in_another_form_is_refused(words):
    with pytest.raises(DeployError, match="must be"):
        read_trigger(words)


def test_values_of_a_trigger_line_may_hold_commas_in_brackets_and_quotes():
    _, trigger = read_trigger(
        'q=kafka:brokers=["a:1","b:2"],topics=["t"],explicitAckMode=explicitOnly,'
        'workerAllocationMode=static,numWorkers=2,consumerGroup="x,y"'
    )

    assert trigger == {
        "kind": "kafka-cluster",
        "numWorkers": 2,
        "explicitAckMode": "explicitOnly",
        "attributes": {
            "brokers": ["a:1", "b:2"],
            "topics": ["t"],
            "workerAllocationMode": "static",
            "consumerGroup": "x,y",
        },
    }
    assert trigger_problems("q", trigger) == []


def test_old_and_short_names_become_those_nuclio_reads():
    trigger = normal_trigger(
        "r", {"kind": "rabbitMq", "maxWorkers": 3, "queueName": "q"}
    )

    assert trigger == {
        "kind": "rabbit-mq",
        "numWorkers": 3,
        "attributes": {"queueName": "q"},
    }


def test_there_are_thirteen_kinds_of_triggers():
    assert len(KINDS) == 13


def test_dotted_fields_become_a_document():
    document = nested({r"nodeSelector.kubernetes\.io/os": "linux", "spec.alias": "a"})

    assert document == {
        "spec": {"nodeSelector": {"kubernetes.io/os": "linux"}, "alias": "a"}
    }


def test_what_is_laid_over_replaces_values_and_joins_mappings():
    assert merged({"a": {"b": [1]}, "c": 1}, {"a": {"b": [2]}}) == {
        "a": {"b": [2]},
        "c": 1,
    }
