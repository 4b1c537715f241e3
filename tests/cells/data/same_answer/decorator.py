# %%
import functools
# %%
def twice(fn):
    @functools.wraps(fn)
    def run(x): return fn(fn(x))
    return run
# %%
@twice
def step(x): return x + 1
