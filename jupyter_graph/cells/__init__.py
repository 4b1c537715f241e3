"""Which code a step needs: static reading of notebook cells.

May import ``errors``, ``types`` and ``spec``. IPython is imported inside the functions
that read a cell, so that the room itself loads without it.
"""
