"""Events through a compiled graph; all mutable state lives here.

May import ``errors``, ``types``, ``spec`` and ``compile``.
"""
