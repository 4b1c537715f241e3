"""Steps that remember: batches, windows, running states, lookups."""
