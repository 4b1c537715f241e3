"""What a graph is: plain data, read, checked and written.

May import ``errors`` and ``types`` only: no storey, no network, no Jupyter.
"""
