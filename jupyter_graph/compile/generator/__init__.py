"""Writes the Python function that runs a graph."""
