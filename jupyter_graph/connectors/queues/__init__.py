"""Streams between steps and functions."""
