# %%
try:
    import no_such_module_at_all as fast
except ImportError:
    fast = None
# %%
def step(x): return fast is None
