"""MLRun's dialects of graph documents and of the builder, as thin adapters."""
