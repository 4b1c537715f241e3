"""Nuclio: the configuration of a function, and the dashboard that takes it."""
