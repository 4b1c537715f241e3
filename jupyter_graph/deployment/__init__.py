"""DEPLOYED: from a graph to a running function.

May import errors, types, spec, cells, connectors, compile, run and host.
"""
