"""A real Kafka broker on this machine, for tests and benchmarks."""
