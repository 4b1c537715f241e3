"""Threads: how they start, what they wait for, and who ends what nobody closed."""
