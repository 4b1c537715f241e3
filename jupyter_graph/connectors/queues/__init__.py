"""Queues between steps and functions: in memory, and Kafka."""
