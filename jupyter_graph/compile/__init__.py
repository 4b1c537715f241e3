"""From a spec to something that runs: names resolved, code generated, wiring planned.

May import ``errors``, ``types``, ``spec`` and ``steps``.
"""
