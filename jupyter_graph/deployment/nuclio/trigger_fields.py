"""The 13 kinds of Nuclio triggers and what each of their fields may hold.

Source: https://docs.nuclio.io/en/stable/reference/triggers/index.html
"""

from __future__ import annotations

from jupyter_graph.deployment.nuclio.nuclio_types import (
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
