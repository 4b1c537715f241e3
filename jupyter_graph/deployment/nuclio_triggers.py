"""The 13 kinds of Nuclio triggers: their fields, and how to write one in a line.

Source: https://docs.nuclio.io/en/stable/reference/triggers/index.html
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from jupyter_graph.deployment.field_types import (
    Kind,
    anything,
    duration,
    either,
    flag,
    integer,
    list_of,
    map_of,
    one_of,
    record,
    text,
)
from jupyter_graph.errors import DeployError, did_you_mean

COUNT = integer(0)
TEXTS = list_of(text)
ALLOCATION = one_of("pool", "static")
CRON_EVENT = record({"body": either(text, anything), "headers": map_of(anything)})

ALIASES = {"kafka": "kafka-cluster", "rabbitMq": "rabbit-mq"}

COMMON: dict[str, Kind] = {
    "kind": text,
    "name": text,
    "class": text,
    "disabled": flag,
    "numWorkers": integer(1, 100_000),
    "url": text,
    "username": text,
    "password": text,
    "secret": text,
    "paths": TEXTS,
    "partitions": list_of(anything),
    "annotations": map_of(text),
    "workerTerminationTimeout": duration,
    "workerAvailabilityTimeoutMilliseconds": COUNT,
    "workerAllocatorName": text,
    "explicitAckMode": one_of("enable", "disable", "explicitOnly"),
    "waitExplicitAckDuringRebalanceTimeout": duration,
    "attributes": anything,
}

MQTT: dict[str, Kind] = {
    "subscriptions": list_of(record({"topic": text, "qos": integer(0, 2)})),
    "clientID": text,
    "protocolVersion": integer(3, 5),
}

KINDS: dict[str, dict[str, Kind]] = {
    "http": {
        "port": integer(0, 65535),
        "serviceType": one_of("ClusterIP", "NodePort", "LoadBalancer"),
        "ingresses": map_of(
            record(
                {
                    "host": text,
                    "hostTemplate": text,
                    "paths": TEXTS,
                    "pathType": one_of("Exact", "Prefix", "ImplementationSpecific"),
                    "secretName": text,
                }
            )
        ),
        "readBufferSize": integer(1),
        "maxRequestBodySize": integer(1),
        "reduceMemoryUsage": flag,
        "cors": record(
            {
                "enabled": flag,
                "allowOrigins": TEXTS,
                "allowMethods": TEXTS,
                "allowHeaders": TEXTS,
                "allowCredentials": flag,
                "exposeHeaders": TEXTS,
                "preflightMaxAgeSeconds": integer(-1),
            }
        ),
        "disablePortPublishing": flag,
        "mode": one_of("sync", "async"),
    },
    "cron": {
        "schedule": text,
        "interval": duration,
        "event": CRON_EVENT,
        "concurrencyPolicy": one_of("Allow", "Forbid", "Replace"),
        "jobBackoffLimit": COUNT,
    },
    "kafka-cluster": {
        "brokers": TEXTS,
        "topics": TEXTS,
        "consumerGroup": text,
        "initialOffset": one_of("earliest", "latest"),
        "balanceStrategy": one_of("range", "roundrobin"),
        "sasl": record(
            {
                "enable": flag,
                "handshake": flag,
                "user": text,
                "password": text,
                "mechanism": text,
                "oauth": record(
                    {
                        "clientId": text,
                        "clientSecret": text,
                        "tokenUrl": text,
                        "scopes": TEXTS,
                    }
                ),
            }
        ),
        "tls": record(
            {"enable": flag, "insecureSkipVerify": flag, "minimumVersion": text}
        ),
        "caCert": anything,
        "accessKey": anything,
        "accessCertificate": anything,
        "secretPath": text,
        "sessionTimeout": duration,
        "heartbeatInterval": duration,
        "maxProcessingTime": duration,
        "rebalanceTimeout": duration,
        "rebalanceRetryBackoff": duration,
        "rebalanceRetryMax": COUNT,
        "retryBackoff": duration,
        "maxWaitTime": duration,
        "maxWaitHandlerDuringRebalance": duration,
        "workerAllocationMode": ALLOCATION,
        "fetchMin": COUNT,
        "fetchDefault": COUNT,
        "fetchMax": COUNT,
        "channelBufferSize": COUNT,
        "logLevel": COUNT,
        "ackWindowSize": COUNT,
        "version": text,
    },
    "v3ioStream": {
        "containerName": text,
        "streamPath": text,
        "consumerGroup": text,
        "numTransportWorkers": integer(1),
        "workerAllocationMode": ALLOCATION,
        "seekTo": one_of("earliest", "latest"),
        "readBatchSize": integer(1),
        "sessionTimeout": duration,
        "heartbeatInterval": duration,
        "sequenceNumberCommitInterval": duration,
        "sequenceNumberShardWaitInterval": duration,
        "recordBatchSizeChan": integer(1),
        "ackWindowSize": COUNT,
        "pollingIntervalMs": integer(1),
        "logLevel": COUNT,
    },
    "nats": {"topic": text, "queueName": text},
    "rabbit-mq": {
        "exchangeName": text,
        "queueName": text,
        "topics": TEXTS,
        "reconnectDuration": duration,
        "reconnectInterval": duration,
        "prefetchCount": COUNT,
        "durableExchange": flag,
        "durableQueue": flag,
    },
    "mqtt": MQTT,
    "iotCoreMqtt": {
        **MQTT,
        "projectID": text,
        "regionName": text,
        "registryID": text,
        "deviceID": text,
        "privateKey": anything,
        "jwtRefreshInterval": duration,
    },
    "kinesis": {
        "accessKeyID": text,
        "secretAccessKey": text,
        "regionName": text,
        "streamName": text,
        "shards": TEXTS,
        "iteratorType": one_of(
            "TRIM_HORIZON", "LATEST", "AT_SEQUENCE_NUMBER", "AFTER_SEQUENCE_NUMBER"
        ),
        "pollingPeriod": duration,
    },
    "eventhub": {
        "sharedAccessKeyName": text,
        "sharedAccessKeyValue": text,
        "namespace": text,
        "eventHubName": text,
        "consumerGroup": text,
        "partitions": list_of(COUNT),
    },
    "pubsub": {
        "projectID": text,
        "subscriptions": list_of(
            record(
                {
                    "topic": text,
                    "idPrefix": text,
                    "shared": flag,
                    "ackDeadline": duration,
                    "skipCreate": flag,
                    "maxNumWorkers": integer(1),
                    "synchronous": flag,
                }
            )
        ),
        "ackDeadline": duration,
        "credentials": anything,
        "noCredentials": flag,
    },
    "kickstart": {"event": CRON_EVENT},
    "v3ioItemPoller": {
        "intervalMs": integer(1),
        "maxBatchSize": integer(1),
        "maxBatchWaitMs": COUNT,
        "restart": flag,
        "containerID": COUNT,
        "containerAlias": text,
        "paths": TEXTS,
        "attributes": TEXTS,
        "queries": TEXTS,
        "suffixes": TEXTS,
        "incremental": flag,
        "shardID": COUNT,
        "totalShards": integer(1),
    },
}

# (kind, attributes that must be there); a name with "|" asks for one of several.
REQUIRED: dict[str, tuple[str, ...]] = {
    "cron": ("interval|schedule",),
    "kafka-cluster": ("brokers", "topics"),
    "v3ioStream": ("containerName", "streamPath"),
    "nats": ("topic",),
    "rabbit-mq": ("exchangeName", "queueName|topics"),
    "mqtt": ("subscriptions",),
    "iotCoreMqtt": ("subscriptions",),
    "kinesis": ("regionName", "streamName", "shards"),
    "eventhub": ("namespace", "eventHubName"),
    "pubsub": ("projectID", "subscriptions"),
}
NEEDS_URL = {"nats", "rabbit-mq", "mqtt"}
# Written into no file of a bundle: the dashboard keeps them in a secret of its own.
SENSITIVE = {
    "password",
    "secret",
    "secretAccessKey",
    "sharedAccessKeyValue",
    "accessKey",
    "privateKey",
    "credentials",
    "clientSecret",
}


def read_trigger(words: str) -> tuple[str, dict[str, Any]]:
    """Read ``NAME=KIND[:k=v,…]``; a value is JSON when it parses, else text.

    Raises:
        DeployError: the words have another form.

    >>> read_trigger('q=kafka:brokers=["b:9092"],topics=["t"],numWorkers=2')[0]
    'q'
    >>> read_trigger("tick=cron:interval=5s")[1]
    {'kind': 'cron', 'attributes': {'interval': '5s'}}
    """
    name, equals, rest = words.partition("=")
    kind, _, pairs = rest.partition(":")
    if not equals or not name.strip() or not kind.strip():
        raise DeployError(f"trigger {words!r} must be NAME=KIND or NAME=KIND:key=value")
    fields: dict[str, Any] = {}
    for pair in _split(pairs):
        key, equals, value = pair.partition("=")
        if not equals:
            raise DeployError(f"trigger {name!r}: {pair!r} must be key=value")
        _put(fields, key.strip().split("."), _value(value.strip()))
    return name.strip(), normal_trigger({"kind": kind.strip(), **fields})


def _put(fields: dict[str, Any], keys: list[str], value: Any) -> None:
    for key in keys[:-1]:
        fields = fields.setdefault(key, {})
    fields[keys[-1]] = value


def _value(words: str) -> Any:
    try:
        return json.loads(words)
    except ValueError:
        return words


def _split(pairs: str) -> Iterator[str]:
    """Cut at commas that stand in no bracket and in no quotes."""
    depth, quote, start = 0, "", 0
    for place, char in enumerate(pairs):
        if quote:
            quote = "" if char == quote else quote
        elif char in "\"'":
            quote = char
        elif char in "[{(":
            depth += 1
        elif char in "]})":
            depth -= 1
        elif char == "," and depth == 0:
            yield pairs[start:place]
            start = place + 1
    if pairs[start:].strip():
        yield pairs[start:]


def normal_trigger(trigger: Mapping[str, Any]) -> dict[str, Any]:
    """Put every field where Nuclio reads it: at the top or among the attributes."""
    top: dict[str, Any] = {}
    attributes: dict[str, Any] = {}
    kind = ALIASES.get(trigger.get("kind", ""), trigger.get("kind"))
    nested = trigger.get("attributes")
    own = KINDS.get(kind, {}) if isinstance(kind, str) else {}
    for key, value in trigger.items():
        if key == "attributes" and isinstance(value, Mapping):
            continue
        if key == "maxWorkers":  # its old name, gone in Nuclio 1.15
            top["numWorkers"] = value
        elif (key in COMMON and key not in own) or key == "batch":
            top[key] = value
        else:
            attributes[key] = value
    if isinstance(nested, Mapping):
        attributes.update(nested)
    return {**top, "kind": kind, **({"attributes": attributes} if attributes else {})}


def trigger_problems(name: str, trigger: Mapping[str, Any]) -> list[str]:
    """List what is wrong with one trigger, in the words of its user.

    >>> trigger_problems("q", {"kind": "kafkaa"})
    ["trigger 'q': unknown kind 'kafkaa'; did you mean 'kafka'?"]
    >>> trigger_problems("t", {"kind": "cron", "attributes": {"interval": "5"}})
    ["trigger 't': interval is '5', but must be a duration with its unit, like '10s'"]
    """
    kind = trigger.get("kind")
    if kind not in KINDS:
        near = did_you_mean(str(kind), [*KINDS, *ALIASES])
        hint = near or f" (known: {', '.join(KINDS)})"
        return [f"trigger {name!r}: unknown kind {kind!r}{hint}"]
    return [f"trigger {name!r}: {problem}" for problem in _problems(kind, trigger)]


def _problems(kind: str, trigger: Mapping[str, Any]) -> Iterator[str]:
    attributes = trigger.get("attributes", {})
    if not isinstance(attributes, Mapping):
        yield f"attributes is {attributes!r}, but must be a mapping"
        return
    for key, value in trigger.items():
        if key == "batch":
            yield "batch is not built yet; leave it out"
        elif key not in COMMON:
            yield f"{key} is not a field{did_you_mean(key, COMMON)}"
        else:
            yield from COMMON[key](value, key)
    for key, value in attributes.items():
        if key in KINDS[kind]:
            yield from KINDS[kind][key](value, key)
        else:
            near = did_you_mean(key, [*KINDS[kind], *COMMON])
            yield f"{key} is not a field of a {kind} trigger{near}"
    for names in REQUIRED.get(kind, ()):
        if not any(attributes.get(key) for key in names.split("|")):
            yield f"a {kind} trigger needs {names.replace('|', ' or ')}"
    if kind in NEEDS_URL and not trigger.get("url"):
        yield f"a {kind} trigger needs url"
    yield from _rules_between_fields(kind, trigger, attributes)


def _rules_between_fields(
    kind: str, trigger: Mapping[str, Any], attributes: Mapping[str, Any]
) -> Iterator[str]:
    if kind == "cron" and attributes.get("interval") and attributes.get("schedule"):
        yield "a cron trigger takes interval or schedule, not both"
    schedule = attributes.get("schedule")
    words = schedule.split() if isinstance(schedule, str) else []
    if words and not words[0].startswith("@") and len(words) not in (5, 6):
        yield f"schedule {schedule!r} must have 5 fields, like '*/5 * * * *'"
    is_explicit = trigger.get("explicitAckMode") in ("enable", "explicitOnly")
    if is_explicit and attributes.get("workerAllocationMode", "pool") == "pool":
        yield (
            f"explicitAckMode {trigger['explicitAckMode']} does not work with"
            " workerAllocationMode pool; add workerAllocationMode=static"
        )
