"""The 13 kinds of Nuclio triggers and what each of their fields may hold.

Source: https://docs.nuclio.io/en/stable/reference/triggers/index.html
"""

from __future__ import annotations

from jupyter_graph.deployment.nuclio.nuclio_types import (
    Kind,
    anything,
    duration,
    each,
    flag,
    integer,
    list_of,
    map_of,
    one_of,
    record,
    text,
)

COUNT = integer(0)
TEXTS = list_of(text)
ALLOCATION = one_of("pool", "static")
CRON_EVENT = record({"body": anything, "headers": map_of(anything)})

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

KINDS: dict[str, dict[str, Kind]] = {
    "http": {
        "port": integer(0, 65535),
        "serviceType": one_of("ClusterIP", "NodePort", "LoadBalancer"),
        "ingresses": map_of(INGRESS),
        **each(integer(1), "readBufferSize maxRequestBodySize"),
        **each(flag, "reduceMemoryUsage disablePortPublishing"),
        "cors": CORS,
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
    "v3ioStream": {
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
            "numTransportWorkers readBatchSize recordBatchSizeChan pollingIntervalMs",
        ),
        **each(COUNT, "ackWindowSize logLevel"),
    },
    "nats": each(text, "topic queueName"),
    "rabbit-mq": {
        **each(text, "exchangeName queueName"),
        "topics": TEXTS,
        **each(duration, "reconnectDuration reconnectInterval"),
        "prefetchCount": COUNT,
        **each(flag, "durableExchange durableQueue"),
    },
    "mqtt": MQTT,
    "iotCoreMqtt": {
        **MQTT,
        **each(text, "projectID regionName registryID deviceID"),
        "privateKey": anything,
        "jwtRefreshInterval": duration,
    },
    "kinesis": {
        **each(text, "accessKeyID secretAccessKey regionName streamName"),
        "shards": TEXTS,
        "iteratorType": one_of(
            "TRIM_HORIZON", "LATEST", "AT_SEQUENCE_NUMBER", "AFTER_SEQUENCE_NUMBER"
        ),
        "pollingPeriod": duration,
    },
    "eventhub": {
        **each(
            text,
            "sharedAccessKeyName sharedAccessKeyValue namespace eventHubName "
            "consumerGroup",
        ),
        "partitions": list_of(COUNT),
    },
    "pubsub": {
        "projectID": text,
        "subscriptions": list_of(SUBSCRIPTION),
        "ackDeadline": duration,
        "credentials": anything,
        "noCredentials": flag,
    },
    "kickstart": {"event": CRON_EVENT},
    "v3ioItemPoller": {
        **each(integer(1), "intervalMs maxBatchSize totalShards"),
        **each(COUNT, "maxBatchWaitMs containerID shardID"),
        **each(flag, "restart incremental"),
        "containerAlias": text,
        **each(TEXTS, "paths attributes queries suffixes"),
    },
}
"""Kind → its attributes, and what each may hold."""

REQUIRED: dict[str, tuple[str, ...]] = {
    "cron": ("interval|schedule",),
    "kafka-cluster": ("brokers", "topics"),
    "v3ioStream": ("containerName", "streamPath"),
    "nats": ("topic", "url"),
    "rabbit-mq": ("exchangeName", "queueName|topics", "url"),
    "mqtt": ("subscriptions", "url"),
    "iotCoreMqtt": ("subscriptions",),
    "kinesis": ("regionName", "streamName", "shards"),
    "eventhub": ("namespace", "eventHubName"),
    "pubsub": ("projectID", "subscriptions"),
}
"""Kind → what must be there; ``a|b`` asks for one of them."""

# Written into no file of a bundle: the dashboard keeps them in a secret of its own.
SENSITIVE = {
    "accessKey", "clientSecret", "credentials", "password", "privateKey", "secret",
    "secretAccessKey", "sharedAccessKeyValue",
}  # fmt: skip
