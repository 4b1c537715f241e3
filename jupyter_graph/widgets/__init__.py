"""A graph seen in the notebook: one widget that draws what the kernel sends it.

May import ``errors``, ``types``, ``spec``, ``picture``, ``run`` and ``session``.
"""
