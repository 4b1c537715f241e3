"""What a graph costs beside the same work written by hand.

Run one with ``python -m benchmarks.bench_chain``; results are kept in ``results/``.
"""
