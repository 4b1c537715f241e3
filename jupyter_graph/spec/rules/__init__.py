"""The rules that a graph must obey."""
