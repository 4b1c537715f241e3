# %%
LIMITS = {'a': 1, 'b': [2]}
# %%
def step(x): return LIMITS
