"""The 13 kinds of Nuclio triggers and what each of their fields may hold.

Source: https://docs.nuclio.io/en/stable/reference/triggers/index.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from jupyter_graph.deployment.nuclio.nuclio_types import (
    Kind,
    anything,
    duration,
    each,
    either,
    flag,
    integer,
    list_of,
    map_of,
    one_of,
    record,
    text,
)


@dataclass(frozen=True)
class TriggerKind:
    """One kind of trigger.

    Attributes:
        fields: what its attributes may hold.
        required: attributes that must be there; ``a|b`` asks for one of them.
        needs_url: ``url`` must be there, beside the attributes.
    """

    fields: Mapping[str, Kind]
    required: tuple[str, ...] = ()
    needs_url: bool = False


COUNT = integer(0)
TEXTS = list_of(text)
ALLOCATION = one_of("pool", "static")
CRON_EVENT = record({"body": either(text, anything), "headers": map_of(anything)})

ALIASES = {"kafka": "kafka-cluster", "rabbitMq": "rabbit-mq"}

COMMON: dict[str, Kind] = {
    **each(text, "kind name class url username password secret workerAllocatorName"),
    **each(duration, "workerTerminationTimeout waitExplicitAckDuringRebalanceTimeout"),
    "disabled": flag,
    "numWorkers": integer(1, 100_000),
    "paths": TEXTS,
    "partitions": list_of(anything),
    "annotations": map_of(text),
    "workerAvailabilityTimeoutMilliseconds": COUNT,
    "explicitAckMode": one_of("enable", "disable", "explicitOnly"),
    "attributes": anything,
}

MQTT: dict[str, Kind] = {
    "subscriptions": list_of(record({"topic": text, "qos": integer(0, 2)})),
    "clientID": text,
    "protocolVersion": integer(3, 5),
}
INGRESS = record(
    {
        **each(text, "host hostTemplate secretName"),
        "paths": TEXTS,
        "pathType": one_of("Exact", "Prefix", "ImplementationSpecific"),
    }
)
CORS = record(
    {
        **each(flag, "enabled allowCredentials"),
        **each(TEXTS, "allowOrigins allowMethods allowHeaders exposeHeaders"),
        "preflightMaxAgeSeconds": integer(-1),
    }
)
OAUTH = record({**each(text, "clientId clientSecret tokenUrl"), "scopes": TEXTS})
SASL = record(
    {
        **each(flag, "enable handshake"),
        **each(text, "user password mechanism"),
        "oauth": OAUTH,
    }
)
SUBSCRIPTION = record(
    {
        **each(text, "topic idPrefix"),
        **each(flag, "shared skipCreate synchronous"),
        "ackDeadline": duration,
        "maxNumWorkers": integer(1),
    }
)

KINDS: dict[str, TriggerKind] = {
    "http": TriggerKind(
        {
            "port": integer(0, 65535),
            "serviceType": one_of("ClusterIP", "NodePort", "LoadBalancer"),
            "ingresses": map_of(INGRESS),
            **each(integer(1), "readBufferSize maxRequestBodySize"),
            **each(flag, "reduceMemoryUsage disablePortPublishing"),
            "cors": CORS,
            "mode": one_of("sync", "async"),
        }
    ),
    "cron": TriggerKind(
        {
            "schedule": text,
            "interval": duration,
            "event": CRON_EVENT,
            "concurrencyPolicy": one_of("Allow", "Forbid", "Replace"),
            "jobBackoffLimit": COUNT,
        },
        required=("interval|schedule",),
    ),
    "kafka-cluster": TriggerKind(
        {
            **each(TEXTS, "brokers topics"),
            **each(text, "consumerGroup secretPath version"),
            "initialOffset": one_of("earliest", "latest"),
            "balanceStrategy": one_of("range", "roundrobin"),
            "sasl": SASL,
            "tls": record(
                {**each(flag, "enable insecureSkipVerify"), "minimumVersion": text}
            ),
            **each(anything, "caCert accessKey accessCertificate"),
            **each(
                duration,
                "sessionTimeout heartbeatInterval maxProcessingTime rebalanceTimeout "
                "rebalanceRetryBackoff retryBackoff maxWaitTime "
                "maxWaitHandlerDuringRebalance",
            ),
            "workerAllocationMode": ALLOCATION,
            **each(
                COUNT,
                "rebalanceRetryMax fetchMin fetchDefault fetchMax channelBufferSize "
                "logLevel ackWindowSize",
            ),
        },
        required=("brokers", "topics"),
    ),
    "v3ioStream": TriggerKind(
        {
            **each(text, "containerName streamPath consumerGroup"),
            "workerAllocationMode": ALLOCATION,
            "seekTo": one_of("earliest", "latest"),
            **each(
                duration,
                "sessionTimeout heartbeatInterval sequenceNumberCommitInterval "
                "sequenceNumberShardWaitInterval",
            ),
            **each(
                integer(1),
                "numTransportWorkers readBatchSize recordBatchSizeChan "
                "pollingIntervalMs",
            ),
            **each(COUNT, "ackWindowSize logLevel"),
        },
        required=("containerName", "streamPath"),
    ),
    "nats": TriggerKind(
        each(text, "topic queueName"), required=("topic",), needs_url=True
    ),
    "rabbit-mq": TriggerKind(
        {
            **each(text, "exchangeName queueName"),
            "topics": TEXTS,
            **each(duration, "reconnectDuration reconnectInterval"),
            "prefetchCount": COUNT,
            **each(flag, "durableExchange durableQueue"),
        },
        required=("exchangeName", "queueName|topics"),
        needs_url=True,
    ),
    "mqtt": TriggerKind(MQTT, required=("subscriptions",), needs_url=True),
    "iotCoreMqtt": TriggerKind(
        {
            **MQTT,
            **each(text, "projectID regionName registryID deviceID"),
            "privateKey": anything,
            "jwtRefreshInterval": duration,
        },
        required=("subscriptions",),
    ),
    "kinesis": TriggerKind(
        {
            **each(text, "accessKeyID secretAccessKey regionName streamName"),
            "shards": TEXTS,
            "iteratorType": one_of(
                "TRIM_HORIZON", "LATEST", "AT_SEQUENCE_NUMBER", "AFTER_SEQUENCE_NUMBER"
            ),
            "pollingPeriod": duration,
        },
        required=("regionName", "streamName", "shards"),
    ),
    "eventhub": TriggerKind(
        {
            **each(
                text,
                "sharedAccessKeyName sharedAccessKeyValue namespace eventHubName "
                "consumerGroup",
            ),
            "partitions": list_of(COUNT),
        },
        required=("namespace", "eventHubName"),
    ),
    "pubsub": TriggerKind(
        {
            "projectID": text,
            "subscriptions": list_of(SUBSCRIPTION),
            "ackDeadline": duration,
            "credentials": anything,
            "noCredentials": flag,
        },
        required=("projectID", "subscriptions"),
    ),
    "kickstart": TriggerKind({"event": CRON_EVENT}),
    "v3ioItemPoller": TriggerKind(
        {
            **each(integer(1), "intervalMs maxBatchSize totalShards"),
            **each(COUNT, "maxBatchWaitMs containerID shardID"),
            **each(flag, "restart incremental"),
            "containerAlias": text,
            **each(TEXTS, "paths attributes queries suffixes"),
        }
    ),
}

# Written into no file of a bundle: the dashboard keeps them in a secret of its own.
SENSITIVE = {
    "accessKey", "clientSecret", "credentials", "password", "privateKey", "secret",
    "secretAccessKey", "sharedAccessKeyValue",
}  # fmt: skip
